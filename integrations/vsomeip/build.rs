// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds vsomeip's headers and compiles the glue. Downloads nothing, builds no vsomeip.
//!
//! The library itself is not linked but opened at run time (see `src/vsomeip/load.rs`): a link
//! argument of a build script would not reach the binaries of dependent crates.

use std::env;
use std::path::{Path, PathBuf};
use std::process::exit;

struct Vsomeip {
    include: Vec<PathBuf>,
    /// Where the library is on the machine that runs the program.
    libraries: PathBuf,
    version: String,
    /// Where it was found: another installation there is another library to build against.
    found_by: PathBuf,
}

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    println!("cargo::rerun-if-changed=native/cache-key");
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    let vsomeip = installed().or_else(cached).unwrap_or_else(|| missing());
    // Only what exists: a path that does not would build the crate again each time.
    let headers = vsomeip.include.iter().map(|folder| folder.join("vsomeip/vsomeip.hpp"));
    for watched in headers.chain([vsomeip.found_by.clone()]).filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    println!("cargo::rustc-env=RINGBACK_VSOMEIP_LIBRARIES={}", vsomeip.libraries.display());
    println!("cargo::rustc-env=RINGBACK_VSOMEIP_VERSION={}", vsomeip.version);
    println!("cargo::metadata=include={}", vsomeip.include[0].display());
    println!("cargo::metadata=libraries={}", vsomeip.libraries.display());
    cxx_build::bridge("src/vsomeip/bridge.rs")
        .file("cpp/application.cpp")
        .includes(&vsomeip.include)
        .include("cpp")
        .flag_if_supported("-Wno-deprecated-declarations") // vsomeip's own headers
        .std("c++17")
        .compile("ringback-vsomeip");
}

/// What pkg-config knows: a Yocto image, a developer's /usr/local. Honours PKG_CONFIG_SYSROOT_DIR.
fn installed() -> Option<Vsomeip> {
    let found = pkg_config::Config::new()
        .atleast_version("3.4")
        .cargo_metadata(false)
        .print_system_cflags(true)
        .probe("vsomeip3")
        .ok()?;
    let libraries = pkg_config::get_variable("vsomeip3", "libdir").ok()?;
    // On the target machine the sysroot is the root.
    let sysroot = env::var("PKG_CONFIG_SYSROOT_DIR").unwrap_or_default();
    let libraries = libraries.strip_prefix(sysroot.trim_end_matches('/')).unwrap_or(&libraries);
    Some(Vsomeip {
        include: found.include_paths,
        libraries: libraries.into(),
        version: found.version,
        found_by: PathBuf::from(pkg_config::get_variable("vsomeip3", "pcfiledir").ok()?)
            .join("vsomeip3.pc"),
    })
}

/// What `native/build-vsomeip.sh` built.
fn cached() -> Option<Vsomeip> {
    let key = include_str!("native/cache-key").trim();
    let arch = env::var("CARGO_CFG_TARGET_ARCH").ok()?;
    let cache = match env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(env::var_os("HOME")?).join(".cache"),
    };
    let prefix = cache.join("ringback").join(format!("{key}-{arch}"));
    let complete = prefix.join("complete");
    complete.exists().then(|| Vsomeip {
        include: vec![prefix.join("include")],
        libraries: prefix.join("lib"),
        version: key.split('-').nth(1).unwrap_or_default().to_owned(),
        found_by: complete,
    })
}

fn missing() -> ! {
    let script = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default())
        .join("native/build-vsomeip.sh");
    println!(
        "cargo::error=vsomeip is not installed: pkg-config knows no vsomeip3 3.4 or newer, and the \
         cache has none. Install it, or build it once with {}",
        script.display()
    );
    exit(1);
}
