// SPDX-License-Identifier: MIT OR Apache-2.0

//! Hears what a watched child asks of the kernel, before it is done.

use crate::closed;
use crate::message::Allow;
use crate::rules::{About, CLONE, REFUSED, WATCHED};
use crate::sys::{self, check};
use std::ffi::{c_int, c_long, c_void};
use std::io;

const RECEIVE: u64 = 0xc050_2100;
const SEND: u64 = 0xc018_2101;
/// More lines than anyone reads. What comes after them is not noted, which [`FULL`] says.
const MOST: usize = 10_000;
/// The line after the last that is noted: the rest goes unseen.
pub const FULL: &str = "full\t\t\tpassed";
/// The line that stands where the library is loaded: before it, some reads are the loader's own. A
/// macro that makes the same call says only that it is being heard already.
pub const LOADED: &str = "loaded\t\t\tpassed";
const GETRANDOM: c_long = 318;
const THREAD: u64 = 0x1_0000; // CLONE_THREAD; without it a process is made
const STAT_OPEN_FILE: u64 = 0x1000; // AT_EMPTY_PATH

#[repr(C)]
#[derive(Default)]
struct Notification {
    id: u64,
    pid: u32,
    flags: u32,
    number: c_int,
    arch: u32,
    instruction: u64,
    arguments: [u64; 6],
}

#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

pub struct Listener {
    fd: c_int,
    started: bool,
    pub touches: Vec<String>,
}

impl Listener {
    /// Takes the listener `fd` out of the child `pid`.
    pub fn fetch(pid: c_int, fd: c_int) -> io::Result<Self> {
        // SAFETY: numbers only; the second descriptor is closed before anyone else sees it.
        let fd = unsafe {
            let process = check(sys::syscall(sys::PIDFD_OPEN, pid, 0u32))?;
            let fd = check(sys::syscall(sys::PIDFD_GETFD, process as c_int, fd, 0u32));
            sys::close(process as c_int);
            fd? as c_int
        };
        Ok(Listener { fd, started: false, touches: Vec::new() })
    }

    pub fn fd(&self) -> c_int {
        self.fd
    }

    /// Notes one call and lets it pass or fail.
    pub fn hear(&mut self, allow: &Allow) -> io::Result<()> {
        let mut heard = Notification::default();
        // SAFETY: the kernel fills the 80 bytes of `heard`, which are zero as it demands.
        check(unsafe { sys::ioctl(self.fd, RECEIVE, &mut heard) })?;
        let number = c_long::from(heard.number);
        let refused = REFUSED.iter().find(|(known, ..)| *known == number);
        let known = refused.or_else(|| WATCHED.iter().find(|(known, ..)| *known == number));
        let about = known.map_or(About::System, |(_, _, about)| *about);
        let name = known.map_or("?", |(_, name, _)| name);
        let thread = heard.arguments[0] & THREAD != 0;
        let fails = match number {
            CLONE => !thread && !allow.exec,
            _ => refused.is_some() && !closed::passes(about, allow),
        };
        // The first is the child's own sign that it is ready.
        if std::mem::replace(&mut self.started, true) {
            let is_sign = number == GETRANDOM && heard.arguments[..2] == [0, 0];
            match self.touches.len() {
                ..MOST if is_sign => self.touches.push(LOADED.into()),
                ..MOST if is_of_open_file(name, &heard) => {}
                ..MOST => self.touches.push(describe(name, about, &heard, fails)),
                MOST => self.touches.push(FULL.into()),
                _ => {}
            }
        }
        let response = Response {
            id: heard.id,
            value: 0,
            error: if fails { -1 } else { 0 },
            flags: u32::from(!fails),
        };
        // SAFETY: the kernel reads the 24 bytes of `response`. It fails where the child is gone.
        let _ = unsafe { sys::ioctl(self.fd, SEND, &response) };
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // SAFETY: the listener's own descriptor.
        unsafe { sys::close(self.fd) };
    }
}

/// The size and kind of a file that is open already, whose opening was noted.
fn is_of_open_file(name: &str, heard: &Notification) -> bool {
    let flags = match name {
        "newfstatat" => heard.arguments[3],
        "statx" => heard.arguments[2],
        _ => 0,
    };
    // With a path in spite of the flag, it is of the file at that path.
    let has_path = heard.arguments[1] != 0 && !read_path(heard.pid, heard.arguments[1]).is_empty();
    flags & STAT_OPEN_FILE != 0 && !has_path
}

/// One line: what, how, which, and whether it was refused.
fn describe(name: &str, about: About, heard: &Notification, fails: bool) -> String {
    let what = match about {
        About::Network => "net".to_owned(),
        About::Exec => "exec".to_owned(),
        About::Thread if heard.arguments[0] & THREAD == 0 => "exec".to_owned(),
        About::Thread => "thread".to_owned(),
        About::Random => "random".to_owned(),
        About::System => "system".to_owned(),
        About::Path(at) => {
            let writes = match name {
                "open" => heard.arguments[1] & 0o1103 != 0,
                "openat" => heard.arguments[2] & 0o1103 != 0,
                // Its flags are the first number of a struct; what cannot be read may write.
                "openat2" => flags_of(heard.pid, heard.arguments[2]) & 0o1103 != 0,
                "stat" | "lstat" | "newfstatat" | "statx" | "access" | "faccessat"
                | "faccessat2" | "readlink" | "readlinkat" => false,
                _ => true,
            };
            let path = read_path(heard.pid, heard.arguments[at]);
            return line(if writes { "fs-write" } else { "fs-read" }, name, &path, fails);
        }
    };
    let detail =
        if name == "execve" { read_path(heard.pid, heard.arguments[0]) } else { String::new() };
    line(&what, name, &detail, fails)
}

fn line(what: &str, name: &str, detail: &str, fails: bool) -> String {
    format!("{what}\t{name}\t{detail}\t{}", if fails { "refused" } else { "passed" })
}

/// The C string at `address` in the process `pid`, as far as it can be read.
fn read_path(pid: u32, address: u64) -> String {
    let mut text = Vec::new();
    // Page by page: the string may end right before memory that is not there.
    while text.len() < 4096 {
        let Some(at) = address.checked_add(text.len() as u64) else { break };
        let mut page = vec![0u8; 4096 - (at % 4096) as usize];
        match read_memory(pid, at, &mut page) {
            // A process may keep others from reading it: the call is noted all the same.
            None if text.is_empty() && address != 0 => return "(unreadable)".into(),
            None => break,
            Some(count) => page.truncate(count),
        }
        if let Some(end) = page.iter().position(|byte| *byte == 0) {
            text.extend_from_slice(&page[..end]);
            break;
        }
        text.extend_from_slice(&page);
    }
    String::from_utf8_lossy(&text).replace(['\t', '\n'], " ")
}

/// The number at `address` in the process `pid`; all ones if it cannot be read.
fn flags_of(pid: u32, address: u64) -> u64 {
    let mut bytes = [0; 8];
    match read_memory(pid, address, &mut bytes) {
        Some(8) => u64::from_ne_bytes(bytes),
        _ => u64::MAX,
    }
}

/// Reads into `buffer` from `address` in the process `pid`; how much, if any.
fn read_memory(pid: u32, address: u64, buffer: &mut [u8]) -> Option<usize> {
    let local = [buffer.as_mut_ptr() as u64, buffer.len() as u64];
    let remote = [address, buffer.len() as u64];
    // SAFETY: one local and one remote range; the kernel writes at most `buffer.len()` bytes into
    // `buffer`, and fails where the other process has no such memory.
    let count = unsafe {
        sys::syscall(
            sys::PROCESS_VM_READV,
            pid,
            (&raw const local).cast::<c_void>(),
            1usize,
            (&raw const remote).cast::<c_void>(),
            1usize,
            0usize,
        )
    };
    usize::try_from(count).ok().filter(|count| *count > 0)
}
