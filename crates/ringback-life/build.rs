// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles the C++ side of the tests.

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(true)
        .cargo_metadata(false) // for the tests, not for the plugin
        .file("cpp/life.cpp")
        .compile("life");
    let folder = std::env::var("OUT_DIR").expect("set by cargo");
    println!("cargo::rustc-link-search=native={folder}");
}
