// SPDX-License-Identifier: MIT OR Apache-2.0

//! bindgen, as a user of a Rust library with a C header runs it.

use std::path::Path;

fn main() {
    let header = "../native/native.h";
    let include = "../c/include";
    println!("cargo::rerun-if-changed={header}");
    println!("cargo::rerun-if-changed={include}/ringback.h");
    let out = std::env::var_os("OUT_DIR").expect("set by cargo");
    bindgen::Builder::default()
        .header(header)
        .clang_arg(format!("-I{include}"))
        .clang_arg("-std=c11")
        .allowlist_item("native_.*|rb_.*|RB_.*|On.*|Point|Colour")
        .derive_copy(false) // a callback struct by value is one reference
        .layout_tests(true)
        .generate()
        .expect("bindgen accepts the header")
        .write_to_file(Path::new(&out).join("native.rs"))
        .expect("OUT_DIR can be written");
}
