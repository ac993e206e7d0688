// SPDX-License-Identifier: MIT OR Apache-2.0

//! bindgen reads the header: the same layout, and calls through it work.

use core::ffi::c_void;
use core::mem::{align_of, offset_of, size_of};
use ringback::abi::{RbCallback, RbError, RbTask, RbToken};
use ringback_exports::bindings::{
    self, OnDoor, OnEnd, OnEvery, OnValue, Point, RB_ABI, RB_ERROR, RB_OK, rb_callback_t,
    rb_error_t, rb_task_t, rb_token_t,
};
use ringback_native as native;

macro_rules! same_layout {
    ($ours:ty, $theirs:ty: $($field:ident)*) => {
        assert_eq!(size_of::<$ours>(), size_of::<$theirs>());
        assert_eq!(align_of::<$ours>(), align_of::<$theirs>());
        $(assert_eq!(offset_of!($ours, $field), offset_of!($theirs, $field));)*
    };
}

#[test]
fn layouts_agree() {
    same_layout!(RbCallback, rb_callback_t: size abi call context retain release);
    same_layout!(RbCallback, OnValue: size abi call context retain release);
    same_layout!(RbCallback, OnEvery: size abi call context retain release);
    same_layout!(RbCallback, OnDoor: size abi call context retain release);
    same_layout!(native::OnValue, OnValue:);
    same_layout!(native::OnEnd, OnEnd:);
    same_layout!(native::Point, Point: x y);
    same_layout!(RbError, rb_error_t: text length owner release);
    same_layout!(RbTask, rb_task_t: context cancel release);
    same_layout!(RbCallback, ringback_c::rb_callback_t: size abi call context retain release);
    same_layout!(RbError, ringback_c::rb_error_t: text length owner release);
    same_layout!(RbTask, ringback_c::rb_task_t: context cancel release);
    same_layout!(RbToken, rb_token_t: context retain release);
    same_layout!(RbToken, ringback_c::rb_token_t: context retain release);
    assert_eq!(RB_ABI, ringback::abi::VERSION);
    use ringback::abi::Status;
    let ours = [Status::OK, Status::ERROR, Status::PANIC];
    let theirs = [bindings::RB_OK, bindings::RB_ERROR, bindings::RB_PANIC];
    assert_eq!(ours.map(|status| status.0 as u32), theirs);
    let ours = [Status::CANCELLED, Status::INVALID, Status::REJECTED];
    let theirs = [bindings::RB_CANCELLED, bindings::RB_INVALID, bindings::RB_REJECTED];
    assert_eq!(ours.map(|status| status.0 as u32), theirs);
}

#[test]
fn a_closure_is_called_and_dropped_through_the_bindings() {
    // SAFETY: the bindings' functions have the signatures that `layouts_agree` and the calls below
    // compare with the library's; each reference is released once.
    unsafe {
        let before = bindings::native_drops();
        let mut adder = bindings::native_adder(40);
        let mut out = 0;
        let status = adder.call.unwrap()(adder.context, 2, &raw mut out, core::ptr::null_mut());
        assert_eq!((status as u32, out), (RB_OK, 42));
        bindings::rb_callback_release((&raw mut adder).cast());
        assert!(adder.release.is_none());
        assert_eq!(bindings::native_drops(), before + 1);
    }
}

unsafe extern "C" fn triples(
    _: *mut c_void,
    value: i64,
    out: *mut i64,
    error: *mut rb_error_t,
) -> i32 {
    if value < 0 {
        // SAFETY: `error` is null or initialised, as the ABI says.
        return unsafe { bindings::rb_error_set(error, c"negative".as_ptr()) };
    }
    // SAFETY: `out` may be written, as the ABI says.
    unsafe { out.write(3 * value) };
    RB_OK as i32
}

#[test]
fn a_foreign_callback_is_kept_and_called_through_the_bindings() {
    let callback = OnValue {
        size: size_of::<rb_callback_t>() as u32,
        abi: RB_ABI,
        call: Some(triples),
        context: core::ptr::null_mut(),
        retain: None,
        release: None,
    };
    // SAFETY: as above; `kept` is dropped last.
    unsafe {
        let mut error: rb_error_t = core::mem::zeroed();
        let kept = bindings::native_keep(callback, &raw mut error);
        let mut out = 0;
        assert_eq!(bindings::native_call(kept, 14, &raw mut out, &raw mut error) as u32, RB_OK);
        assert_eq!(out, 42);
        assert_eq!(bindings::native_call(kept, -1, &raw mut out, &raw mut error) as u32, RB_ERROR);
        let text = core::slice::from_raw_parts(error.text.cast::<u8>(), error.length as usize);
        assert_eq!(text, b"negative");
        bindings::rb_error_clear(&raw mut error);
        bindings::native_drop(kept);
    }
}
