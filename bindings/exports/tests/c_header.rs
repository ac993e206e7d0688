//! cbindgen makes a header of expanded callback types, and C and C++ compilers accept it.

mod common;

use common::{native, run};
use std::process::Command;

#[test]
fn the_committed_header_has_not_drifted() {
    let config = cbindgen::Config::from_file(native().join("cbindgen.toml")).unwrap();
    // SAFETY: this program has one test per variable, and no other thread reads the environment.
    unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "1") }; // to expand macros
    let mut generated = Vec::new();
    cbindgen::generate_with_config(native(), config).unwrap().write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();

    let header = native().join("native.h");
    if std::env::var_os("RINGBACK_BLESS").is_some() {
        std::fs::write(&header, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&header).unwrap();
    assert!(
        committed == generated,
        "native.h has drifted from its sources; renew it with RINGBACK_BLESS=1 ci/cxx.sh exports"
    );
}

#[test]
fn c_and_cxx_compilers_accept_it() {
    let standards = [("cc", "c", "c99"), ("cc", "c", "c11"), ("c++", "c++", "c++17")];
    for (compiler, language, standard) in standards {
        run(Command::new(compiler)
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", language])
            .arg(format!("-std={standard}"))
            .arg(format!("-I{}", native().join("../c/include").display()))
            .arg(native().join("native.h")));
    }
}
