// SPDX-License-Identifier: MIT OR Apache-2.0

//! The library's pools in use.

#[test]
fn a_crate_that_forbids_unsafe_code_has_pools() {
    assert_eq!(consumer::doubled(21), 42);
    assert_eq!(consumer::answers(), Some(-1));
    let registration: rb::Registration<consumer::SAFE> =
        consumer::SAFE.register(|number| number + 1).unwrap();
    assert_eq!((registration.as_fn())(41), 42);
}

#[test]
fn a_crate_that_forbids_unsafe_code_has_callbacks() {
    assert_eq!(consumer::called(21), Some(42));
    let mut byte = 1;
    let everything = consumer::OnEverything::new(|message, byte, yes, wide, context, error, out, done| {
        *byte += 1;
        assert!(yes && context.is_null() && done.is_none());
        message.number + i32::from(error) + i32::from(out) + i32::try_from(wide).unwrap()
    });
    let message = consumer::Message { number: &30 };
    let null = std::ptr::null_mut();
    let answer = everything.adopt().unwrap().call(&message, &mut byte, true, 9, null, 2, 1, None);
    assert_eq!((answer, byte), (Ok(42), 2));
}
