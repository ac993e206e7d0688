//! Gives the shared library a name with the version of the ABI in it, so that the loader refuses a
//! library of another version before any code runs.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}"));
    if target("FAMILY").as_deref() == Ok("unix") && target("VENDOR").as_deref() != Ok("apple") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libringback_c.so.1");
    }
}
