// SPDX-License-Identifier: MIT OR Apache-2.0

//! cbindgen makes a header of expanded callback types, and C and C++ compilers accept it.

mod common;

use common::{native, run};
use std::path::PathBuf;
use std::process::Command;

#[test]
fn the_committed_headers_have_not_drifted() {
    // SAFETY: this program has one test per variable, and no other thread reads the environment.
    unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "1") }; // to expand macros
    for (package, header) in headers() {
        let config = cbindgen::Config::from_file(package.join("cbindgen.toml")).unwrap();
        let mut generated = Vec::new();
        cbindgen::generate_with_config(&package, config).unwrap().write(&mut generated);
        let generated = String::from_utf8(generated).unwrap();

        if std::env::var_os("RINGBACK_BLESS").is_some() {
            std::fs::write(&header, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&header).unwrap_or_default();
        assert!(
            committed == generated,
            "{} has drifted from its sources; renew it with RINGBACK_BLESS=1 ci/cxx.sh exports",
            header.display()
        );
    }
}

#[test]
fn c_and_cxx_compilers_accept_them() {
    let standards = [("cc", "c", "c99"), ("cc", "c", "c11"), ("c++", "c++", "c++17")];
    for ((compiler, language, standard), (_, header)) in
        standards.into_iter().flat_map(|standard| headers().map(|header| (standard, header)))
    {
        run(Command::new(compiler)
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", language])
            .arg(format!("-std={standard}"))
            .arg(format!("-I{}", native().join("../c/include").display()))
            .arg(header));
    }
}

/// The packages whose headers are committed.
fn headers() -> [(PathBuf, PathBuf); 2] {
    let guide = native().join("../../guide");
    let [native_h, door_h] = [native().join("native.h"), guide.join("door.h")];
    [(native(), native_h), (guide, door_h)]
}
