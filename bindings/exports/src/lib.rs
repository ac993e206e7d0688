// SPDX-License-Identifier: MIT OR Apache-2.0

//! Functions that take and give callback types, as the three generators of bindings see them.
//!
//! The crate under test is `bindings/native`: its header is made by cbindgen, the header is
//! read by bindgen into [`bindings`], and csbindgen makes C# of its expanded source. The tests compare
//! layouts and make calls through each.

/// What bindgen makes of `native.h`.
#[allow(
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    clippy::all,
    reason = "generated"
)]
pub mod bindings {
    include!(concat!(env!("OUT_DIR"), "/native.rs"));
}
