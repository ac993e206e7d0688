//! Macros that do nothing wrong, each for one thing that the tests look at.

use proc_macro::{Group, Ident, Literal, Span, TokenStream, TokenTree};

/// Gives its input back.
#[proc_macro]
pub fn echo(input: TokenStream) -> TokenStream {
    input
}

/// The small macro of the benches: a function around the tokens.
#[proc_macro]
pub fn small(input: TokenStream) -> TokenStream {
    let mut output: TokenStream = "pub fn answer() -> i32".parse().unwrap();
    output.extend([TokenTree::from(Group::new(proc_macro::Delimiter::Brace, input))]);
    output
}

/// `fn f0() {} ..` so many times.
#[proc_macro]
pub fn generate(input: TokenStream) -> TokenStream {
    let count: usize = input.to_string().parse().expect("an integer");
    (0..count).map(|index| format!("fn f{index}() {{}}").parse::<TokenStream>().unwrap()).collect()
}

/// The classic way to many callbacks: so many `extern "C"` functions, printed and parsed, each with a
/// lock of its own for its listener.
#[proc_macro]
pub fn callbacks(input: TokenStream) -> TokenStream {
    let count: usize = input.to_string().parse().expect("an integer");
    let mut text = String::from(
        "type Listener = std::sync::Mutex<Option<Box<dyn FnMut(i32) -> i32 + Send>>>;
        fn call(listener: &Listener, code: i32) -> i32 {
            listener.lock().unwrap().as_mut().map_or(-1, |listener| listener(code))
        }",
    );
    for index in 0..count {
        text += &format!(
            "static LISTENER_{index}: Listener = std::sync::Mutex::new(None);
            extern \"C\" fn callback_{index}(code: i32) -> i32 {{ call(&LISTENER_{index}, code) }}"
        );
    }
    text += &format!("static CALLBACKS: [(extern \"C\" fn(i32) -> i32, &Listener); {count}] = [");
    (0..count).for_each(|index| text += &format!("(callback_{index}, &LISTENER_{index}),"));
    text += "];";
    text.parse().unwrap()
}

/// The item and a constant with the attribute's text.
#[proc_macro_attribute]
pub fn noted(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut output = item;
    let note = TokenTree::from(Literal::string(&attribute.to_string()));
    output.extend("pub const NOTE: &str =".parse::<TokenStream>().unwrap());
    output.extend([note]);
    output.extend(";".parse::<TokenStream>().unwrap());
    output
}

/// An `impl` that names the type.
#[proc_macro_derive(Named, attributes(named))]
pub fn named(item: TokenStream) -> TokenStream {
    let mut trees = item.into_iter().skip_while(|tree| {
        !matches!(tree, TokenTree::Ident(word) if ["struct", "enum"].contains(&&*word.to_string()))
    });
    let Some(TokenTree::Ident(name)) = trees.nth(1) else { panic!("no name") };
    format!("impl {name} {{ pub const NAME: &'static str = \"{name}\"; }}").parse().unwrap()
}

/// A `compile_error!` at its first token.
#[proc_macro]
pub fn complain(input: TokenStream) -> TokenStream {
    let at = input.into_iter().next().map_or(Span::call_site(), |tree| tree.span());
    let output: TokenStream = "compile_error!(\"not this one\");".parse().unwrap();
    let each = output.into_iter().map(|mut tree| {
        tree.set_span(at);
        tree
    });
    each.collect()
}

/// Panics with its input.
#[proc_macro]
pub fn panics(input: TokenStream) -> TokenStream {
    panic!("on purpose: {input}")
}

/// Where its first token stands, as a literal.
#[proc_macro]
pub fn place(input: TokenStream) -> TokenStream {
    let span = input.into_iter().next().map_or(Span::call_site(), |tree| tree.span());
    let text = format!("{}:{} {:?}", span.line(), span.column(), span.source_text());
    TokenTree::from(Literal::string(&text)).into()
}

/// Different each time: it keeps state, and asks for random numbers.
#[proc_macro]
pub fn moody(_: TokenStream) -> TokenStream {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(1u8);
    TokenTree::from(Ident::new(&format!("mood_{number}"), Span::call_site())).into()
}

/// The months since 1970.
#[proc_macro]
pub fn dated(_: TokenStream) -> TokenStream {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    TokenTree::from(Literal::u64_unsuffixed(since_1970.as_secs() / (30 * 24 * 60 * 60))).into()
}

/// The months since 1970, as the C library's function of this name says, after a look at the environment.
#[proc_macro]
pub fn dated_by(input: TokenStream) -> TokenStream {
    use std::ffi::{c_char, c_int, c_void};
    unsafe extern "C" {
        fn time(time: *mut i64) -> i64;
        fn gettimeofday(time: *mut [i64; 2], zone: *mut c_void) -> c_int;
        fn timespec_get(time: *mut [i64; 2], base: c_int) -> c_int;
        fn secure_getenv(name: *const c_char) -> *mut c_char;
    }
    let mut both = [0, 0];
    // SAFETY: a C string, and room for what each of the functions writes.
    unsafe {
        secure_getenv(c"MACROBOX_ZOO_SECURE".as_ptr());
        match input.to_string().as_str() {
            "time" => both[0] = time(std::ptr::null_mut()),
            "written" => drop(time(&mut both[0])),
            "gettimeofday" => drop(gettimeofday(&mut both, std::ptr::null_mut())),
            "timespec_get" => drop(timespec_get(&mut both, 1)),
            other => panic!("no {other}"),
        }
    }
    TokenTree::from(Literal::i64_unsuffixed(both[0] / (30 * 24 * 60 * 60))).into()
}

/// In the order of a hash set.
#[proc_macro]
pub fn hashed(_: TokenStream) -> TokenStream {
    let words = std::collections::HashSet::from(["one", "two"]);
    words.into_iter().map(|word| TokenTree::from(Literal::string(word))).collect()
}

/// Where it runs.
#[proc_macro]
pub fn placed(_: TokenStream) -> TokenStream {
    TokenTree::from(Literal::string(&std::env::current_dir().unwrap().to_string_lossy())).into()
}

/// How much environment it has.
#[proc_macro]
pub fn surrounded(_: TokenStream) -> TokenStream {
    TokenTree::from(Literal::usize_unsuffixed(std::env::vars_os().count())).into()
}

/// Where it lies in memory.
#[proc_macro]
pub fn addressed(_: TokenStream) -> TokenStream {
    TokenTree::from(Literal::usize_unsuffixed(addressed as *const () as usize)).into()
}

/// Opens a socket, and fails without one.
#[proc_macro]
pub fn calls_home(_: TokenStream) -> TokenStream {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    TokenStream::new()
}

/// Calls itself with one less, until nothing is left.
#[proc_macro]
pub fn countdown(input: TokenStream) -> TokenStream {
    let left: usize = input.to_string().parse().expect("an integer");
    match left {
        0 => "pub fn lift_off() {}".parse().unwrap(),
        _ => {
            format!("pub const AT_{left}: u8 = {left}; countdown!({});", left - 1).parse().unwrap()
        }
    }
}

/// Calls itself with an integer, with what it does not take, and with another integer.
#[proc_macro]
pub fn halting(input: TokenStream) -> TokenStream {
    let text = input.to_string();
    if text.is_empty() {
        let calls = "pub const A: u8 = halting!(1); pub const B: u8 = halting!(no); \
                     pub const C: u8 = halting!(3) * 2;";
        return calls.parse().unwrap();
    }
    let number: u8 = text.parse().expect("an integer");
    format!("{number} + 1").parse().unwrap()
}

/// For `Outer` a struct that has it derived again, with something else.
#[proc_macro_derive(Nested)]
pub fn nested(item: TokenStream) -> TokenStream {
    let text = match item.to_string().contains("Outer") {
        true => "#[derive(Clone, zoo_gentle::Nested, Copy)] pub struct Inner { pub a: u8 }",
        false => "impl Last for Inner {}",
    };
    text.parse().unwrap()
}

/// So many groups within one another.
#[proc_macro]
pub fn deep(input: TokenStream) -> TokenStream {
    let depth: usize = input.to_string().parse().expect("an integer");
    let within = |inner, _| TokenTree::from(Group::new(proc_macro::Delimiter::Bracket, inner)).into();
    (0..depth).fold(TokenStream::new(), within)
}

/// Calls itself within so many groups, for ever.
#[proc_macro]
pub fn burrows(input: TokenStream) -> TokenStream {
    let depth: usize = input.to_string().parse().expect("an integer");
    let within = |inner, _| TokenTree::from(Group::new(proc_macro::Delimiter::Brace, inner)).into();
    (0..depth).fold(format!("burrows!({depth});").parse().unwrap(), within)
}

/// So many operators in one expression.
#[proc_macro]
pub fn negates(input: TokenStream) -> TokenStream {
    let length: usize = input.to_string().parse().expect("an integer");
    format!("{}true", "!".repeat(length)).parse().unwrap()
}

/// Calls itself for ever.
#[proc_macro]
pub fn forever(_: TokenStream) -> TokenStream {
    "forever!();".parse().unwrap()
}

/// Counts its own calls.
#[proc_macro]
pub fn counting(_: TokenStream) -> TokenStream {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    TokenTree::from(Literal::usize_unsuffixed(CALLS.fetch_add(1, Relaxed))).into()
}

/// The same, as a derive: a constant.
#[proc_macro_derive(Tallied)]
pub fn tallied(_: TokenStream) -> TokenStream {
    format!("const TALLY: usize = {};", counting(TokenStream::new())).parse().unwrap()
}

/// Ends the process when it is called again.
#[proc_macro_derive(Once)]
pub fn once(_: TokenStream) -> TokenStream {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    static CALLED: AtomicBool = AtomicBool::new(false);
    if CALLED.swap(true, Relaxed) {
        std::process::abort();
    }
    TokenStream::new()
}

/// Reads the environment, the clock and a file, and starts a thread.
#[proc_macro]
pub fn curious(_: TokenStream) -> TokenStream {
    let _ = std::env::var("MACROBOX_ZOO");
    let _ = std::time::SystemTime::now();
    let _ = std::fs::read_to_string("/etc/hostname");
    std::thread::spawn(|| ()).join().unwrap();
    TokenStream::new()
}

/// Starts a program, and waits for it.
#[proc_macro]
pub fn spawns(_: TokenStream) -> TokenStream {
    std::process::Command::new("/bin/true").status().expect("a program");
    TokenStream::new()
}

/// Writes the file that its input names, and fails where it cannot.
#[proc_macro]
pub fn keeps(input: TokenStream) -> TokenStream {
    std::fs::write(input.to_string().trim_matches('"'), "kept").expect("a file");
    TokenStream::new()
}

/// Writes where temporary files go.
#[proc_macro]
pub fn scratches(_: TokenStream) -> TokenStream {
    let written = std::fs::write(std::env::temp_dir().join("scratch"), "text");
    TokenTree::from(Literal::string(&format!("{written:?}"))).into()
}

/// Writes to what has a library's name, in two ways.
#[proc_macro]
pub fn disguised(_: TokenStream) -> TokenStream {
    unsafe extern "C" {
        fn syscall(number: std::ffi::c_long, ...) -> std::ffi::c_long;
    }
    let path = c"/no-such-folder/libdisguised.so";
    let _ = std::fs::write(path.to_str().unwrap(), "");
    let (here, create_and_write) = (-100, [0o101u64, 0o600, 0]);
    // SAFETY: openat2 of a C string, with the 24 bytes of its struct.
    unsafe { syscall(437, here, path.as_ptr(), &create_and_write, 24usize) };
    TokenStream::new()
}

/// Asks for more than anyone reads, and then writes.
#[proc_macro]
pub fn busy(_: TokenStream) -> TokenStream {
    for _ in 0..10_000 {
        let _ = std::fs::metadata("/");
    }
    let _ = std::fs::write("/no-such-folder/file", "");
    TokenStream::new()
}

/// Goes to another folder, and sets a variable.
#[proc_macro]
pub fn rearranges(_: TokenStream) -> TokenStream {
    std::env::set_current_dir("/").unwrap();
    // SAFETY: no other thread of this process reads the environment.
    unsafe { std::env::set_var("MACROBOX_ZOO_LEFT", "by another macro") };
    TokenStream::new()
}

fn has_socket() -> TokenStream {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").is_ok();
    format!("const SOCKET: bool = {socket};").parse().unwrap()
}

/// Says whether it gets a socket.
#[proc_macro_derive(Home)]
pub fn home(_: TokenStream) -> TokenStream {
    has_socket()
}

/// The same, under another name.
#[proc_macro_derive(Away)]
pub fn away(_: TokenStream) -> TokenStream {
    has_socket()
}
