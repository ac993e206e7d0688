//! Builds the C callers, and notes which compilers built the rest.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/caller.c");
    let mut c = cc::Build::new();
    c.file("src/caller.c").warnings(true).opt_level(2);
    c.compile("ringback_bench_caller");

    let cc = first_line(c.get_compiler().to_command().arg("--version"));
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let rustc = first_line(Command::new(rustc).arg("--version"));
    println!("cargo::rustc-env=BENCH_CC_VERSION={cc}");
    println!("cargo::rustc-env=BENCH_RUSTC_VERSION={rustc}");
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().expect("the compiler that builds this can also tell its version");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().unwrap_or("unknown").to_owned()
}
