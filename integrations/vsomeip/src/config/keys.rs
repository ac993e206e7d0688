// SPDX-License-Identifier: MIT OR Apache-2.0

//! Keys that are almost right. vsomeip passes over a key that it does not know, without a word.

/// The keys of a file that are read here; vsomeip knows more.
const KEYS: [&str; 7] = [
    "applications",
    "services",
    "servicegroups",
    "routing",
    "service-discovery",
    "unicast",
    "network",
];

/// The key that was meant by one that vsomeip does not know; `None` where it may be right.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    KEYS.into_iter().find(|known| is_almost(key, known))
}

/// Whether it is another word that one slip of a finger makes of this one, in whatever case.
fn is_almost(key: &str, known: &str) -> bool {
    let (key_bytes, known_bytes) = (key.to_ascii_lowercase().into_bytes(), known.as_bytes());
    let from_start = key_bytes.iter().zip(known_bytes).take_while(|(a, b)| a == b).count();
    let (left, wanted) = (&key_bytes[from_start..], &known_bytes[from_start..]);
    let slip = match (left, wanted) {
        ([], []) => true, // only its case
        ([a, b, left @ ..], [c, d, wanted @ ..]) if (a, b) == (d, c) && left == wanted => true,
        _ => {
            let (skip_left, skip_wanted) = (left.get(1..), wanted.get(1..));
            skip_left == Some(wanted)
                || Some(left) == skip_wanted
                || (skip_left.is_some() && skip_left == skip_wanted)
        }
    };
    key != known && slip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_told_and_no_other_key() {
        let slips = [
            ("aplications", "applications"),
            ("applicationss", "applications"),
            ("appIications", "applications"),
            ("Applications", "applications"),
            ("servcies", "services"),
            ("service_discovery", "service-discovery"),
        ];
        for (key, known) in slips {
            assert_eq!(meant(key), Some(known), "{key}");
        }
        let right = [
            "",
            "clients",
            "device",
            "diagnosis",
            "internal_services",
            "logging",
            "netmask",
            "network",
            "npdu-default-timings",
            "payload-sizes",
            "routing",
            "routing-credentials",
            "security",
            "services",
            "tracing",
            "unicast",
            "watchdog",
        ];
        for key in right {
            assert_eq!(meant(key), None, "{key}");
        }
    }
}
