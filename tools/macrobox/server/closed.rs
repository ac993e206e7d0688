// SPDX-License-Identifier: MIT OR Apache-2.0

//! A child closes itself in, before it loads anything.

use crate::message::{Allow, Limits};
use crate::rules::*;
use crate::supervise::Policy;
use crate::sys::{self, check};
use std::ffi::{CString, c_int, c_long};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const CREATE_RULESET: c_long = 444;
const ADD_RULE: c_long = 445;
const RESTRICT_SELF: c_long = 446;

/// The kernel's landlock version, 0 for none.
pub fn landlock_version() -> u32 {
    // SAFETY: with no attribute and this flag the call only answers a number.
    let version = unsafe { sys::syscall(CREATE_RULESET, 0usize, 0usize, 1u32) };
    u32::try_from(version).unwrap_or(0)
}

/// True if this kernel filters system calls.
pub fn has_seccomp() -> bool {
    let action: u32 = 0x7fff_0000; // is SECCOMP_RET_ALLOW known?
    // SAFETY: the call reads the four bytes of `action`, which live through it.
    unsafe { sys::syscall(sys::SECCOMP, 2u32, 0u32, &action) == 0 }
}

/// A set of rules under which files change only in `folders` (and `/dev/null` swallows writes):
/// made once by the server, entered by each child.
pub fn ruleset(version: u32, folders: &[String], network: bool) -> io::Result<OwnedFd> {
    let write_file = 1u64 << 1;
    let mut changes = write_file | 0b1_1111_1111 << 4;
    for (since, right) in [(2, 13), (3, 14), (5, 15)] {
        changes |= if version >= since { 1 << right } else { 0 };
    }
    let net = if version >= 4 && !network { 0b11u64 } else { 0 };
    let scoped = if version >= 6 { 0b11u64 } else { 0 };
    let attribute = [changes, net, scoped];
    let size = match version {
        ..4 => 8usize,
        4..6 => 16,
        _ => 24,
    };
    // SAFETY: the kernel reads `size` bytes of `attribute`, which has 24.
    let made = unsafe { sys::syscall(CREATE_RULESET, &attribute, size, 0u32) };
    let made = check(made)? as c_int;
    // SAFETY: the kernel has just made the descriptor, for us alone.
    let made = unsafe { OwnedFd::from_raw_fd(made) };
    let truncate = changes & 1 << 14;
    add_rule(&made, "/dev/null", write_file | truncate)?;
    for folder in folders {
        // Devices are neither made nor driven there.
        let (make_character, make_block, drive) = (1 << 6, 1 << 11, 1 << 15);
        add_rule(&made, folder, changes & !(make_character | make_block | drive)).map_err(
            |error| {
                let why =
                    format!("the folder `{folder}` cannot be let through (--allow-write): {error}");
                io::Error::new(error.kind(), why)
            },
        )?;
    }
    Ok(made)
}

fn add_rule(ruleset: &OwnedFd, path: &str, allowed: u64) -> io::Result<()> {
    let path = CString::new(path)?;
    // SAFETY: `path` is a C string that lives through the call.
    let parent = check(unsafe { sys::open(path.as_ptr(), sys::O_PATH | sys::O_CLOEXEC) })? as c_int;
    let mut rule = [0u8; 12];
    rule[..8].copy_from_slice(&allowed.to_ne_bytes());
    rule[8..].copy_from_slice(&parent.to_ne_bytes());
    // SAFETY: the kernel reads the packed struct of 12 bytes, a mask and a descriptor.
    let added = check(unsafe { sys::syscall(ADD_RULE, ruleset.as_raw_fd(), 1u32, &rule, 0u32) });
    // SAFETY: `parent` was opened above and is used nowhere else.
    unsafe { sys::close(parent) };
    added.map(drop)
}

/// One instruction of a filter: code, jump if true, jump if false, constant.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Instruction(u16, u8, u8, u32);

#[repr(C)]
struct Program {
    length: u16,
    instructions: *const Instruction,
}

const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_SET: u16 = 0x45;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const fn errno(code: u32) -> u32 {
    0x0005_0000 | code
}
const NOT_PERMITTED: u32 = errno(1);
const NO_SUCH_CALL: u32 = errno(38);
/// Where the low half of argument `n` lies.
const fn argument(n: u32) -> u32 {
    16 + 8 * n
}

/// May this call pass, by what is allowed?
pub fn passes(about: About, allow: &Allow) -> bool {
    match about {
        About::Network => allow.network,
        About::Exec => allow.exec,
        About::Path(_) | About::Thread | About::Random | About::System => false,
    }
}

/// The filter of the process `pid`. Where it is watched, calls of interest go to the server first.
fn filter(pid: u32, policy: &Policy) -> Vec<Instruction> {
    let Policy { allow, watch, runs_program, .. } = policy;
    let watch = watch.touches;
    let mut code = vec![
        Instruction(LOAD, 0, 0, 4),
        Instruction(JUMP_IF_EQUAL, 1, 0, 0xc000_003e), // x86-64
        Instruction(RETURN, 0, 0, KILL_PROCESS),
        Instruction(LOAD, 0, 0, 0),
        Instruction(JUMP_IF_AT_LEAST, 0, 1, 0x4000_0000), // the x32 calls, all of them
        Instruction(RETURN, 0, 0, NO_SUCH_CALL),
    ];
    // Equal: fall into the answer. Otherwise: skip it.
    let mut answer = |number: c_long, answer: &[Instruction]| {
        code.push(Instruction(JUMP_IF_EQUAL, 0, answer.len() as u8, number as u32));
        code.extend_from_slice(answer);
    };
    let result = |action| Instruction(RETURN, 0, 0, action);
    if !allow.exec && !watch {
        // Threads only.
        let thread = 0x1_0000;
        answer(
            CLONE,
            &[
                Instruction(LOAD, 0, 0, argument(0)),
                Instruction(JUMP_IF_SET, 1, 0, thread),
                result(NOT_PERMITTED),
                result(ALLOW),
            ],
        );
    }
    // Its flags are hidden behind a pointer, from the filter and from who watches: glibc falls back to
    // clone.
    if !allow.exec || watch {
        answer(CLONE3, &[result(NO_SUCH_CALL)]);
    }
    for number in [KILL, TGKILL] {
        answer(
            number,
            &[
                Instruction(LOAD, 0, 0, argument(0)),
                Instruction(JUMP_IF_EQUAL, 1, 0, pid),
                result(NOT_PERMITTED),
                result(ALLOW),
            ],
        );
    }
    // Reading a limit is fine, setting one is not: both halves of the pointer must be zero.
    answer(
        PRLIMIT64,
        &[
            Instruction(LOAD, 0, 0, argument(2)),
            Instruction(JUMP_IF_EQUAL, 0, 2, 0),
            Instruction(LOAD, 0, 0, argument(2) + 4),
            Instruction(JUMP_IF_EQUAL, 1, 0, 0),
            result(NOT_PERMITTED),
            result(ALLOW),
        ],
    );
    answer(IOCTL, &by_argument(1, IOCTLS, ALLOW, NOT_PERMITTED));
    answer(FCNTL, &by_argument(1, REFUSED_FCNTLS, NOT_PERMITTED, ALLOW));
    // A program takes the place of its process: it starts no other.
    let becomes = |number| *runs_program && [EXECVE, EXECVEAT].contains(&number);
    let refused_or_watched = REFUSED.iter().filter(|(.., about)| watch || !passes(*about, allow));
    let mut numbers: Vec<c_long> = refused_or_watched.map(|(number, ..)| *number).collect();
    numbers.retain(|number| !becomes(*number));
    numbers.extend(WATCHED.iter().filter(|_| watch).map(|(number, ..)| *number));
    numbers.sort_unstable();
    let refused = result(if watch { NOTIFY } else { NOT_PERMITTED });
    search(&numbers, refused, &mut code);
    code
}

/// One action where the low half of argument `n`, which is all that the kernel reads of it, is
/// `listed`, and another for the `rest`.
fn by_argument(n: u32, numbers: &[u32], listed: u32, rest: u32) -> Vec<Instruction> {
    let mut code = vec![Instruction(LOAD, 0, 0, argument(n))];
    for (index, number) in numbers.iter().enumerate() {
        code.push(Instruction(JUMP_IF_EQUAL, (numbers.len() - index) as u8, 0, *number));
    }
    code.extend([rest, listed].map(|action| Instruction(RETURN, 0, 0, action)));
    code
}

/// A binary search for the call's number. The kernel runs the filter once over every number when a
/// child installs it: one comparison after the other took a fifth of a small expansion's time.
fn search(numbers: &[c_long], refused: Instruction, code: &mut Vec<Instruction>) {
    if numbers.len() <= 4 {
        for (index, number) in numbers.iter().enumerate() {
            let to_the_end = (numbers.len() - index) as u8;
            code.push(Instruction(JUMP_IF_EQUAL, to_the_end, 0, *number as u32));
        }
        code.extend([Instruction(RETURN, 0, 0, ALLOW), refused]);
        return;
    }
    let (lower, upper) = numbers.split_at(numbers.len() / 2);
    let branch = code.len();
    code.push(refused);
    search(lower, refused, code);
    let over_lower = (code.len() - branch - 1) as u8;
    code[branch] = Instruction(JUMP_IF_AT_LEAST, over_lower, 0, upper[0] as u32);
    search(upper, refused, code);
}

/// The lower half must be passed by a jump of eight bits: at most two and a half instructions a
/// number.
const _: () = assert!((REFUSED.len() + WATCHED.len()) / 2 * 5 / 2 < 255);

/// Applies the limits to this process.
pub fn limit(limits: &Limits) -> io::Result<()> {
    let (cpu, file_size, core, descriptors, memory) = (0, 1, 4, 7, 9);
    let seconds = u64::from(limits.cpu_seconds);
    let each = [
        (core, 0, 0, true),
        (cpu, seconds, seconds + 1, seconds > 0),
        (file_size, limits.output, limits.output, limits.output > 0),
        (descriptors, limits.descriptors.into(), limits.descriptors.into(), limits.descriptors > 0),
        (memory, limits.memory, limits.memory, limits.memory > 0),
    ];
    for (resource, soft, hard, wanted) in each {
        if wanted {
            set_limit(resource, soft, hard)?;
        }
    }
    Ok(())
}

/// Not above the hard limit that this process was started with, which only root may raise.
fn set_limit(resource: c_int, soft: u64, hard: u64) -> io::Result<()> {
    // SAFETY: the kernel reads the two numbers, which live through the call.
    let set = |limit: [u64; 2]| check(unsafe { sys::setrlimit(resource, &limit) });
    if set([soft, hard]).is_err() {
        let mut now = [0; 2];
        // SAFETY: the kernel writes two numbers.
        check(unsafe { sys::getrlimit(resource, &mut now) })?;
        let hard = hard.min(now[1]);
        set([soft.min(hard), hard])?;
    }
    Ok(())
}

/// Enters `ruleset` and the filter, for good. Where it is watched, the descriptor to listen at; else -1.
pub fn enter(ruleset: Option<c_int>, policy: &Policy, seccomp: bool) -> io::Result<c_int> {
    // SAFETY: numbers only.
    check(unsafe { sys::prctl(sys::PR_SET_NO_NEW_PRIVS, 1usize, 0usize, 0usize, 0usize) })?;
    if let Some(ruleset) = ruleset {
        // SAFETY: numbers only.
        check(unsafe { sys::syscall(RESTRICT_SELF, ruleset, 0u32) })?;
    }
    if !seccomp {
        return Ok(-1);
    }
    // SAFETY: takes nothing.
    let pid = unsafe { sys::getpid() } as u32;
    let code = filter(pid, policy);
    let watch = policy.watch.touches;
    let program = Program { length: code.len() as u16, instructions: code.as_ptr() };
    let listen = if watch { 1u32 << 3 } else { 0 };
    // SAFETY: `program` points to `length` instructions of `code`; both live through the call.
    let listener = check(unsafe { sys::syscall(sys::SECCOMP, 1u32, listen, &program) })?;
    Ok(if watch { listener as c_int } else { -1 })
}
