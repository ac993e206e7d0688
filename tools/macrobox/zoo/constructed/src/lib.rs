//! A library whose constructor and destructor misbehave: they run when it is loaded and unloaded.

use proc_macro::TokenStream;

fn misbehave(when: &str) {
    if let Ok(path) = std::env::var("MACROBOX_ZOO_MARK") {
        let _ = std::fs::write(path, when);
    }
    let socket = std::net::TcpListener::bind("127.0.0.1:0");
    eprintln!("{when}: {}", if socket.is_ok() { "a socket" } else { "no socket" });
}

extern "C" fn construct() {
    misbehave("constructor");
}

extern "C" fn destruct() {
    misbehave("destructor");
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

// SAFETY: functions of the form that the loader calls, kept by `used`.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = construct;

// SAFETY: as above.
#[used]
#[unsafe(link_section = ".fini_array")]
static DESTRUCTOR: extern "C" fn() = destruct;

/// Gives its input back.
#[proc_macro]
pub fn echo_constructed(input: TokenStream) -> TokenStream {
    input
}
