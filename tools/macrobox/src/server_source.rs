// SPDX-License-Identifier: MIT OR Apache-2.0

//! The sources that the user's own compiler builds, carried in the tool. The first is the root.

macro_rules! sources {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../", $folder, "/", $name)))),*]
    };
}

/// Preloaded into rustc, to record what its macros take and give.
pub(crate) const TAP: &[(&str, &str)] = &[
    ("main.rs", include_str!("../tap/main.rs")),
    ("convert.rs", include_str!("../tap/convert.rs")),
    ("forward.rs", include_str!("../tap/forward.rs")),
    ("record.rs", include_str!("../tap/record.rs")),
    ("client.rs", include_str!("../server/client.rs")),
    ("lex.rs", include_str!("../server/lex.rs")),
    ("message.rs", include_str!("../server/message.rs")),
    ("token.rs", include_str!("../server/token.rs")),
    ("wire.rs", include_str!("../server/wire.rs")),
];

pub(crate) const SERVER: &[(&str, &str)] = sources!(
    "server": "main.rs", "bridge.rs", "child.rs", "client.rs", "closed.rs", "empty.rs", "lex.rs", "listen.rs", "message.rs",
    "rules.rs", "say.rs", "seen.rs", "supervise.rs", "sys.rs", "token.rs", "wire.rs",
);
