// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an end before the end has to take along: folders that are ours for a while, and programs that
//! run in process groups of their own.
//!
//! # State
//! One list of what there is now, behind a lock. Each entry is made with the lock held, so that none is
//! missed, and goes when its [`Kept`] does. A program that calls [`watch`] has a thread that a signal
//! wakes: it takes the lock for good, ends the groups, removes the folders, and lets the signal end the
//! program. The handler itself writes one byte to a pipe, and no more.

use crate::{empty, scratch};
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

static ENTRIES: Mutex<Vec<(u64, Entry)>> = Mutex::new(Vec::new());

enum Entry {
    Folder(PathBuf),
    /// One that the next program to end removes if this one is killed.
    Scratch(PathBuf, #[allow(dead_code, reason = "holds its lock")] File),
    /// The group's number.
    Group(libc::pid_t),
}

/// Dropping it removes the folder; a program's end is its owner's business.
pub(crate) struct Kept(u64);

impl Drop for Kept {
    fn drop(&mut self) {
        let mut entries = entries();
        if let Some(at) = entries.iter().position(|(number, _)| *number == self.0)
            && let (_, Entry::Folder(path) | Entry::Scratch(path, _)) = entries.swap_remove(at)
        {
            let _ = empty::remove(&path);
        }
    }
}

fn entries() -> MutexGuard<'static, Vec<(u64, Entry)>> {
    ENTRIES.lock().unwrap_or_else(|held| held.into_inner())
}

fn keep(entries: &mut Vec<(u64, Entry)>, entry: Entry) -> Kept {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    entries.push((number, entry));
    Kept(number)
}

/// Makes the folder `path`, in place of an old one.
pub(crate) fn folder(path: &Path) -> io::Result<Kept> {
    let mut entries = entries();
    let _ = std::fs::remove_dir_all(path);
    std::fs::create_dir_all(path)?;
    Ok(keep(&mut entries, Entry::Folder(path.into())))
}

/// Makes a new folder for temporary files, readable by nobody else.
pub(crate) fn temporary_folder() -> io::Result<(PathBuf, Kept)> {
    let mut entries = entries();
    let (path, lock) = scratch::make()?;
    Ok((path.clone(), keep(&mut entries, Entry::Scratch(path, lock))))
}

/// Starts `command` as the leader of a process group. It ends with the calling thread: also if that is
/// killed.
pub(crate) fn spawn(command: &mut Command) -> io::Result<(Child, Kept)> {
    let mut entries = entries();
    let parent = std::process::id();
    // SAFETY: between fork and exec only two system calls are made.
    unsafe { command.pre_exec(move || end_with(parent)) };
    let child = command.process_group(0).spawn()?;
    let group = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    Ok((child, keep(&mut entries, Entry::Group(group))))
}

/// This process, and what it executes, ends when the thread of `parent` that started it does.
fn end_with(parent: u32) -> io::Result<()> {
    end_with_parent()?;
    // SAFETY: takes nothing.
    match libc::pid_t::try_from(parent) == Ok(unsafe { libc::getppid() }) {
        true => Ok(()),
        false => Err(io::ErrorKind::NotFound.into()), // it has ended already
    }
}

/// The same, for who does not know its parent's number.
pub(crate) fn end_with_parent() -> io::Result<()> {
    // SAFETY: numbers only.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Runs `command` in a process group to its end.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (child, _kept) = spawn(command)?;
    child.wait_with_output()
}

/// Where the handler writes.
static PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tell(signal: c_int) {
    let byte = signal as u8;
    // SAFETY: one live byte; `write` may be called in a signal handler.
    unsafe { libc::write(PIPE.load(Relaxed), (&raw const byte).cast(), 1) };
}

/// From here on a signal that ends this program takes along what is on the list.
pub(crate) fn watch() {
    let mut ends = [0; 2];
    // SAFETY: two numbers are written.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return; // then signals end it as they always did
    }
    let [awaited, written] = ends;
    PIPE.store(written, Relaxed);
    let thread = std::thread::Builder::new().name("interrupt".into());
    if thread.spawn(move || end_on(awaited)).is_err() {
        return;
    }
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler makes one call that is allowed in one. Who started this program with
        // the signal ignored, as shells do in the background, still has it ignored.
        unsafe {
            if libc::signal(signal, tell as extern "C" fn(c_int) as libc::sighandler_t)
                == libc::SIG_IGN
            {
                libc::signal(signal, libc::SIG_IGN);
            }
        }
    }
}

fn end_on(awaited: c_int) {
    let mut byte = 0u8;
    // SAFETY: the pipe's end is this thread's own, and one byte is written to a live one.
    while unsafe { libc::read(awaited, (&raw mut byte).cast(), 1) } != 1 {}
    let entries = entries(); // for good: nothing is begun any more, and nobody returns from waiting
    for (_, entry) in &*entries {
        if let Entry::Group(group) = entry {
            // SAFETY: a number. The group's leader is taken away only just before its entry goes.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }
    for (_, entry) in &*entries {
        if let Entry::Folder(path) | Entry::Scratch(path, _) = entry {
            // What was killed may not be gone yet, and still write.
            for _ in 0..50 {
                if empty::remove(path).is_ok() || !path.exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    }
    // SAFETY: the default action, and so this program's end.
    unsafe {
        libc::signal(byte.into(), libc::SIG_DFL);
        libc::raise(byte.into());
    }
}
