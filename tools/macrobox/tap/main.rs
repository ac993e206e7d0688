// SPDX-License-Identifier: MIT OR Apache-2.0

//! Preloaded into rustc: hands it macros that record what goes in and out, and are otherwise the
//! library's own. Built by the same compiler, so both sides of the bridge are its own.

#![feature(proc_macro_internals, proc_macro_span, proc_macro_expand, proc_macro_diagnostic)]
#![feature(proc_macro_tracked_path, proc_macro_tracked_env, proc_macro_def_site)]
#![allow(internal_features)]
#![deny(unsafe_op_in_unsafe_fn)]

extern crate proc_macro;

mod client;
mod convert;
mod forward;
mod lex;
mod message;
mod record;
mod token;
mod wire;

use client::{Entry, Macro, One, Two};
use convert::Recorder;
use forward::Forward;
use message::Declared;
use proc_macro::TokenStream;
use proc_macro::bridge::client::Client;
use record::Record;
use wire::Wire;
use std::ffi::{CStr, OsString, c_char, c_int, c_void};
use std::io::Write;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

/// The library's own macros, by the number of the tap in front of each.
static TAPPED: Mutex<Vec<(String, Macro)>> = Mutex::new(Vec::new());

/// Macros in front of which there is a tap. Those of later libraries run unrecorded, and the tool
/// lists them as calls it did not see.
const TAPS: usize = 512;

struct Taps<const I: usize>;

impl<const I: usize> Taps<I> {
    const ONE: One = Client::expand1(|input| expand(I, None, input));
    const TWO: Two = Client::expand2(|attribute, input| expand(I, Some(attribute), input));
}

macro_rules! table {
    ($($high:literal)*) => {
        /// Every tap: a function of its own, because a client is told apart by its address only.
        static TABLE: [(One, Two); TAPS] = [$(
            (Taps::<{ $high * 8 }>::ONE, Taps::<{ $high * 8 }>::TWO),
            (Taps::<{ $high * 8 + 1 }>::ONE, Taps::<{ $high * 8 + 1 }>::TWO),
            (Taps::<{ $high * 8 + 2 }>::ONE, Taps::<{ $high * 8 + 2 }>::TWO),
            (Taps::<{ $high * 8 + 3 }>::ONE, Taps::<{ $high * 8 + 3 }>::TWO),
            (Taps::<{ $high * 8 + 4 }>::ONE, Taps::<{ $high * 8 + 4 }>::TWO),
            (Taps::<{ $high * 8 + 5 }>::ONE, Taps::<{ $high * 8 + 5 }>::TWO),
            (Taps::<{ $high * 8 + 6 }>::ONE, Taps::<{ $high * 8 + 6 }>::TWO),
            (Taps::<{ $high * 8 + 7 }>::ONE, Taps::<{ $high * 8 + 7 }>::TWO),
        )*];
    };
}
table!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
    32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
);

fn expand(tap: usize, attribute: Option<TokenStream>, input: TokenStream) -> TokenStream {
    let (library, own) = TAPPED.lock().unwrap_or_else(|held| held.into_inner())[tap].clone();
    let site = proc_macro::Span::call_site();
    let mut recorder = Recorder::new(site);
    let recorded_attribute = attribute.clone().map(|stream| recorder.stream(stream));
    let recorded_input = recorder.stream(input.clone());
    let start = Instant::now();
    let result = own.function.run(Forward, attribute, input);
    let nanoseconds = start.elapsed().as_nanos() as u64;
    let output = result.as_ref().ok().map(|stream| recorder.stream(stream.clone()));
    let Surroundings { crate_name, environment, directory } = surroundings();
    write(&Record {
        crate_name: crate_name.clone(),
        environment: environment.clone(),
        directory: directory.clone(),
        library,
        kind: own.declared.kind,
        name: own.declared.name,
        site: recorder.site(),
        line: site.line() as u32,
        attribute: recorded_attribute,
        input: recorded_input,
        output,
        files: recorder.files,
        nanoseconds,
    });
    match result {
        Ok(stream) => stream,
        // As the macro did: the compiler shows the message.
        Err(panic) => std::panic::resume_unwind(match panic.as_str() {
            Some(text) => Box::new(text.to_owned()),
            None => Box::new(()),
        }),
    }
}

/// The compiler's own surroundings, as a macro sees them.
struct Surroundings {
    crate_name: String,
    environment: Vec<(String, String)>,
    directory: String,
}

fn surroundings() -> &'static Surroundings {
    static KNOWN: OnceLock<Surroundings> = OnceLock::new();
    KNOWN.get_or_init(|| {
        // What the tool added for the recording is no part of it, nor is cargo's job server.
        let ours = |name: &str| {
            name.starts_with("MACROBOX_")
                || ["LD_PRELOAD", "RUSTC_BOOTSTRAP", "CARGO_MAKEFLAGS", "MAKEFLAGS"].contains(&name)
        };
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let mut arguments = std::env::args().skip_while(|argument| argument != "--crate-name");
        let directory = std::env::current_dir().unwrap_or_default();
        Surroundings {
            crate_name: arguments.nth(1).unwrap_or_default(),
            environment: std::env::vars_os().filter_map(text).filter(|one| !ours(&one.0)).collect(),
            directory: directory.display().to_string(),
        }
    })
}

/// Appends to the file that the tool named.
fn write(record: &Record) {
    static FILE: OnceLock<Option<Mutex<std::fs::File>>> = OnceLock::new();
    let open = || {
        let path = std::env::var_os("MACROBOX_TAP")?;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.ok().map(Mutex::new)
    };
    let Some(file) = FILE.get_or_init(open) else { return };
    let frame = wire::frame(|w| record.write(w));
    if let Ok(mut file) = file.lock() {
        let _ = file.write_all(&frame); // the tool counts the calls and finds one missing
    }
}

/// The same macros with taps in front, but of one whose macros cannot be named.
fn tapped(library: &str, own: &'static [Entry]) -> &'static [Entry] {
    let Ok(macros) = client::macros(own, &names(library)) else { return own };
    let mut known = TAPPED.lock().unwrap_or_else(|held| held.into_inner());
    let each = own.iter().zip(macros).map(|(entry, one)| {
        let Some((first, second)) = TABLE.get(known.len()) else { return *entry };
        let function = one.function;
        known.push((library.to_owned(), one));
        function.replaced(entry, *first, *second)
    });
    Vec::leak(each.collect())
}

/// What `library`'s macros are called, where it does not list that: the tool has the toolchain read it.
fn names(library: &str) -> Vec<Declared> {
    let Some(tool) = std::env::var_os("MACROBOX_NAMES").filter(|_| cfg!(nameless)) else {
        return Vec::new();
    };
    let mut command = std::process::Command::new(tool);
    command.env("MACROBOX_LIBRARY", library).env_remove("LD_PRELOAD");
    let said = command.output().map(|output| output.stdout).unwrap_or_default();
    let listed = said.get(4..).and_then(|frame| wire::decode(frame).ok());
    listed.unwrap_or_default() // then the tool counts the calls and finds them missing
}

#[repr(C)]
struct Place {
    file: *const c_char,
    rest: [usize; 3],
}

unsafe extern "C" {
    fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
    fn dladdr(address: *const c_void, place: *mut Place) -> c_int;
}

type DlSym = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    static NEXT: OnceLock<usize> = OnceLock::new();
    let next = *NEXT.get_or_init(|| {
        let after_this_library = usize::MAX as *mut c_void; // RTLD_NEXT
        // SAFETY: C strings; the C library has had this version of `dlsym` from its beginning.
        unsafe { dlvsym(after_this_library, c"dlsym".as_ptr(), c"GLIBC_2.2.5".as_ptr()) as usize }
    });
    // SAFETY: the address is the C library's `dlsym`; the caller keeps its contract.
    let found = unsafe { std::mem::transmute::<usize, DlSym>(next)(handle, name) };
    if found.is_null() || name.is_null() {
        return found;
    }
    // SAFETY: the caller passes a C string.
    let text = unsafe { CStr::from_ptr(name) };
    if !text.to_bytes().starts_with(b"__rustc_proc_macro_decls_") {
        return found;
    }
    let mut place = Place { file: std::ptr::null(), rest: [0; 3] };
    // SAFETY: rustc looks up this symbol only in a macro library that it has checked to be its
    // own: a static slice of entries. dladdr fills `place`, whose name lives as the library.
    let (library, own) = unsafe {
        let known = dladdr(found, &mut place) != 0 && !place.file.is_null();
        let library = if known { CStr::from_ptr(place.file).to_string_lossy() } else { "".into() };
        (library, *found.cast::<&[Entry]>())
    };
    let slice: &'static [Entry] = tapped(&library, own);
    // Lives as long as the library, which rustc never unloads.
    Box::into_raw(Box::new(slice)).cast()
}
