// SPDX-License-Identifier: MIT OR Apache-2.0

//! One request: a child of its own, heard with limits, killed, and how it ended.
//!
//! The next child is made while one works, closed in and waiting, so that a request pays neither for
//! the fork nor for the box. Each still serves one request only.

use crate::Server;
use crate::child::{self, Inherited};
use crate::listen::Listener;
use crate::message::{Allow, Answer, End, Limits, Reply, Request, Watch};
use crate::say::ANSWER;
use crate::sys::{self, PollFd, check};
use crate::wire::{Wire, Writer};
use std::ffi::{CString, c_int};
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How many processes a macro may have that may start some, and how often they are counted.
const MOST_PROCESSES: usize = 256;
const COUNTED_EVERY: Duration = Duration::from_millis(50);

/// A pipe's reading end, and what has come through it.
struct Tap {
    fd: c_int,
    bytes: Vec<u8>,
    open: bool,
}

impl Tap {
    /// Reads what is there, until more than `most` has come. All that a pipe holds takes fewer turns,
    /// as the room doubles: who never stops writing does not hold the server up.
    fn fill(&mut self, most: usize) -> io::Result<()> {
        for _ in 0..16 {
            if self.bytes.len() > most {
                break;
            }
            match sys::read_more(self.fd, &mut self.bytes) {
                Ok(0) => {
                    self.open = false;
                    break;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// True once text that begins so has come, to its line's end.
    fn has_line(&self, beginning: &str) -> bool {
        let begin =
            self.bytes.windows(beginning.len()).position(|part| part == beginning.as_bytes());
        begin.is_some_and(|at| self.bytes[at..].contains(&b'\n'))
    }

    /// The frame in `bytes[at..]`, once it is whole.
    fn frame(&self, at: usize) -> Option<&[u8]> {
        let (head, rest) = self.bytes.get(at..)?.split_first_chunk::<4>()?;
        rest.get(..u32::from_le_bytes(*head) as usize)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // SAFETY: the tap's own descriptor.
        unsafe { sys::close(self.fd) };
    }
}

fn pipe() -> io::Result<(Tap, c_int)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors.
    check(unsafe { sys::pipe2(ends.as_mut_ptr(), sys::O_CLOEXEC) })?;
    // SAFETY: numbers; only our end must not block.
    check(unsafe { sys::fcntl(ends[0], sys::F_SETFL, sys::O_NONBLOCK) })?;
    Ok((Tap { fd: ends[0], bytes: Vec::new(), open: true }, ends[1]))
}

/// A reply without a child.
fn refuse(end: End, why: String) -> Reply {
    let mut answer = Writer::default();
    Answer { refusal: Some(why), ..Answer::default() }.write(&mut answer);
    Reply {
        end,
        code: 0,
        notes: Vec::new(),
        answer: answer.0,
        stdout: Vec::new(),
        stderr: Vec::new(),
        touches: Vec::new(),
        wall_nanoseconds: 0,
    }
}

/// What a child is closed in by: it is made before its request comes.
#[derive(Clone, PartialEq)]
pub struct Policy {
    pub limits: Limits,
    pub allow: Allow,
    pub watch: Watch,
    /// It becomes a program, and may load that.
    pub runs_program: bool,
}

impl Policy {
    fn of(request: &Request) -> Self {
        let Request { limits, allow, watch, program, .. } = request;
        let runs_program = program.is_some();
        Policy { limits: *limits, allow: allow.clone(), watch: watch.clone(), runs_program }
    }
}

/// A child that waits for its one request.
pub struct Spare {
    policy: Policy,
    child: Child,
    /// The pipe that its request goes into.
    request: c_int,
}

/// Answers one request, which came as `frame`.
pub fn run(server: &mut Server, request: &Request, frame: &[u8]) -> io::Result<Reply> {
    let policy = Policy::of(request);
    let means = [("landlock (version 3)", server.landlock >= 3), ("seccomp", server.seccomp)];
    if let Some((missing, _)) = means.iter().find(|(_, here)| !here)
        && !policy.allow.weak
        && !policy.allow.everything
    {
        let why = format!("this kernel has no {missing}: allow a weak box to go on");
        return Ok(refuse(End::Weak, why));
    }
    // The spare child is for the next expansion.
    let spare = if policy.runs_program { None } else { server.spare.take() };
    let spare = match spare {
        Some(spare) if spare.policy == policy => Ok(spare),
        other => {
            if let Some(spare) = other {
                spare.discard();
            }
            prepare(server, policy)
        }
    };
    let Spare { mut child, request: pipe, .. } = match spare {
        Ok(spare) => spare,
        Err(error) => {
            return Ok(refuse(End::Answered, format!("its process cannot be made: {error}")));
        }
    };
    child.start = Instant::now();
    // A child that could not close itself in has said so already, and does not read.
    let _ = sys::write_frame(pipe, frame);
    // SAFETY: the server's own end, not used again.
    unsafe { sys::close(pipe) };
    // While this child works: take the last one away, whose memory was taken apart meanwhile, and
    // make the next.
    server.bury();
    prepare_next(server, request);
    child.watch(server, request)
}

/// Makes the next child: it closes itself in and waits.
fn prepare_next(server: &mut Server, request: &Request) {
    let Watch { touches, debugger, .. } = request.watch;
    if !touches && !debugger && request.program.is_none() {
        server.spare = prepare(server, Policy::of(request)).ok();
    }
}

fn prepare(server: &mut Server, policy: Policy) -> io::Result<Spare> {
    let rules = server.rules(&policy.allow)?;
    let (answer, answer_end) = pipe()?;
    let (stdout, stdout_end) = pipe()?;
    let (stderr, stderr_end) = pipe()?;
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors.
    check(unsafe { sys::pipe2(ends.as_mut_ptr(), sys::O_CLOEXEC) })?;
    let [request_end, request] = ends;
    let scratch = CString::new(&*server.scratch)?;
    // SAFETY: takes nothing. The server has one thread, so the child has all it needs.
    let (parent, pid) = unsafe { (sys::getpid(), check(sys::fork())? as c_int) };
    if pid == 0 {
        let inherited = Inherited {
            null: server.null,
            stdout: stdout_end,
            stderr: stderr_end,
            answer: answer_end,
            request: request_end,
            rules,
            seccomp: server.seccomp,
            scratch,
            parent,
        };
        child::run(&policy, &inherited)
    }
    for end in [answer_end, stdout_end, stderr_end, request_end] {
        // SAFETY: the child's ends, which the server does not use.
        unsafe { sys::close(end) };
    }
    let taps = [answer, stdout, stderr];
    let child = Child { pid, taps, notes: 0..0, listener: None, start: Instant::now() };
    Ok(Spare { policy, child, request })
}

impl Spare {
    fn discard(self) {
        // SAFETY: the server's own end, not used again.
        unsafe { sys::close(self.request) };
        self.child.kill();
        await_end(self.child.pid);
    }
}

/// Takes away a killed child.
pub fn await_end(pid: c_int) {
    // SAFETY: writes nothing where there are no places for it.
    while unsafe { sys::wait4(pid, std::ptr::null_mut(), 0, std::ptr::null_mut()) } == -1 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
}

struct Child {
    pid: c_int,
    /// Answer, stdout, stderr.
    taps: [Tap; 3],
    /// Where in the answer's pipe the notes stand that have come.
    notes: Range<usize>,
    listener: Option<Listener>,
    start: Instant,
}

impl Child {
    fn watch(mut self, server: &mut Server, request: &Request) -> io::Result<Reply> {
        let ended = self.listen(server, request);
        let answered = self.answer();
        let (end, code) = match (ended, &answered) {
            (Ok(None), None) => self.reap(server, request)?,
            (ended, _) => {
                // It has said all, or is to say no more: also a child that loops after its answer.
                self.kill();
                // Of one that is debugged, its debugger hears first, who may take its time.
                server.killed = (!request.watch.debugger).then_some(self.pid);
                (ended?.unwrap_or(End::Answered), 0)
            }
        };
        let [mut answer, stdout, stderr] =
            self.taps.each_mut().map(|tap| std::mem::take(&mut tap.bytes));
        let notes = answer[self.notes].to_vec();
        let Range { start, end: whole } = answered.unwrap_or_default();
        answer.truncate(whole);
        answer.drain(..start);
        Ok(Reply {
            end,
            code,
            notes,
            answer,
            stdout,
            stderr,
            touches: self
                .listener
                .map(|mut one| std::mem::take(&mut one.touches))
                .unwrap_or_default(),
            wall_nanoseconds: self.start.elapsed().as_nanos() as u64,
        })
    }

    /// Passes the notes that have come; where the answer after them stands, once it is whole.
    fn answer(&mut self) -> Option<Range<usize>> {
        loop {
            let frame = self.taps[0].frame(self.notes.end)?;
            let start = self.notes.end + 4;
            let end = start + frame.len();
            match frame.first() {
                Some(&ANSWER) => return Some(start + 1..end),
                Some(_) => self.notes.end = end,
                None => return Some(start..end), // which is no answer
            }
        }
    }

    /// Kills the child and its group.
    fn kill(&self) {
        // SAFETY: not reaped yet, so the number is still the child's own, and so is the group of
        // that number if it made one.
        unsafe {
            sys::kill(-self.pid, sys::SIGKILL);
            sys::kill(self.pid, sys::SIGKILL);
        }
    }

    /// How many processes are of the child's group, which none of them can leave.
    fn processes(&self) -> usize {
        let is_of_group = |stat: &str| {
            // After the program's name in parentheses: state, parent, group.
            let group = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2));
            group.and_then(|group| group.parse().ok()) == Some(self.pid)
        };
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit())
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
            .filter(|stat| is_of_group(stat))
            .count()
    }

    /// A child whose answer's pipe has ended without an answer: it ends too, or it is killed.
    fn reap(&self, server: &Server, request: &Request) -> io::Result<(End, i32)> {
        let wall = Duration::from_millis(request.limits.wall_milliseconds.into());
        let mut status = 0;
        // SAFETY: the kernel writes `status`; it writes no usage where there is no place for it.
        while unsafe { sys::wait4(self.pid, &mut status, 1, std::ptr::null_mut()) } == 0 {
            let is_late = !wall.is_zero() && self.start.elapsed() > wall;
            let mut control = PollFd { fd: server.control, events: 0, revents: 0 };
            // SAFETY: one live entry, which the kernel fills in.
            let is_alone = unsafe { sys::poll(&mut control, 1, 1) } > 0;
            if is_late || is_alone {
                self.kill();
                await_end(self.pid);
                // Without the tool, nobody waits for an answer.
                return match is_alone {
                    true => Err(io::ErrorKind::UnexpectedEof.into()),
                    false => Ok((End::TimedOut, 0)),
                };
            }
        }
        if request.allow.exec {
            // SAFETY: others of its group may live on, and keep the group's number in use. If none
            // does, nobody has it: the kernel gives a number again only after all the others.
            unsafe { sys::kill(-self.pid, sys::SIGKILL) };
        }
        Ok(match status & 0x7f {
            0 => (End::Exited, status >> 8 & 0xff),
            signal => (End::Signalled, signal),
        })
    }

    /// Until the answer's pipe ends or is whole (none), or a limit is passed.
    fn listen(&mut self, server: &Server, request: &Request) -> io::Result<Option<End>> {
        let limits = &request.limits;
        let wall = Duration::from_millis(limits.wall_milliseconds.into());
        let most = limits.most_output() as usize;
        let watched = request.watch.touches && !request.allow.everything && server.seccomp;
        let (mut hung_up, mut unheard) = (false, false);
        let mut counted = self.start;
        loop {
            let mut left = -1;
            if !wall.is_zero() && !request.watch.debugger {
                match wall.checked_sub(self.start.elapsed()) {
                    Some(rest) => left = rest.as_millis() as c_int + 1,
                    None => return Ok(Some(End::TimedOut)),
                }
            }
            if request.allow.exec {
                if counted.elapsed() >= COUNTED_EVERY {
                    counted = Instant::now();
                    if self.processes() > MOST_PROCESSES {
                        return Ok(Some(End::TooManyProcesses));
                    }
                }
                let most = COUNTED_EVERY.as_millis() as c_int;
                left = if left < 0 { most } else { left.min(most) };
            }
            let listener = self.listener.as_ref().filter(|_| !hung_up);
            let listener = listener.map_or(-1, Listener::fd);
            let poll = |fd, events| PollFd { fd, events, revents: 0 };
            let tap = |tap: &Tap| poll(if tap.open { tap.fd } else { -1 }, sys::POLLIN);
            let [answer, stdout, stderr] = &self.taps;
            let mut fds = [
                tap(answer),
                tap(stdout),
                tap(stderr),
                poll(listener, sys::POLLIN),
                poll(server.control, 0),
            ];
            // SAFETY: five live entries, which the kernel fills in.
            match check(unsafe { sys::poll(fds.as_mut_ptr(), 5, left) }) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if fds[4].revents != 0 {
                // The tool is gone: nobody waits for an answer.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            for (tap, fd) in self.taps.iter_mut().zip(&fds) {
                if fd.revents != 0 {
                    tap.fill(most)?;
                }
                if tap.bytes.len() > most {
                    return Ok(Some(End::TooMuchOutput));
                }
            }
            if request.program.as_ref().is_some_and(|one| self.taps[1].has_line(&one.answer)) {
                return Ok(Some(End::Told));
            }
            if watched && self.listener.is_none() && !unheard {
                if let Some(number) = self.taps[0].bytes.first_chunk::<4>() {
                    match Listener::fetch(self.pid, c_int::from_le_bytes(*number)) {
                        Ok(listener) => {
                            self.listener = Some(listener);
                            self.notes = 4..4; // after that number
                        }
                        // It is gone, or has no listener and says why: that is the length of a frame.
                        Err(_) => unheard = true,
                    }
                }
            } else if fds[3].revents & sys::POLLIN != 0 {
                if let Some(listener) = &mut self.listener {
                    let _ = listener.hear(&request.allow);
                }
            } else if fds[3].revents & sys::POLLHUP != 0 {
                hung_up = true; // the child is gone: the pipes say more
            }
            let is_ready = !watched || unheard || self.listener.is_some();
            if !self.taps[0].open || is_ready && self.answer().is_some() {
                // What was printed before the answer is in the pipes by now.
                for tap in &mut self.taps[1..] {
                    tap.fill(most)?;
                }
                let is_much = self.taps.iter().any(|tap| tap.bytes.len() > most);
                return Ok(is_much.then_some(End::TooMuchOutput));
            }
        }
    }
}
