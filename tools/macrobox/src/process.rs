// SPDX-License-Identifier: MIT OR Apache-2.0

//! The server's process and the socket to it.

use crate::message::{Hello, PROTOCOL, Reply, Request};
use crate::wire::{Wire, decode, frame};
use crate::{Error, empty, scratch};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the server itself needs to know: where temporary files go, and where libraries lie.
const KEPT: [&str; 2] = ["TMPDIR", "LD_LIBRARY_PATH"];

pub(crate) struct Process {
    child: Child,
    socket: UnixStream,
    pub(crate) hello: Hello,
}

impl Process {
    pub(crate) fn start(server: &Path) -> Result<Self, Error> {
        let failed = || Error::io(format!("starting {}", server.display()));
        let (socket, theirs) = UnixStream::pair().map_err(failed())?;
        let child = Command::new(server)
            .env_clear() // a macro can read what its process was started with
            .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed())?;
        let scratch = String::new();
        let hello = Hello { protocol: 0, landlock: 0, seccomp: false, scratch, is_nameless: false };
        let mut process = Process { child, socket, hello };
        let frame = process.receive().map_err(failed())?;
        process.hello = decode(&frame)
            .ok()
            .filter(|hello: &Hello| hello.protocol == PROTOCOL)
            .ok_or_else(|| Error::Cargo("the built server speaks another protocol".into()))?;
        Ok(process)
    }

    pub(crate) fn ask(&mut self, request: &Request) -> std::io::Result<Reply> {
        send_all(&self.socket, &frame(|w| request.write(w)))?;
        decode(&self.receive()?).map_err(|error| std::io::Error::other(error.to_string()))
    }

    fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.socket.read_exact(&mut head)?;
        let mut frame = vec![0; u32::from_le_bytes(head) as usize];
        self.socket.read_exact(&mut frame)?;
        Ok(frame)
    }

    /// The server's process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

/// Sends all of `bytes`. If the other end is gone that is an error, and not the end of a program to which
/// SIGPIPE means its own.
pub(crate) fn send_all(socket: &UnixStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the descriptor is the socket's, and the kernel reads live bytes only.
        let sent = unsafe {
            libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL)
        };
        match usize::try_from(sent) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(_) => {
                let error = std::io::Error::last_os_error();
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

impl Drop for Process {
    fn drop(&mut self) {
        // The server sees the end, removes its scratch folder and goes.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let _ = self.child.wait();
        // Still there only if the server was killed.
        if !self.hello.scratch.is_empty() {
            let _ = empty::remove(self.hello.scratch.as_ref());
        }
        scratch::sweep(); // of others that were killed
    }
}
