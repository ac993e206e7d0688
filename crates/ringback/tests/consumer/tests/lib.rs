//! The library's pools in use.

#[test]
fn a_crate_that_forbids_unsafe_code_has_pools() {
    assert_eq!(consumer::doubled(21), 42);
    assert_eq!(consumer::answers(), Some(-1));
    let registration: rb::Registration<consumer::SAFE> =
        consumer::SAFE.register(|number| number + 1).unwrap();
    assert_eq!((registration.as_fn())(41), 42);
}
