// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where the memory of the emulated board is (QEMU's mps2-an386, a Cortex-M4).

use std::env::var;
use std::path::Path;

const MEMORY: &str = "
MEMORY {
  FLASH : ORIGIN = 0x00000000, LENGTH = 4M
  RAM : ORIGIN = 0x20000000, LENGTH = 4M
}";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "none") {
        let folder = var("OUT_DIR").expect("set by cargo");
        std::fs::write(Path::new(&folder).join("memory.x"), MEMORY).expect("OUT_DIR is writable");
        println!("cargo::rustc-link-search={folder}");
        println!("cargo::rustc-link-arg-bins=-Tlink.x");
    }
}
