// SPDX-License-Identifier: MIT OR Apache-2.0

//! The child: closes itself in, loads the library, expands, answers, and is gone.

use crate::message::{Answer, Note, Program, Request};
use crate::supervise::Policy;
use crate::{bridge, client, closed, say, seen, sys, wire};
use std::ffi::{CStr, CString, c_int};
use std::io::{self, Write};
use std::process::Command;
use std::time::Instant;

/// What the child inherits.
pub struct Inherited {
    pub null: c_int,
    pub stdout: c_int,
    pub stderr: c_int,
    pub answer: c_int,
    pub request: c_int,
    pub rules: Option<c_int>,
    pub seccomp: bool,
    /// Where the macro may write.
    pub scratch: CString,
    pub parent: c_int,
}

/// Never returns to the server's code: whatever happens, the process ends here.
pub fn run(policy: &Policy, inherited: &Inherited) -> ! {
    say::into(inherited.answer);
    let answer = serve(policy, inherited)
        .unwrap_or_else(|error| Answer { refusal: Some(error.to_string()), ..Answer::default() });
    say::answer(&Answer { usage: sys::own_usage(), ..answer });
    // No destructor and no exit handler of the library runs.
    // SAFETY: ends the process.
    unsafe { sys::_exit(0) }
}

fn serve(policy: &Policy, inherited: &Inherited) -> io::Result<Answer> {
    let receive = || {
        let frame = sys::read_frame(inherited.request)?;
        let frame = frame.ok_or_else(|| io::Error::other("the server wants no answer"))?;
        // SAFETY: this process's own end, from which nothing more comes.
        unsafe { sys::close(inherited.request) };
        wire::decode::<Request>(&frame)
            .map_err(|why| io::Error::other(format!("its request cannot be read: {why}")))
    };
    begin(policy, inherited)?;
    // A watched child's first watched call waits for the server, which sends the request first.
    let early = policy.watch.touches.then(receive).transpose()?;
    close_in(policy, inherited)?;
    let request = match early {
        Some(request) => request,
        None => receive()?,
    };
    let set = |name: &CStr, value: &CStr| {
        // SAFETY: two C strings that live through the call, in a process of one thread.
        sys::check(unsafe { sys::setenv(name.as_ptr(), value.as_ptr(), 1) })
    };
    for (name, value) in &request.environment {
        set(&CString::new(&**name)?, &CString::new(&**value)?)?;
    }
    // Temporary files can be written there only.
    set(c"TMPDIR", &inherited.scratch)?;
    if !request.directory.is_empty() {
        std::env::set_current_dir(&request.directory)?;
    }
    if policy.watch.debugger {
        wait_for_debugger();
    }
    if let Some(program) = &request.program {
        return Err(become_program(program, inherited.answer));
    }
    load_and_expand(&request)
}

/// Leaves everything of the server's behind.
fn begin(policy: &Policy, inherited: &Inherited) -> io::Result<()> {
    let debugger = policy.watch.debugger;
    // SAFETY: numbers, and descriptors that this process inherited. Everything but the standard
    // three, the two pipes and the rules is closed, so nothing of the server's is reachable.
    unsafe {
        sys::IGNORED.map(|signal| sys::signal(signal, 0));
        sys::check(sys::prctl(sys::PR_SET_PDEATHSIG, sys::SIGKILL as usize))?;
        if sys::getppid() != inherited.parent {
            return Err(io::Error::other("the server has ended"));
        }
        if !debugger {
            sys::check(sys::setsid())?;
        }
        sys::check(sys::dup2(inherited.null, 0))?;
        sys::check(sys::dup2(inherited.stdout, 1))?;
        sys::check(sys::dup2(inherited.stderr, 2))?;
        let kept = [Some(inherited.answer), Some(inherited.request), inherited.rules];
        let mut kept: Vec<c_int> = kept.into_iter().flatten().collect();
        kept.sort_unstable();
        let mut from = 3;
        for fd in kept {
            if fd > from {
                sys::syscall(sys::CLOSE_RANGE, from, fd - 1, 0u32);
            }
            from = fd + 1;
        }
        sys::syscall(sys::CLOSE_RANGE, from, c_int::MAX, 0u32);
        sys::clearenv();
    }
    Ok(())
}

fn close_in(policy: &Policy, inherited: &Inherited) -> io::Result<()> {
    if policy.allow.everything {
        return Ok(());
    }
    closed::limit(&policy.limits)?;
    let listener = closed::enter(inherited.rules, policy, inherited.seccomp)?;
    if let Some(rules) = inherited.rules {
        // SAFETY: entered above, not needed again.
        unsafe { sys::close(rules) };
    }
    if listener >= 0 {
        hand_over(listener, inherited.answer)?;
    }
    Ok(())
}

/// Tells the server where the listener is, and closes it here once the server has it.
fn hand_over(listener: c_int, answer: c_int) -> io::Result<()> {
    sys::write_all(answer, &listener.to_le_bytes())?;
    sign(); // returns when the server has begun to listen
    // SAFETY: the descriptor is this process's own.
    unsafe { sys::close(listener) };
    Ok(())
}

/// A watched call of no effect, by which the server knows how far a watched child is: it listens,
/// and later, its library is loaded.
fn sign() {
    // SAFETY: getrandom of no byte.
    unsafe { sys::syscall(318, 0usize, 0usize, 0u32) };
}

/// Runs `program` in this process's place: the box stays. Returns only if that fails. The server hears
/// its end by that of the answer's pipe, so that one stays open.
fn become_program(program: &Program, answer: c_int) -> io::Error {
    use std::os::unix::process::CommandExt;
    let input = || {
        let (reader, mut writer) = io::pipe()?;
        writer.write_all(program.input.as_bytes())?;
        // SAFETY: numbers only; the descriptor is this process's own.
        sys::check(unsafe { sys::fcntl(answer, sys::F_SETFD, 0) })?;
        Ok(reader)
    };
    match input() {
        Ok(input) => Command::new(&program.path).stdin(input).exec(),
        Err(error) => error,
    }
}

fn wait_for_debugger() {
    let traced = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        !status.contains("TracerPid:\t0\n")
    };
    while !traced() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn load_and_expand(request: &Request) -> io::Result<Answer> {
    let start = Instant::now();
    seen::vary(&request.vary);
    if request.watch.touches {
        seen::watch();
    }
    let path = CString::new(&*request.library)?;
    let symbol = CString::new(&*request.symbol)?;
    let (lazy, local) = (1, 0);
    // SAFETY: two C strings that live through the calls. Loading runs the library's constructors,
    // which may do anything: that is why this process is closed in and thrown away.
    let found = unsafe {
        let library = sys::dlopen(path.as_ptr(), lazy | local);
        if library.is_null() { library } else { sys::dlsym(library, symbol.as_ptr()) }
    };
    if request.watch.touches {
        sign();
    }
    if found.is_null() {
        // SAFETY: after a failed call dlerror answers a C string, valid until the next call.
        let why = unsafe {
            let text = sys::dlerror();
            if text.is_null() { c"it cannot be loaded" } else { CStr::from_ptr(text) }
        };
        return Err(io::Error::other(why.to_string_lossy()));
    }
    // SAFETY: the tool has read from the file that this compiler built it, and for this compiler
    // the symbol is a static slice of these entries. A library that lies harms this process only.
    let library: &[client::Entry] = unsafe { *found.cast::<&[client::Entry]>() };
    let macros = client::macros(library, &request.declared).map_err(io::Error::other)?;
    let declared = macros.iter().map(|one| one.declared.clone()).collect();
    let load_nanoseconds = start.elapsed().as_nanos() as u64;
    let mut answer = Answer { load_nanoseconds, declared, ..Answer::default() };
    for (index, call) in request.calls.iter().enumerate() {
        if index > 0 {
            say::note(&Note::Next);
            seen::forget();
        }
        match bridge::expand(&macros, call, &request.environment, request.watch.trace) {
            Some(expanded) => answer.expanded.push(expanded),
            None => {
                answer.refusal = Some(format!("the library has no macro `{}`", call.name));
                break;
            }
        }
    }
    Ok(answer)
}
