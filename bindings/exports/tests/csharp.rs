// SPDX-License-Identifier: MIT OR Apache-2.0

//! csbindgen makes C# of the expanded source; mcs compiles it, and Mono calls through it.

mod common;

use common::{native, run};
use std::path::Path;
use std::process::Command;

#[test]
fn csharp_accepts_the_types_and_calls_through_them() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let cargo = |arguments: &[&str]| {
        run(Command::new(env!("CARGO"))
            .current_dir(native())
            .env("RUSTC_BOOTSTRAP", "1") // to expand macros
            .args(arguments)
            .args(["--quiet", "--target-dir"])
            .arg(folder.join("native"))
            .args(if arguments[0] == "rustc" { &["--", "-Zunpretty=expanded"][..] } else { &[] }))
    };
    cargo(&["build"]);
    let expanded = folder.join("expanded.rs");
    std::fs::write(&expanded, cargo(&["rustc", "--lib", "--profile=check"])).unwrap();

    let generated = folder.join("Native.cs");
    csbindgen::Builder::default()
        .input_extern_file(&expanded)
        .input_extern_file(native().join("../../crates/ringback/src/outbound/abi.rs"))
        .csharp_dll_name("ringback_native")
        .csharp_namespace("Native")
        .csharp_use_function_pointer(false) // mcs is C# 7
        .method_filter(|name| name != "native_call_function") // and knows no pointer to a delegate
        .csharp_use_nint_types(false)
        .generate_csharp_file(&generated)
        .expect("csbindgen accepts the source");

    let program = folder.join("calls.exe");
    run(Command::new("mcs")
        .args(["-unsafe", "-warnaserror", "-nowarn:169,649"]) // fields that only native code writes
        .arg(format!("-out:{}", program.display()))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls.cs"))
        .arg(&generated));
    let said =
        run(Command::new("mono").arg(&program).env("LD_LIBRARY_PATH", folder.join("native/debug")));
    assert_eq!(said.trim(), "9 checks");
}
