// SPDX-License-Identifier: MIT OR Apache-2.0

//! The committed header is what cbindgen makes of the sources now.

use std::path::Path;

#[test]
fn the_committed_header_has_not_drifted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let mut generated = Vec::new();
    cbindgen::generate_with_config(folder, config).unwrap().write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();

    let header = folder.join("include/ringback.h");
    if std::env::var_os("RINGBACK_BLESS").is_some() {
        std::fs::write(&header, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&header).unwrap();
    assert!(
        committed == generated,
        "include/ringback.h has drifted from src; renew it with \
         RINGBACK_BLESS=1 cargo test -p ringback-c --test header"
    );
}
