// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which system calls a boxed macro may make.

use std::ffi::c_long;

/// What a system call is about, in the words of `--deny` and of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Network,
    Exec,
    /// Files, by a path in this argument.
    Path(usize),
    Thread,
    Random,
    /// Other processes, the kernel, file attributes: never needed by a macro.
    System,
}

use About::*;

pub const EXECVE: c_long = 59;
pub const EXECVEAT: c_long = 322;

/// Refused, unless allowed by name.
pub const REFUSED: &[(c_long, &str, About)] = &[
    (41, "socket", Network),
    (42, "connect", Network),
    (49, "bind", Network),
    (50, "listen", Network),
    (57, "fork", Exec),
    (58, "vfork", Exec),
    (EXECVE, "execve", Exec),
    (EXECVEAT, "execveat", Exec),
    (425, "io_uring_setup", System),
    (426, "io_uring_enter", System),
    (427, "io_uring_register", System),
    (101, "ptrace", System),
    (310, "process_vm_readv", System),
    (311, "process_vm_writev", System),
    (200, "tkill", System),
    (129, "rt_sigqueueinfo", System),
    (297, "rt_tgsigqueueinfo", System),
    (424, "pidfd_send_signal", System),
    (434, "pidfd_open", System),
    (438, "pidfd_getfd", System),
    (112, "setsid", System),
    (109, "setpgid", System),
    (272, "unshare", System),
    (308, "setns", System),
    (165, "mount", System),
    (166, "umount2", System),
    (155, "pivot_root", System),
    (161, "chroot", System),
    (428, "open_tree", System),
    (429, "move_mount", System),
    (430, "fsopen", System),
    (432, "fsmount", System),
    (433, "fspick", System),
    (442, "mount_setattr", System),
    (167, "swapon", System),
    (168, "swapoff", System),
    (169, "reboot", System),
    (170, "sethostname", System),
    (171, "setdomainname", System),
    (175, "init_module", System),
    (313, "finit_module", System),
    (176, "delete_module", System),
    (246, "kexec_load", System),
    (320, "kexec_file_load", System),
    (321, "bpf", System),
    (298, "perf_event_open", System),
    (248, "add_key", System),
    (249, "request_key", System),
    (250, "keyctl", System),
    (323, "userfaultfd", System),
    (304, "open_by_handle_at", System),
    (133, "mknod", Path(0)),
    (259, "mknodat", Path(1)),
    (463, "setxattrat", Path(1)),
    (466, "removexattrat", Path(1)),
    (469, "file_setattr", Path(1)),
    (467, "open_tree_attr", System),
    (141, "setpriority", System),
    (142, "sched_setparam", System),
    (144, "sched_setscheduler", System),
    (203, "sched_setaffinity", System),
    (314, "sched_setattr", System),
    (251, "ioprio_set", System),
    (256, "migrate_pages", System),
    (279, "move_pages", System),
    (440, "process_madvise", System),
    (448, "process_mrelease", System),
    (300, "fanotify_init", System),
    (103, "syslog", System),
    (153, "vhangup", System),
    (443, "quotactl_fd", System),
    (90, "chmod", Path(0)),
    (91, "fchmod", System),
    (268, "fchmodat", Path(1)),
    (452, "fchmodat2", Path(1)),
    (92, "chown", Path(0)),
    (93, "fchown", System),
    (94, "lchown", Path(0)),
    (260, "fchownat", Path(1)),
    (132, "utime", Path(0)),
    (235, "utimes", Path(0)),
    (261, "futimesat", Path(1)),
    (280, "utimensat", Path(1)),
    (188, "setxattr", Path(0)),
    (189, "lsetxattr", Path(0)),
    (190, "fsetxattr", System),
    (197, "removexattr", Path(0)),
    (198, "lremovexattr", Path(0)),
    (199, "fremovexattr", System),
    (163, "acct", System),
    (164, "settimeofday", System),
    (227, "clock_settime", System),
    (159, "adjtimex", System),
    (305, "clock_adjtime", System),
    (172, "iopl", System),
    (173, "ioperm", System),
    (179, "quotactl", System),
    (160, "setrlimit", System),
    (29, "shmget", System),
    (30, "shmat", System),
    (31, "shmctl", System),
    (64, "semget", System),
    (65, "semop", System),
    (66, "semctl", System),
    (220, "semtimedop", System),
    (68, "msgget", System),
    (69, "msgsnd", System),
    (70, "msgrcv", System),
    (71, "msgctl", System),
    // Files that neither the limit of memory nor that of a file's size counts.
    (319, "memfd_create", System),
    (447, "memfd_secret", System),
    (240, "mq_open", System),
    (241, "mq_unlink", System),
];

/// Let through, and noted where touches are watched.
pub const WATCHED: &[(c_long, &str, About)] = &[
    (2, "open", Path(0)),
    (85, "creat", Path(0)),
    (257, "openat", Path(1)),
    (437, "openat2", Path(1)),
    (87, "unlink", Path(0)),
    (263, "unlinkat", Path(1)),
    (82, "rename", Path(0)),
    (264, "renameat", Path(1)),
    (316, "renameat2", Path(1)),
    (83, "mkdir", Path(0)),
    (258, "mkdirat", Path(1)),
    (84, "rmdir", Path(0)),
    (86, "link", Path(0)),
    (265, "linkat", Path(1)),
    (88, "symlink", Path(1)),
    (266, "symlinkat", Path(2)),
    (76, "truncate", Path(0)),
    (4, "stat", Path(0)),
    (6, "lstat", Path(0)),
    (262, "newfstatat", Path(1)),
    (332, "statx", Path(1)),
    (21, "access", Path(0)),
    (269, "faccessat", Path(1)),
    (439, "faccessat2", Path(1)),
    (89, "readlink", Path(0)),
    (267, "readlinkat", Path(1)),
    (318, "getrandom", Random),
    (CLONE, "clone", Thread),
];

pub const CLONE: c_long = 56;
pub const CLONE3: c_long = 435;
pub const KILL: c_long = 62;
pub const TGKILL: c_long = 234;
pub const PRLIMIT64: c_long = 302;
pub const IOCTL: c_long = 16;
pub const FCNTL: c_long = 72;

/// The only requests of `ioctl`: is it a terminal, how wide, how much is there to read, and what
/// std asks of its own descriptors. Others change attributes and devices, by their hundreds.
pub const IOCTLS: &[u32] = &[
    0x5401,      // TCGETS
    0x802c_542a, // TCGETS2
    0x5413,      // TIOCGWINSZ
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
];

/// Refused of `fcntl`: signals to others, and leases that hold up who opens a file.
pub const REFUSED_FCNTLS: &[u32] = &[
    8,    // F_SETOWN
    10,   // F_SETSIG
    15,   // F_SETOWN_EX
    1024, // F_SETLEASE
];
