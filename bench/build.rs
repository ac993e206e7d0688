// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds the C and C++ callers, and notes which compilers built the rest.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/caller.c");
    let mut c = cc::Build::new();
    c.file("src/caller.c").warnings(true).opt_level(2);
    c.compile("ringback_bench_caller");

    println!("cargo::rerun-if-changed=src/outbound.cpp");
    println!("cargo::rerun-if-changed=../bindings");
    let mut cpp = cc::Build::new();
    cpp.cpp(true).std("c++17").file("src/outbound.cpp").warnings(true).opt_level(2);
    // Else the rest of the program moves these few functions over cache lines, and the figures with them.
    cpp.flag_if_supported("-falign-functions=64");
    cpp.includes(["../bindings/cpp/include", "../bindings/c/include"]);
    cpp.compile("ringback_bench_outbound");

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
