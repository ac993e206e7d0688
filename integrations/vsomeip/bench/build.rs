// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles the native contestant, and links it to the same libvsomeip3.so as the others.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    let include = env::var("DEP_RINGBACK_VSOMEIP_INCLUDE").expect("ringback-vsomeip tells it");
    let libraries = env::var("DEP_RINGBACK_VSOMEIP_LIBRARIES").expect("ringback-vsomeip tells it");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(2)
        .file("cpp/native.cpp")
        .include(include)
        .flag_if_supported("-Wno-deprecated-declarations")
        .compile("native");
    println!("cargo::rustc-link-search=native={libraries}");
    println!("cargo::rustc-link-lib=vsomeip3");
    println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{libraries}");
    println!("cargo::rustc-env=VSOMEIP_LIBRARIES={libraries}");
}
