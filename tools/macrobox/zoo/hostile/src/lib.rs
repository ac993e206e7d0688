//! Macros that misbehave, each in one way. Never expand them outside a box.
//!
//! `input` names what to harm, where something is to be harmed: a file's path, or a port.

use proc_macro::TokenStream;
use std::ffi::{c_char, c_int, c_void};

unsafe extern "C" {
    fn _exit(code: c_int) -> !;
    fn abort() -> !;
    fn atexit(handler: extern "C" fn()) -> c_int;
    fn close(fd: c_int) -> c_int;
    fn fork() -> c_int;
    fn getppid() -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
    fn setsid() -> c_int;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize;
    fn chmod(path: *const c_char, mode: u32) -> c_int;
}

/// The text of the one string literal in `input`.
fn text(input: &TokenStream) -> String {
    input.to_string().trim_matches('"').to_owned()
}

fn say(verdict: impl std::fmt::Debug) -> TokenStream {
    format!("{:?}", format!("{verdict:?}")).parse().unwrap()
}

#[proc_macro]
pub fn segfault(_: TokenStream) -> TokenStream {
    // SAFETY: none: a null pointer is written to on purpose.
    unsafe { std::ptr::null_mut::<u8>().wrapping_add(8).write_volatile(1) };
    TokenStream::new()
}

#[proc_macro]
pub fn aborts(input: TokenStream) -> TokenStream {
    std::hint::black_box(input.is_empty()); // one call over the bridge, to be seen
    // SAFETY: ends the process.
    unsafe { abort() }
}

#[proc_macro]
pub fn odd_panic(_: TokenStream) -> TokenStream {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("and once more");
        }
    }
    std::panic::panic_any(Bomb)
}

#[proc_macro]
#[allow(unconditional_recursion)]
pub fn stack_overflow(_: TokenStream) -> TokenStream {
    fn deeper(depth: u64) -> u64 {
        let here = std::hint::black_box([depth; 64]);
        deeper(depth + 1) + here[7]
    }
    say(deeper(0))
}

#[proc_macro]
pub fn endless(_: TokenStream) -> TokenStream {
    loop {
        std::hint::spin_loop();
    }
}

#[proc_macro]
pub fn sleeps(_: TokenStream) -> TokenStream {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

#[proc_macro]
pub fn memory(_: TokenStream) -> TokenStream {
    let mut all = Vec::new();
    loop {
        all.push(vec![1u8; 64 << 20]);
        std::hint::black_box(&all);
    }
}

#[proc_macro]
pub fn fork_bomb(_: TokenStream) -> TokenStream {
    // SAFETY: children that only fork again, and wait.
    unsafe {
        let mut refused = 0;
        for _ in 0..64 {
            match fork() {
                -1 => refused += 1,
                0 => loop {
                    fork();
                    std::thread::sleep(std::time::Duration::from_millis(100));
                },
                _ => {}
            }
        }
        say((refused, setsid()))
    }
}

/// Starts processes one by one, which stay.
#[proc_macro]
pub fn crowds(_: TokenStream) -> TokenStream {
    loop {
        // SAFETY: children that only sleep.
        if unsafe { fork() } == 0 {
            loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[proc_macro]
pub fn exits(_: TokenStream) -> TokenStream {
    std::process::exit(0)
}

#[proc_macro]
pub fn forges(_: TokenStream) -> TokenStream {
    println!("{{\"ExpandMacro\":{{\"Ok\":{{}}}}}}");
    say("printed")
}

/// Writes an answer of its own to whatever descriptor it finds, and then never ends.
#[proc_macro]
pub fn forges_everywhere(_: TokenStream) -> TokenStream {
    let forged = [4u8, 0, 0, 0, 1, 2, 3, 4];
    for fd in 0..1024 {
        // SAFETY: eight live bytes; a descriptor that is none fails.
        unsafe { write(fd, forged.as_ptr().cast(), forged.len()) };
    }
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

/// Writes `frames` to the one descriptor that takes them, and waits for its end.
fn forge(frames: &[u8]) -> ! {
    for fd in 3..1024 {
        let mut rest = frames;
        while !rest.is_empty() {
            // SAFETY: the bytes are live; a descriptor that is none fails.
            let count = unsafe { write(fd, rest.as_ptr().cast(), rest.len()) };
            let Ok(count) = usize::try_from(count) else { break };
            rest = &rest[count..];
        }
    }
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

/// A frame of the server's own form: a note, by its number, or the answer, whose number is 0.
fn frame(number: u8, rest: &[u8]) -> Vec<u8> {
    let length = (rest.len() as u32 + 1).to_le_bytes();
    [&length[..], &[number], rest].concat()
}

/// Of an answer of no refusal, no macros and no expansions: 33 zeros.
const EMPTY: [u8; 33] = [0; 33];

/// Nearly as much as the default limit lets through.
const MUCH: usize = (32 << 20) - 1024;

/// An answer of the server's own form: no refusal, and so many macros without a name.
#[proc_macro]
pub fn forges_much(_: TokenStream) -> TokenStream {
    let count = MUCH / 6;
    let mut answer = vec![0; 1 + 4 + count * 6 + 4 + 8 + 16];
    answer[1..5].copy_from_slice(&(count as u32).to_le_bytes());
    forge(&frame(0, &answer))
}

/// The same of expansions, with a lie about their number.
#[proc_macro]
pub fn forges_count(_: TokenStream) -> TokenStream {
    let mut answer = vec![0; MUCH];
    answer[5..9].copy_from_slice(&u32::MAX.to_le_bytes());
    forge(&frame(0, &answer))
}

/// So many lines of a trace, each empty, and an answer without the expansion.
#[proc_macro]
pub fn forges_notes(_: TokenStream) -> TokenStream {
    let line = frame(1, &[0; 4]);
    forge(&[line.repeat(500_000), frame(0, &EMPTY)].concat())
}

/// More calls than there are.
#[proc_macro]
pub fn forges_calls(_: TokenStream) -> TokenStream {
    let next = frame(4, &[]);
    forge(&[next.repeat(500_000), frame(0, &EMPTY)].concat())
}

/// A frame with nothing in it, not even a number.
#[proc_macro]
pub fn forges_nothing(_: TokenStream) -> TokenStream {
    forge(&[0; 4])
}

/// One message, which has one message below it, and so on.
#[proc_macro]
pub fn forges_depth(_: TokenStream) -> TokenStream {
    let message = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0].repeat(1_000_000);
    forge(&[frame(2, &message), frame(0, &EMPTY)].concat())
}

/// One expansion with one group, which has one group in it, and so on.
#[proc_macro]
pub fn forges_groups(_: TokenStream) -> TokenStream {
    let mut answer = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0];
    for _ in 0..1_000_000 {
        answer.extend([0, 0, 1, 0, 0, 0]);
    }
    forge(&frame(0, &answer))
}

/// A refusal in the words that the server has for a weak kernel.
#[proc_macro]
pub fn forges_weak(_: TokenStream) -> TokenStream {
    let why = b"this kernel has no seccomp";
    let mut answer = vec![1, why.len() as u8, 0, 0, 0];
    answer.extend_from_slice(why);
    answer.extend([0; 4 + 4 + 8 + 16]);
    forge(&frame(0, &answer))
}

#[proc_macro]
pub fn reads_stdin(_: TokenStream) -> TokenStream {
    let mut line = String::new();
    say(std::io::stdin().read_line(&mut line).map(|_| line))
}

/// The names of what this process was started with, past what the C library was told.
#[proc_macro]
pub fn reads_environ(_: TokenStream) -> TokenStream {
    let all = std::fs::read_to_string("/proc/self/environ").unwrap();
    let names = all.split('\0').filter_map(|pair| pair.split('=').next());
    let others = names.filter(|name| !["", "TMPDIR", "LD_LIBRARY_PATH"].contains(name));
    say(others.collect::<Vec<_>>())
}

/// A file without a name, which no limit counts.
#[proc_macro]
pub fn hidden_file(_: TokenStream) -> TokenStream {
    unsafe extern "C" {
        fn memfd_create(name: *const c_char, flags: u32) -> c_int;
    }
    // SAFETY: a C string.
    say(unsafe { memfd_create(c"hidden".as_ptr(), 0) })
}

#[proc_macro]
pub fn closes_all(_: TokenStream) -> TokenStream {
    for fd in 0..1024 {
        // SAFETY: closes what this process has; that is the point.
        unsafe { close(fd) };
    }
    TokenStream::new()
}

#[proc_macro]
pub fn kills_parent(_: TokenStream) -> TokenStream {
    // SAFETY: numbers only.
    let results = unsafe { [kill(getppid(), 9), kill(-1, 9)] };
    say(results)
}

#[proc_macro]
pub fn writes_outside(input: TokenStream) -> TokenStream {
    say(std::fs::write(text(&input), "written by a macro"))
}

#[proc_macro]
pub fn changes_mode(input: TokenStream) -> TokenStream {
    let path = std::ffi::CString::new(text(&input)).unwrap();
    // SAFETY: a C string.
    say(unsafe { chmod(path.as_ptr(), 0o777) })
}

/// Attributes, priorities, devices and leases, each by a call of its own: what went through. The file
/// is opened only for reading, as anyone may.
#[proc_macro]
pub fn reaches_out(input: TokenStream) -> TokenStream {
    unsafe extern "C" {
        fn syscall(number: std::ffi::c_long, ...) -> std::ffi::c_long;
    }
    let file = std::fs::File::open(text(&input)).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    let device = std::env::temp_dir().join("device").into_os_string().into_encoded_bytes();
    let device = std::ffi::CString::new(device).unwrap();
    let (flags, user, size) = (0u64, c"user.zoo".as_ptr(), 16usize);
    let attributes = [0u64; 4];
    // SAFETY: C strings, numbers, and memory that lives through each call.
    let went_through = unsafe {
        [
            ("FS_IOC_SETFLAGS", syscall(16, fd, 0x4008_6602, &flags)),
            ("F_SETOWN", syscall(72, fd, 8, getppid())),
            ("F_SETSIG", syscall(72, fd, 10, 9)),
            ("F_SETLEASE", syscall(72, fd, 1024, 0)),
            ("setpriority", syscall(141, 0, getppid(), 19)),
            ("sched_setscheduler", syscall(144, getppid(), 3, &0)),
            ("sched_setaffinity", syscall(203, getppid(), 8usize, &u64::MAX)),
            ("ioprio_set", syscall(251, 1, getppid(), 3 << 13)),
            ("mknod", syscall(133, device.as_ptr(), 0o20_600, 0x103)),
            ("mknodat", syscall(259, -100, device.as_ptr(), 0o60_600, 0x700)),
            ("setxattrat", syscall(463, fd, c"".as_ptr(), 0x1000, user, &attributes, size)),
            ("removexattrat", syscall(466, fd, c"".as_ptr(), 0x1000, user)),
            ("file_setattr", syscall(469, fd, c"".as_ptr(), &attributes, 24usize, 0x1000)),
        ]
        .map(|(name, result)| (name, result, std::io::Error::last_os_error()))
    };
    say(went_through.iter().filter(|(_, result, _)| *result != -1).collect::<Vec<_>>())
}

#[proc_macro]
pub fn opens_socket(input: TokenStream) -> TokenStream {
    let port: u16 = text(&input).parse().unwrap();
    say(std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|error| error.kind()))
}

#[proc_macro]
pub fn executes(input: TokenStream) -> TokenStream {
    let touched = std::process::Command::new("/usr/bin/touch").arg(text(&input)).status();
    say(touched.map(drop).map_err(|error| error.kind()))
}

#[proc_macro]
pub fn leaves_thread(_: TokenStream) -> TokenStream {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    say("left")
}

#[proc_macro]
pub fn huge_output(_: TokenStream) -> TokenStream {
    let mut all = TokenStream::new();
    let part: TokenStream = "a b c d e f g h ".repeat(4_000).parse().unwrap();
    for _ in 0..80 {
        all.extend(part.clone());
    }
    all
}

#[proc_macro]
pub fn huge_stdout(_: TokenStream) -> TokenStream {
    let line = "x".repeat(1 << 20);
    loop {
        println!("{line}");
    }
}

extern "C" fn at_exit() {
    let path = std::env::var("MACROBOX_ZOO_MARK").unwrap_or_default();
    let _ = std::fs::write(path, "written at exit");
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

#[proc_macro]
pub fn exit_handler(_: TokenStream) -> TokenStream {
    // SAFETY: the handler lives as long as the library.
    say(unsafe { atexit(at_exit) })
}

extern "C" fn ignore(_: c_int) {}

#[proc_macro]
pub fn signal_handler(_: TokenStream) -> TokenStream {
    for number in 1..32 {
        // SAFETY: the handler does nothing.
        unsafe { signal(number, ignore) };
    }
    loop {
        std::hint::spin_loop();
    }
}

#[proc_macro]
pub fn exits_quietly(_: TokenStream) -> TokenStream {
    // SAFETY: ends the process.
    unsafe { _exit(0) }
}

/// Folders within one another, more than a process has descriptors, and some that their owner may not
/// look into.
#[proc_macro]
pub fn nests(_: TokenStream) -> TokenStream {
    use std::os::unix::fs::DirBuilderExt;
    let make = |path: &str, mode| std::fs::DirBuilder::new().mode(mode).create(path).unwrap();
    std::env::set_current_dir(std::env::temp_dir()).unwrap();
    make("blind", 0o300);
    std::fs::write("blind/file", "hidden").unwrap();
    make("blind/shut", 0);
    make("1.moved", 0o700);
    for _ in 0..1_100 {
        make("deeper", 0o700);
        std::env::set_current_dir("deeper").unwrap();
    }
    std::fs::write("file", "deep").unwrap();
    say("nested")
}

/// Groups within groups, each with a lie about how many there are.
#[proc_macro]
pub fn forges_counts(_: TokenStream) -> TokenStream {
    let mut answer = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    for _ in 0..400 {
        answer.extend([0xff, 0xff, 0xff, 0xff, 0, 0]); // so many trees, of which the first is a group
    }
    answer.resize(MUCH / 4, 0);
    forge(&frame(0, &answer))
}

/// More than a pipe's reader takes at once, before a short answer.
#[proc_macro]
pub fn prints(input: TokenStream) -> TokenStream {
    let length: usize = input.to_string().parse().expect("an integer");
    eprint!("{}", "x".repeat(length));
    say("printed")
}

/// Says no more, and does not end.
#[proc_macro]
pub fn lingers(input: TokenStream) -> TokenStream {
    drop(input);
    for fd in 0..1024 {
        // SAFETY: closes what this process has; that is the point.
        unsafe { close(fd) };
    }
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}
