//! Finds the libraries by pkg-config, and has bindgen read their headers.

use std::env;
use std::path::PathBuf;

/// pkg-config's name, the header, and what the examples use of it.
const LIBRARIES: [(&str, &str, &str); 2] = [
    ("libcurl", "curl/curl.h", "curl_(easy_.*|global_.*|write_callback)|CURLOPT_.*|CURLE_OK"),
    ("sqlite3", "sqlite3.h", "sqlite3_.*|SQLITE_.*"),
];

fn main() {
    for (library, header, used) in LIBRARIES {
        let found = pkg_config::Config::new().probe(library).unwrap_or_else(|missing| {
            panic!("{missing}\nOn Debian: apt-get install libcurl4-openssl-dev libsqlite3-dev libclang-dev")
        });
        let include = found.include_paths.iter().map(|path| format!("-I{}", path.display()));
        let bindings = bindgen::builder()
            .header_contents("library.h", &format!("#include <{header}>"))
            .clang_args(include)
            .allowlist_item(used)
            .prepend_enum_name(false)
            .generate()
            .unwrap_or_else(|error| panic!("bindgen could not read {header}: {error}"));
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        bindings.write_to_file(out.join(format!("{library}.rs"))).expect("OUT_DIR can be written");
    }
}
