// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the libraries by pkg-config, and has bindgen read their headers.

use std::env;
use std::path::PathBuf;

/// pkg-config's name, Debian's package, the headers, and what the examples use of them.
const LIBRARIES: [(&str, &str, &[&str], &str); 8] = [
    (
        "libcurl",
        "libcurl4-openssl-dev",
        &["curl/curl.h"],
        "curl_(easy_.*|global_.*|write_callback)|CURLOPT_.*|CURLE_OK",
    ),
    ("sqlite3", "libsqlite3-dev", &["sqlite3.h"], "sqlite3_.*|SQLITE_.*"),
    (
        "libxml-2.0",
        "libxml2-dev",
        &["libxml/parser.h", "libxml/xinclude.h"],
        "xml(Register|Pop)InputCallbacks|xmlInput.*Callback|xmlReadFile|xmlXIncludeProcess|\
         xmlDocDumpMemory|xmlFreeDoc|xmlFree",
    ),
    (
        "libevent",
        "libevent-dev",
        &["event2/event.h"],
        "event_(set_log_callback|log_cb|callback_fn|base_.*|new|add|free)|EVENT_LOG_.*",
    ),
    (
        "openssl",
        "libssl-dev",
        &["openssl/ssl.h"],
        "SSL_(CTX_.*psk.*|CTX_(new|free|ctrl|set_cipher_list)|new|free|set_.*|do_handshake|\
         psk_.*_cb_func|get_current_cipher|CIPHER_get_name)|TLS_method|BIO_new_bio_pair|\
         SSL_CTRL_SET_MAX_PROTO_VERSION|TLS1_2_VERSION",
    ),
    ("lmdb", "liblmdb-dev", &["lmdb.h"], "mdb_.*|MDB_.*"),
    ("gmp", "libgmp-dev", &["gmp.h"], "__gmpz_.*|__gmp_set_memory_functions"),
    (
        "libsodium",
        "libsodium-dev",
        &["sodium.h"],
        "randombytes_.*|sodium_init|crypto_box_(keypair|PUBLICKEYBYTES|SECRETKEYBYTES)",
    ),
];

fn main() {
    for (library, package, headers, used) in LIBRARIES {
        let found = pkg_config::Config::new().probe(library).unwrap_or_else(|missing| {
            panic!("{missing}\nOn Debian: apt-get install {package} libclang-dev pkg-config")
        });
        let lines: String = headers.iter().map(|header| format!("#include <{header}>\n")).collect();
        let include = found.include_paths.iter().map(|path| format!("-I{}", path.display()));
        let bindings = bindgen::builder()
            .header_contents("library.h", &lines)
            .clang_args(include)
            .allowlist_item(used)
            .prepend_enum_name(false)
            .generate()
            .unwrap_or_else(|error| panic!("bindgen could not read {headers:?}: {error}"));
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        bindings.write_to_file(out.join(format!("{library}.rs"))).expect("OUT_DIR can be written");
    }
}
