// SPDX-License-Identifier: MIT OR Apache-2.0

//! System-call filters, as a sandbox would install them: refused calls answer EPERM.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io;

const NUMBER: u32 = 0; // offset of seccomp_data.nr
const THIRD_ARGUMENT: u32 = 16 + 2 * 8; // the low half of args[2] (little endian)

fn instruction(code: u32, k: u32, jump_true: u8, jump_false: u8) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: jump_true, jf: jump_false, k }
}

fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn install(mut program: Vec<libc::sock_filter>) {
    let answer = |value| instruction(libc::BPF_RET | libc::BPF_K, value, 0, 0);
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    program.push(answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32));
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: prctl reads its integers, and the program while it lasts.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_TSYNC,
                &raw const filter,
            ) == 0
    };
    assert!(installed, "seccomp: {}", io::Error::last_os_error());
}

/// From here on, membarrier(2) answers EPERM on every thread.
pub fn refuse_membarrier() {
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    install(vec![load(NUMBER), instruction(equal, libc::SYS_membarrier as u32, 1, 0)]);
    // SAFETY: a query without arguments.
    assert_eq!(unsafe { libc::syscall(libc::SYS_membarrier, 0, 0) }, -1);
}

/// From here on, no executable memory can be made.
pub fn refuse_executable_memory() {
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let any_bit = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
    install(vec![
        load(NUMBER),
        instruction(equal, libc::SYS_mmap as u32, 2, 0),
        instruction(equal, libc::SYS_mprotect as u32, 1, 0),
        instruction(equal, libc::SYS_pkey_mprotect as u32, 0, 2),
        load(THIRD_ARGUMENT),
        instruction(any_bit, libc::PROT_EXEC as u32, 1, 0),
    ]);
    // SAFETY: an anonymous mapping that is refused.
    let page = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_EXEC,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_eq!(page, libc::MAP_FAILED, "the filter does not refuse executable memory");
}
