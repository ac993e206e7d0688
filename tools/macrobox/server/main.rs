// SPDX-License-Identifier: MIT OR Apache-2.0

//! The trusted server: never loads a library, forks a child per request, waits for it with limits.
//!
//! Built by the tool with the user's own compiler, so that its bridge is the one that the macro
//! libraries were built against. Its standard input is the socket to the tool.

#![feature(proc_macro_internals, proc_macro_diagnostic)]
#![allow(internal_features)]
#![deny(unsafe_op_in_unsafe_fn)]

extern crate proc_macro;

mod bridge;
mod child;
mod client;
mod closed;
mod empty;
mod lex;
mod listen;
mod message;
mod rules;
mod say;
mod seen;
mod supervise;
mod sys;
mod token;
mod wire;

use message::{Allow, Hello, PROTOCOL, Request};
use std::ffi::{CString, c_int};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use supervise::Spare;
use wire::Wire;

/// What every child needs and the server has made once.
struct Server {
    /// The socket to the tool.
    control: c_int,
    null: c_int,
    landlock: u32,
    seccomp: bool,
    scratch: String,
    /// The scratch folder itself: while it is locked, no other program sweeps it away.
    _lock: Option<File>,
    /// The last rules, and for which folders and network they were made.
    rules: Option<(Vec<String>, bool, OwnedFd)>,
    /// The last child, killed and not yet taken away.
    killed: Option<c_int>,
    /// The next child.
    spare: Option<Spare>,
}

fn main() {
    if let Err(error) = serve() {
        eprintln!("macrobox-server: {error}");
        std::process::exit(1);
    }
}

fn serve() -> io::Result<()> {
    let mut server = Server::new()?;
    let hello = Hello {
        protocol: PROTOCOL,
        landlock: server.landlock,
        seccomp: server.seccomp,
        scratch: server.scratch.clone(),
        is_nameless: cfg!(nameless),
    };
    sys::write_all(server.control, &wire::frame(|w| hello.write(w)))?;
    while let Some(frame) = sys::read_frame(server.control)? {
        let request: Request = wire::decode(&frame)
            .map_err(|_| io::Error::other("a request that this server does not understand"))?;
        let reply = supervise::run(&mut server, &request, &frame)?;
        sys::write_all(server.control, &wire::frame(|w| reply.write(w)))?;
        server.tidy();
    }
    Ok(())
}

impl Server {
    fn new() -> io::Result<Self> {
        // What ends the tool's whole group, as Ctrl-C does, ends the tool: the server then sees the
        // socket close, and cleans up.
        for signal in sys::IGNORED {
            // SAFETY: 1 is SIG_IGN; no handler of ours exists.
            unsafe { sys::signal(signal, 1) };
        }
        // The socket leaves descriptor 0, far from the numbers that a library may write to.
        // SAFETY: numbers and a C string literal; descriptor 0 is ours alone from here on.
        let (control, null) = unsafe {
            let control = sys::check(sys::fcntl(0, sys::F_DUPFD_CLOEXEC, 60))? as c_int;
            let null = sys::check(sys::open(c"/dev/null".as_ptr(), sys::O_RDWR | sys::O_CLOEXEC))?;
            sys::check(sys::dup2(null as c_int, 0))?;
            (control, null as c_int)
        };
        let folder = std::env::temp_dir().join("macrobox-scratch-XXXXXX");
        let template = CString::new(folder.into_os_string().into_encoded_bytes())?.into_raw();
        // SAFETY: a writable C string from `into_raw`, taken back right after, of the same length.
        let scratch = unsafe {
            let made = sys::mkdtemp(template);
            let name = CString::from_raw(template);
            if made.is_null() {
                return Err(io::Error::last_os_error());
            }
            name
        };
        let scratch = scratch.into_string().map_err(io::Error::other)?;
        let lock = File::open(&scratch).and_then(|folder| folder.lock().map(|()| folder));
        Ok(Server {
            control,
            null,
            landlock: closed::landlock_version(),
            seccomp: closed::has_seccomp(),
            scratch,
            _lock: lock.ok(), // then the folder stays if both programs are killed
            rules: None,
            killed: None,
            spare: None,
        })
    }

    /// The rules for writing below `folders`, made anew only if they changed.
    fn rules(&mut self, allow: &Allow) -> io::Result<Option<c_int>> {
        if self.landlock == 0 || allow.everything {
            return Ok(None);
        }
        if let Some((folders, network, rules)) = &self.rules {
            if *folders == allow.write && *network == allow.network {
                return Ok(Some(rules.as_raw_fd()));
            }
        }
        self.rules = None; // also if no others can be made
        let mut folders = allow.write.clone();
        folders.push(self.scratch.clone());
        let rules = closed::ruleset(self.landlock, &folders, allow.network)?;
        let number = rules.as_raw_fd();
        self.rules = Some((allow.write.clone(), allow.network, rules));
        Ok(Some(number))
    }

    /// Waits for the last child's end: until then it may still write.
    pub(crate) fn bury(&mut self) {
        if let Some(pid) = self.killed.take() {
            supervise::await_end(pid);
        }
    }

    /// Empties the scratch folder between two expansions.
    fn tidy(&mut self) {
        let folder = Path::new(&self.scratch);
        let is_empty = std::fs::read_dir(folder).is_ok_and(|mut all| all.next().is_none());
        if !is_empty {
            self.bury();
            empty::empty(Path::new(&self.scratch));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.bury();
        let _ = empty::remove(Path::new(&self.scratch)); // if it stays, the tool tries it once more
    }
}
