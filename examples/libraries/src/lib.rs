// SPDX-License-Identifier: MIT OR Apache-2.0

//! What bindgen makes of the libraries' headers.

macro_rules! bindings {
    ($($(#[$attribute:meta])* $module:ident: $file:literal;)+) => { $(
        $(#[$attribute])*
        #[allow(
            missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals, dead_code,
            unsafe_op_in_unsafe_fn, clippy::all, clippy::undocumented_unsafe_blocks,
            reason = "generated"
        )]
        pub mod $module {
            include!(concat!(env!("OUT_DIR"), "/", $file, ".rs"));
        }
    )+ };
}

bindings! {
    /// libcurl.
    curl: "libcurl";
    /// SQLite.
    sqlite: "sqlite3";
    /// libxml2.
    xml: "libxml-2.0";
    /// libevent.
    event: "libevent";
    /// OpenSSL.
    openssl: "openssl";
    /// LMDB.
    lmdb: "lmdb";
    /// GMP.
    gmp: "gmp";
    /// libsodium.
    sodium: "libsodium";
}
