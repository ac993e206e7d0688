// SPDX-License-Identifier: MIT OR Apache-2.0

//! A library that exports pools and allows nothing: the expansion of `callback_pool!` must be quiet.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    unused,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    explicit_outlives_requirements,
    impl_trait_redundant_captures,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_crate_dependencies,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::cargo_common_metadata,
    clippy::nursery,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::allow_attributes_without_reason,
    clippy::default_numeric_fallback,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::missing_assert_message,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::multiple_unsafe_ops_per_block,
    clippy::panic,
    clippy::ref_patterns,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::undocumented_unsafe_blocks,
    clippy::unneeded_field_pattern,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
#![allow(clippy::cargo_common_metadata, reason = "it is not published")]

#[cfg(feature = "hook")]
pub mod hooks;

use std::time::Duration;

/// What comes in.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C knows its fields")]
pub struct Message<'a> {
    /// A number.
    pub number: &'a i32,
}

rb::callback_pool! {
    /// With every option, and more arguments than clippy likes.
    pub static EVERYTHING: Pool<
        for<'a> unsafe extern "C" fn(
            message: &'a Message<'a>, &mut u8, bool, u64, f64, *const u8, *mut u8, i8, data: i128,
        ) -> i32,
        100,
    >;
    fallback = -1;
    on_panic = -2;
    on_busy = wait(Duration::from_millis(1), -3);
    on_wrong_thread = -4;
    reuse = oldest_first;
    protection = counter;
    count_calls = true;
}

rb::callback_pool! {
    /// Safe to call.
    pub static SAFE: Pool<extern "C" fn(number: i32) -> i32, 2>;
    fallback = -1;
}

rb::callback_pool! {
    /// Answers nothing.
    pub static NOTHING: Pool<extern "C" fn(), { 1 + 1 }>;
}

/// As bindgen writes it.
pub type Alias = Option<unsafe extern "C" fn(*mut u8, i32) -> i32>;

rb::callback_pool! {
    /// By name.
    pub static BY_NAME: Pool<Alias, 2>;
    fallback = -1;
    on_panic = abort;
}

rb::callback_pool! {
    /// May be unwound through.
    pub(crate) static UNWINDS: Pool<extern "C-unwind" fn(i32) -> i32, 2>;
    fallback = -1;
    on_panic = propagate;
}

rb::callback_pool! {
    /// Replaced by another.
    #[deprecated(since = "0.0.0", note = "for the test")]
    pub static DEPRECATED: Pool<extern "C" fn(i32) -> i32, 2>;
    fallback = -1;
}

rb::callback_pool! {
    /// Not in every build.
    #[cfg(not(doc))]
    pub static CONDITIONAL: Pool<extern "C" fn(i32) -> i32, 2>;
    fallback = -1;
}

rb::callback_type! {
    /// Every kind of argument.
    pub struct OnEverything: for<'a> fn(
        message: &'a Message<'a>, &mut u8, bool, wide: i128, context: *mut u8, error: u8, out: i8,
        done: Option<unsafe extern "C" fn(u8) -> u8>,
    ) -> i32;
}

rb::callback_type! {
    /// Answers nothing.
    pub(crate) struct OnNothing: fn()
}

rb::callback_type! {
    /// A task.
    pub struct Fetch: async fn(done: u32, task: *const u8) -> i64
}

rb::callback_type! {
    /// A task without a result.
    #[cfg(not(doc))]
    pub struct Flush: async fn();
}

/// Calls back.
#[must_use]
#[inline]
pub fn called(number: i32) -> Option<i32> {
    rb::callback_type!(struct OnInner: fn(i32) -> i32);
    OnNothing::new(|| ()).adopt().ok()?.call().ok()?;
    OnInner::new(|inner| inner.saturating_mul(2)).adopt().ok()?.call(number).ok()
}

/// Inside a function too.
#[must_use]
#[inline]
pub fn doubled(number: i32) -> i32 {
    rb::callback_pool! {
        static INNER: Pool<extern "C" fn(i32) -> i32, 2>;
        fallback = 0;
    }
    rb::callback_pool! {
        static ACRONYM: Pool<extern "C" fn(), 2>;
    }
    if let Some(function) = ACRONYM.thunk(0) {
        function();
    }
    INNER.register(|inner: i32| inner.saturating_mul(2)).map_or(-1, |doubling| doubling.as_fn()(number))
}

/// Uses what is private.
#[must_use]
#[inline]
pub fn answers() -> Option<i32> {
    Some(UNWINDS.thunk(0)?(1))
}
