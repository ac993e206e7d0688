// SPDX-License-Identifier: MIT OR Apache-2.0

//! How much memory an expansion may take where nobody says.

use std::path::Path;
use std::sync::LazyLock;

/// In bytes: 4 GB, or half of what was available when this was first asked, if that is less. Never less
/// than 256 MB, in which the macros that people use run well.
pub(crate) fn fitting() -> u64 {
    static FITTING: LazyLock<u64> = LazyLock::new(|| half_of(available(Path::new("/"))));
    *FITTING
}

fn half_of(available: u64) -> u64 {
    (available / 2).clamp(256 << 20, 4 << 30)
}

/// What the machine has free, or the limit of a control group around this process if that is less. What
/// a group uses is not taken off: most of it is files, which the kernel drops.
fn available(root: &Path) -> u64 {
    let read = |path: &Path| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let machine = read(Path::new("proc/meminfo"));
    let machine = machine.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?;
        kilobytes.parse::<u64>().ok()?.checked_mul(1024)
    });
    let mut least = machine.unwrap_or(u64::MAX);
    for line in read(Path::new("proc/self/cgroup")).lines() {
        // `0::/a/b` in version 2, `4:memory:/a/b` in version 1.
        let mut parts = line.splitn(3, ':').skip(1);
        let (tree, limit) = match parts.next() {
            Some("") => ("sys/fs/cgroup", "memory.max"),
            Some("memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        // Of all groups around it too. In a container the path may be the host's: only the last is there.
        let group = Path::new(parts.next().unwrap_or_default().trim_start_matches('/'));
        for group in group.ancestors() {
            let limit = read(&Path::new(tree).join(group).join(limit));
            least = least.min(limit.trim().parse().unwrap_or(u64::MAX)); // `max` for none
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_fits_the_machine_and_its_control_group() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let fits = || half_of(available(folder.path())) >> 20;
        assert_eq!(fits(), 4096, "nothing is known");
        write("proc/meminfo", "MemTotal:       32000000 kB\nMemAvailable:   16000000 kB\n");
        assert_eq!(fits(), 4096);
        write("proc/meminfo", "MemTotal:        4000000 kB\nMemAvailable:    3145728 kB\n");
        assert_eq!(fits(), 1536);
        // Version 2: a group has no limit, and the one around it has.
        write("proc/self/cgroup", "0::/build/job\n");
        write("sys/fs/cgroup/build/job/memory.max", "max\n");
        assert_eq!(fits(), 1536);
        write("sys/fs/cgroup/build/memory.max", &format!("{}\n", 2048u64 << 20));
        assert_eq!(fits(), 1024);
        // Version 1: in a container, whose root is its own group.
        write("proc/self/cgroup", "5:cpu:/\n4:memory:/docker/0123\n0::/\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", &format!("{}\n", 1024u64 << 20));
        assert_eq!(fits(), 512);
        write("proc/meminfo", "MemAvailable:       1000 kB\n");
        assert_eq!(fits(), 256);
    }
}
