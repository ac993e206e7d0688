// SPDX-License-Identifier: MIT OR Apache-2.0

//! A kernel without the means of the box: refused, unless that is allowed, and then said.

use std::path::Path;
use std::process::{Command, Output};

/// From here on, this process has a kernel without these system calls.
fn lose(calls: [libc::c_long; 2]) -> std::io::Result<()> {
    let line = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let number = |call: libc::c_long| u32::try_from(call).map_err(std::io::Error::other);
    let refused = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let mut lines = [
        line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, number(calls[0])?),
        line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number(calls[1])?),
        line(libc::BPF_RET, 0, 0, refused),
        line(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 5, filter: lines.as_mut_ptr() };
    // SAFETY: numbers, and a program of five lines that lives through the call.
    let entered = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program)
    };
    if entered == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Runs the tool on such a kernel.
fn without(calls: [libc::c_long; 2], arguments: &[&str]) -> Output {
    use std::os::unix::process::CommandExt;
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"));
    tool.args(arguments).args(["-p", "zoo-gentle"]);
    tool.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo"));
    // SAFETY: makes two system calls, allocates nothing.
    unsafe { tool.pre_exec(move || lose(calls)) }.output().unwrap()
}

/// From here on, this process is root no more as far as modes and limits go, and may open few files.
fn lose_rights() -> std::io::Result<()> {
    let check = |result| if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
    let (override_modes, search, owner, raise_limits) = (1, 2, 3, 24);
    let limit = libc::rlimit { rlim_cur: 200, rlim_max: 200 };
    // SAFETY: numbers, and a limit that lives through the call.
    unsafe {
        check(libc::setrlimit(libc::RLIMIT_NOFILE, &limit))?;
        if libc::geteuid() == 0 {
            for right in [override_modes, search, owner, raise_limits] {
                check(libc::prctl(libc::PR_CAPBSET_DROP, right, 0, 0, 0))?;
            }
        }
    }
    Ok(())
}

#[test]
fn no_mode_and_no_depth_keeps_the_scratch_folder() {
    use std::os::unix::process::CommandExt;
    let temporary = tempfile::tempdir().unwrap();
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"));
    tool.args(["expand", "nests!()", "-p", "zoo-hostile"]).env("TMPDIR", temporary.path());
    tool.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo"));
    // Its limits are under those that the box sets by itself.
    // SAFETY: makes a few system calls, allocates nothing.
    let output = unsafe { tool.pre_exec(lose_rights) }.output().unwrap();
    assert!(output.status.success() && output.stdout == b"\"\\\"nested\\\"\"\n", "{output:?}");
    let left: Vec<_> = temporary.path().read_dir().unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

const SECCOMP: [libc::c_long; 2] = [libc::SYS_seccomp; 2];
const LANDLOCK: [libc::c_long; 2] = [libc::SYS_landlock_create_ruleset; 2];

#[test]
fn without_seccomp_nothing_passes_the_gate() {
    let output = without(SECCOMP, &["check", "echo!(a)", "--allow-weak"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("no seccomp"), "{said}");
}

#[test]
fn a_weak_box_is_refused_unless_it_is_allowed() {
    for (lost, missing) in [(SECCOMP, "seccomp"), (LANDLOCK, "landlock")] {
        let output = without(lost, &["expand", "echo!(a)"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "without {missing}: {output:?}");
        assert!(said.contains(missing) && said.contains("(--allow-weak)"), "{said}");
        let output = without(lost, &["expand", "echo!(a)", "--allow-weak"]);
        assert!(
            output.status.success() && output.stdout == b"a\n",
            "without {missing}: {output:?}"
        );
    }
    // Both: what is missing is said.
    let both = [libc::SYS_seccomp, libc::SYS_landlock_create_ruleset];
    let output = without(both, &["expand", "scratches!()", "--allow-weak"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("NOT enforced: network"), "{output:?}");
    assert!(said.contains("NOT enforced: writes outside the scratch folder"), "{said}");
}
