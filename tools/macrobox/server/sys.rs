// SPDX-License-Identifier: MIT OR Apache-2.0

//! The system calls that the server needs and std does not offer. x86-64 Linux.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::io;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the box knows the system calls of x86-64 Linux only");

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PollFd {
    pub fd: c_int,
    pub events: i16,
    pub revents: i16,
}

#[repr(C)]
#[derive(Default)]
pub struct Usage {
    pub user: [i64; 2],
    pub system: [i64; 2],
    pub max_resident_kilobytes: i64,
    pub rest: [i64; 13],
}

unsafe extern "C" {
    pub fn fork() -> c_int;
    pub fn _exit(code: c_int) -> !;
    pub fn setsid() -> c_int;
    pub fn dup2(from: c_int, to: c_int) -> c_int;
    pub fn close(fd: c_int) -> c_int;
    pub fn pipe2(fds: *mut c_int, flags: c_int) -> c_int;
    pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    pub fn read(fd: c_int, buffer: *mut c_void, count: usize) -> isize;
    pub fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize;
    pub fn poll(fds: *mut PollFd, count: u64, timeout: c_int) -> c_int;
    pub fn kill(pid: c_int, signal: c_int) -> c_int;
    pub fn getpid() -> c_int;
    pub fn getppid() -> c_int;
    pub fn wait4(pid: c_int, status: *mut c_int, options: c_int, usage: *mut Usage) -> c_int;
    pub fn getrusage(who: c_int, usage: *mut Usage) -> c_int;
    pub fn prctl(option: c_int, ...) -> c_int;
    pub fn setrlimit(resource: c_int, limit: *const [u64; 2]) -> c_int;
    pub fn getrlimit(resource: c_int, limit: *mut [u64; 2]) -> c_int;
    pub fn clearenv() -> c_int;
    pub fn setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int;
    pub fn signal(signal: c_int, handler: usize) -> usize;
    pub fn ioctl(fd: c_int, request: u64, ...) -> c_int;
    pub fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub fn mkdtemp(template: *mut c_char) -> *mut c_char;
    pub fn syscall(number: c_long, ...) -> c_long;
    pub fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    pub fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    pub fn dlerror() -> *const c_char;
}

pub const O_RDWR: c_int = 2;
pub const O_PATH: c_int = 0o10_000_000;
pub const O_CLOEXEC: c_int = 0o2_000_000;
pub const F_DUPFD_CLOEXEC: c_int = 1030;
pub const F_SETFD: c_int = 2;
pub const F_SETFL: c_int = 4;
pub const O_NONBLOCK: c_int = 0o4000;
pub const POLLIN: i16 = 1;
pub const POLLHUP: i16 = 16;
pub const SIGKILL: c_int = 9;
/// SIGHUP, SIGINT, SIGPIPE and SIGTERM, which the server ignores and a child does not.
pub const IGNORED: [c_int; 4] = [1, 2, 13, 15];
pub const PR_SET_PDEATHSIG: c_int = 1;
pub const PR_SET_NO_NEW_PRIVS: c_int = 38;
pub const CLOSE_RANGE: c_long = 436;
pub const SECCOMP: c_long = 317;
pub const PIDFD_OPEN: c_long = 434;
pub const PIDFD_GETFD: c_long = 438;
pub const PROCESS_VM_READV: c_long = 310;

/// A call's result, with errno where it failed.
pub fn check(result: impl Into<i64>) -> io::Result<i64> {
    match result.into() {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}

/// Writes all of `bytes` to `fd`.
pub fn write_all(fd: c_int, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: `bytes` is live and as long as said; the kernel only reads it.
        match check(unsafe { write(fd, bytes.as_ptr().cast(), bytes.len()) } as i64) {
            Ok(count) => bytes = &bytes[count as usize..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads once into `buffer`; 0 at the end.
pub fn read_some(fd: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        // SAFETY: `buffer` is live, writable and as long as said.
        match check(unsafe { read(fd, buffer.as_mut_ptr().cast(), buffer.len()) } as i64) {
            Ok(count) => return Ok(count as usize),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads once, behind what `bytes` hold; 0 at the end. The room doubles, to a megabyte.
pub fn read_more(fd: c_int, bytes: &mut Vec<u8>) -> io::Result<usize> {
    bytes.reserve(8 * 1024);
    let before = bytes.len();
    let room = bytes.spare_capacity_mut();
    let most = room.len().min(1024 * 1024);
    loop {
        // SAFETY: the room is live and writable, and at least so long; what the kernel has written is
        // counted only then.
        match check(unsafe { read(fd, room.as_mut_ptr().cast(), most) } as i64) {
            Ok(count) => {
                // SAFETY: the kernel has written so many bytes behind the former ones.
                unsafe { bytes.set_len(before + count as usize) };
                return Ok(count as usize);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// One frame: four bytes of length, then so many bytes. None at the end.
pub fn read_frame(fd: c_int) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 4];
    if !read_exact(fd, &mut head)? {
        return Ok(None);
    }
    let mut frame = vec![0; u32::from_le_bytes(head) as usize];
    if !read_exact(fd, &mut frame)? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(frame))
}

fn read_exact(fd: c_int, mut buffer: &mut [u8]) -> io::Result<bool> {
    while !buffer.is_empty() {
        match read_some(fd, buffer)? {
            0 => return Ok(false),
            count => buffer = &mut buffer[count..],
        }
    }
    Ok(true)
}

/// Writes what [`read_frame`] gave.
pub fn write_frame(fd: c_int, bytes: &[u8]) -> io::Result<()> {
    write_all(fd, &(bytes.len() as u32).to_le_bytes())?;
    write_all(fd, bytes)
}

/// CPU nanoseconds and most bytes of memory of this process so far.
pub fn own_usage() -> (u64, u64) {
    let mut usage = Usage::default();
    // SAFETY: the kernel fills `usage`; 0 is the calling process.
    unsafe { getrusage(0, &mut usage) };
    usage.totals()
}

impl Usage {
    /// CPU nanoseconds and most bytes of memory.
    pub fn totals(&self) -> (u64, u64) {
        let time = |[seconds, micros]: [i64; 2]| (seconds * 1_000_000 + micros) as u64 * 1_000;
        (time(self.user) + time(self.system), self.max_resident_kilobytes as u64 * 1024)
    }
}
