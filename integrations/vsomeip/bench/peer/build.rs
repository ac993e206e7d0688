// SPDX-License-Identifier: MIT OR Apache-2.0

//! Lets the program find the libvsomeip3.so that it was linked to.

fn main() {
    println!("cargo::rerun-if-env-changed=VSOMEIP_INSTALL_PATH");
    let prefix = std::env::var("VSOMEIP_INSTALL_PATH").expect("the bench sets it");
    println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{prefix}/lib");
}
