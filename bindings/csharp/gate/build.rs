// SPDX-License-Identifier: MIT OR Apache-2.0

//! How the library is linked.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        // It stays in memory: Mono unloads a program's libraries at the end, and releases come later.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // The same bytes whatever the folder: the id would be taken over the debug information.
        println!("cargo:rustc-cdylib-link-arg=-Wl,--build-id=none");
    }
}
