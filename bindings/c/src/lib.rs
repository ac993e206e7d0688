// SPDX-License-Identifier: MIT OR Apache-2.0

//! The C functions of ringback's callback ABI, and its header `include/ringback.h`.
//!
//! A callback crosses between languages as one struct, [`rb_callback_t`]: a function, a context, and
//! how to retain and release that context. A program that only makes and calls callbacks needs the
//! header alone. The functions here are for comfort and for checks: adopting a struct with clear
//! errors, counted state for callbacks written in C, texts of errors.
//!
//! The header is generated from this crate (`tests/header.rs` refuses one that has drifted), so what
//! is documented here is what a C programmer reads. The law of its names stands in its first comment.

mod abi;
mod callback;
mod counted;
mod error;
mod task;
mod token;
mod version;

pub use self::{
    abi::{
        RB_ABI, RB_CANCELLED, RB_ERROR, RB_INVALID, RB_OK, RB_PANIC, RB_REJECTED, rb_callback_t,
        rb_error_t, rb_status_t, rb_task_t, rb_token_t,
    },
    callback::{rb_callback_check, rb_callback_release, rb_callback_retain},
    counted::{rb_counted_new, rb_counted_release, rb_counted_retain},
    error::{rb_error_clear, rb_error_set, rb_error_set_n, rb_status_name},
    task::{rb_task_cancel, rb_task_release},
    token::{rb_token_release, rb_token_retain},
    version::rb_abi_version,
};
