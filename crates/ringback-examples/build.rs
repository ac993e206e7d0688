// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles the C++ bus that the example `vehicle_bus` talks to, and tells the tests for which
//! system the examples are built.

const FOLDER: &str = "examples/vehicle_bus/cpp";

fn main() {
    println!("cargo::rerun-if-changed={FOLDER}");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(true)
        .extra_warnings(true)
        .files(["bus.cpp", "bus_c.cpp"].map(|file| format!("{FOLDER}/{file}")))
        .compile("bus");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        println!("cargo::rustc-link-lib=pthread"); // a library of its own before glibc 2.34
    }
    println!("cargo::rustc-env=TRIPLE={}", std::env::var("TARGET").expect("set by cargo"));
}
