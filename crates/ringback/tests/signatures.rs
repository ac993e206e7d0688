// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every kind of signature, called through its bare C pointer.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

use ringback::callback_pool;
use std::ffi::{c_char, c_int, c_void};

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Large {
    words: [u64; 6],
}
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    a: f32,
    b: i32,
}
#[repr(C)]
pub struct Borrowing<'a> {
    text: &'a c_int,
}
#[repr(transparent)]
pub struct Celsius(f32);
// SAFETY: transparent over f32.
unsafe impl ringback::signature::Scalar for Celsius {
    const PASSING: ringback::signature::Passing = ringback::signature::Passing::Float;
}

callback_pool! { static NOTHING: Pool<unsafe extern "C" fn(), 3>; }
callback_pool! { static ONE: Pool<extern "C" fn(i32) -> i32, 3>; fallback = -1; }
callback_pool! { static FIVE: Pool<unsafe extern "C" fn(a: u8, b: &u64, c: *const c_char, d: bool, e: i16) -> u64, 3>; fallback = 0; }
callback_pool! { static SIX: Pool<unsafe extern "C" fn(u8, u16, u32, u64, usize, i8) -> u64, 3>; fallback = 0; }
callback_pool! { static FLOATS: Pool<extern "C" fn(f64, i32, f32, f64, f64, f64, f64, f64, f64, f64) -> f64, 3>; fallback = f64::NAN; }
callback_pool! { static TWELVE: Pool<unsafe extern "system" fn(i8, i16, i32, i64, f32, f64, u8, u16, u32, u64, *mut c_void, i128, u128, Pair) -> i64, 3>; fallback = 0; }
callback_pool! { static STRUCTS: Pool<extern "C-unwind" fn(i32, *const Large, u8) -> Large, 3>; fallback = Large { words: [0; 6] }; }
callback_pool! { static BY_VALUE: Pool<unsafe extern "C" fn(Large, Pair, i32) -> Pair, 3>; fallback = Pair { a: 0.0, b: 0 }; }
callback_pool! { static WIDE: Pool<extern "C" fn(i128, i32, u128) -> i128, 3>; fallback = 0; }
callback_pool! { static NAMED: Pool<for<'a, 'b,> unsafe extern "C" fn(a: &'a mut Borrowing<'b>, b: &'b c_int) -> c_int, 3>; fallback = 0; }
callback_pool! { static ELIDED: Pool<unsafe extern "C" fn(Option<&Borrowing<'_>>, c_int,) -> c_int, 3>; fallback = 0; }
callback_pool! { static FUNCTION: Pool<unsafe extern "C" fn(f: extern "C" fn(&c_int) -> c_int, for<'a> extern "C" fn(&'a u8) -> &'a u8, c_int) -> c_int, 3>; fallback = 0; }
callback_pool! { static TRANSPARENT: Pool<unsafe extern "C" fn(Celsius) -> Celsius, 3>; fallback = Celsius(0.0); }
callback_pool! { static STATIC_RESULT: Pool<unsafe extern "C" fn(c_int) -> &'static c_int, 3>; fallback = &7; }

type Alias = Option<unsafe extern "C" fn(*mut c_void, c_int) -> c_int>;
type AliasUnit = extern "system" fn(f32);
callback_pool! { static ALIAS: Pool<Alias, 3>; fallback = -9; }
callback_pool! { static ALIAS_UNIT: Pool<AliasUnit, 3>; }
callback_pool! { static ALIAS_PATH: Pool<Option<extern "C" fn(Large, i32) -> i32>, 3>; fallback = -9; }

const COUNT: usize = 20;
callback_pool! { static EXPRESSION: Pool<extern "C" fn(usize) -> usize, { COUNT * 2 + 1 }>; fallback = usize::MAX; }
callback_pool! { static CONSTANT: Pool<extern "C" fn(usize) -> usize, COUNT>; fallback = usize::MAX; }

#[test]
fn every_signature_reaches_its_listener_with_its_arguments() {
    let hits = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let h = hits.clone();
    let r = NOTHING
        .register(move || {
            h.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        })
        .unwrap();
    // SAFETY: the pool's function.
    unsafe { (r.as_fn())() };
    assert_eq!(hits.load(std::sync::atomic::Ordering::SeqCst), 1);

    let r = ONE.register(|x| x * 2).unwrap();
    assert_eq!((r.as_fn())(21), 42);

    let r = FIVE
        .register(|a, b, c, d, e| u64::from(a) + *b + c.addr() as u64 + u64::from(d) + e as u64)
        .unwrap();
    // SAFETY: valid arguments; the pointer is not read.
    assert_eq!(unsafe { (r.as_fn())(1, &10, std::ptr::without_provenance(100), true, 1000) }, 1112);

    let r = SIX
        .register(|a, b, c, d, e, f| {
            u64::from(a) + u64::from(b) + u64::from(c) + d + e as u64 + f as u64
        })
        .unwrap();
    // SAFETY: plain integers.
    assert_eq!(unsafe { (r.as_fn())(1, 2, 3, 4, 5, 6) }, 21);

    let r = FLOATS
        .register(|a, i, b, c, d, e, f, g, h, last| {
            a + f64::from(i) + f64::from(b) + c + d + e + f + g + h + last * 100.0
        })
        .unwrap();
    assert_eq!((r.as_fn())(1.0, 2, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0), 1045.0);

    let r = TWELVE
        .register(|a, b, c, d, e, f, g, h, i, j, k, l, m, n| {
            i64::from(a)
                + i64::from(b)
                + i64::from(c)
                + d
                + e as i64
                + f as i64
                + i64::from(g)
                + i64::from(h)
                + i64::from(i)
                + j as i64
                + k.addr() as i64
                + l as i64
                + m as i64
                + i64::from(n.b)
        })
        .unwrap();
    // SAFETY: plain values; the pointer is not read.
    let sum = unsafe {
        (r.as_fn())(
            1,
            2,
            3,
            4,
            5.0,
            6.0,
            7,
            8,
            9,
            10,
            std::ptr::without_provenance_mut(11),
            12,
            13,
            Pair { a: 0.0, b: 14 },
        )
    };
    assert_eq!(sum, 105);

    let r = STRUCTS
        .register(|i, large, j| {
            // SAFETY: the test passes a valid pointer.
            let mut words = unsafe { (*large).words };
            words[0] = i as u64;
            words[5] = u64::from(j);
            Large { words }
        })
        .unwrap();
    assert_eq!((r.as_fn())(5, &Large { words: [9; 6] }, 6).words, [5, 9, 9, 9, 9, 6]);

    let r = BY_VALUE
        .register(|large, pair, i| Pair {
            a: pair.a + 1.0,
            b: large.words.iter().sum::<u64>() as i32 + i,
        })
        .unwrap();
    // SAFETY: plain values.
    let pair = unsafe { (r.as_fn())(Large { words: [1; 6] }, Pair { a: 1.0, b: 0 }, 3) };
    assert_eq!(pair, Pair { a: 2.0, b: 9 });

    let r = WIDE.register(|a, b, c| a + i128::from(b) + c as i128).unwrap();
    assert_eq!((r.as_fn())(1 << 100, 1, 1 << 90), (1 << 100) + 1 + (1 << 90));

    let r = NAMED
        .register(|a, b| {
            a.text = b;
            *a.text
        })
        .unwrap();
    let (one, two) = (1, 2);
    let mut borrowing = Borrowing { text: &one };
    // SAFETY: valid references.
    assert_eq!(unsafe { (r.as_fn())(&mut borrowing, &two) }, 2);
    assert_eq!(*borrowing.text, 2);

    let r = ELIDED.register(|a, b| a.map_or(0, |a| *a.text) + b).unwrap();
    // SAFETY: valid references.
    assert_eq!(unsafe { (r.as_fn())(Some(&Borrowing { text: &one }), 5) }, 6);

    extern "C" fn double(x: &c_int) -> c_int {
        *x * 2
    }
    extern "C" fn same(x: &u8) -> &u8 {
        x
    }
    let r = FUNCTION.register(|f, g, x| f(&x) + c_int::from(*g(&1))).unwrap();
    // SAFETY: valid functions.
    assert_eq!(unsafe { (r.as_fn())(double, same, 4) }, 9);

    let r = TRANSPARENT.register(|c| Celsius(c.0 + 1.0)).unwrap();
    // SAFETY: a float.
    assert_eq!(unsafe { (r.as_fn())(Celsius(1.5)) }.0, 2.5);

    let r = STATIC_RESULT.register(|_| &8).unwrap();
    // SAFETY: an integer.
    assert_eq!(unsafe { *(r.as_fn())(0) }, 8);
    // SAFETY: an integer.
    assert_eq!(unsafe { *(STATIC_RESULT.thunk(2).unwrap())(0) }, 7);
}

#[test]
fn aliases_give_back_their_own_type_and_infer_the_listeners_arguments() {
    let r = ALIAS.register(|data, n| data.addr() as c_int + n.abs()).unwrap();
    let function: Alias = r.as_fn();
    // SAFETY: plain values.
    assert_eq!(unsafe { function.unwrap()(std::ptr::without_provenance_mut(40), -2) }, 42);

    let sum = std::sync::Arc::new(std::sync::Mutex::new(0.0));
    let inner = sum.clone();
    let mut r = ALIAS_UNIT.register_mut(move |x| *inner.lock().unwrap() += x).unwrap();
    let function: AliasUnit = r.as_fn();
    function(1.5);
    function(2.5);
    assert_eq!(*sum.lock().unwrap(), 4.0);
    r.replace(|_| ()).unwrap().detach();
    function(100.0);
    assert_eq!(*sum.lock().unwrap(), 4.0);

    let r = ALIAS_PATH.register_once(|large, n| large.words[0] as i32 + n).unwrap();
    assert_eq!(r.as_fn().unwrap()(Large { words: [2; 6] }, 3), 5);
    assert_eq!(r.as_fn().unwrap()(Large { words: [2; 6] }, 3), -9);
}

#[test]
fn the_number_of_slots_is_any_constant_expression() {
    assert_eq!(EXPRESSION.slots(), 41);
    assert_eq!(CONSTANT.slots(), 20);
    assert!(EXPRESSION.thunk(40).is_some() && EXPRESSION.thunk(41).is_none());
}

#[test]
fn one_slot_has_one_address_and_pools_stay_apart() {
    let mut addresses: Vec<usize> =
        (0..41).map(|i| EXPRESSION.thunk(i).unwrap() as usize).collect();
    addresses.extend((0..20).map(|i| CONSTANT.thunk(i).unwrap() as usize));
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 61);
    let pointer = EXPRESSION.thunk(17).unwrap();
    assert_eq!(EXPRESSION.lookup(pointer), Some(17));
    assert_eq!(CONSTANT.lookup(pointer), None);
}

#[test]
fn every_slot_leads_to_its_own_listener_slot_zero_included() {
    let all: Vec<_> =
        (0..41).map(|i| EXPRESSION.register(move |x| x + i * 1000).unwrap()).collect();
    for (i, registration) in all.iter().enumerate() {
        assert_eq!(registration.slot(), i);
        assert_eq!((registration.as_fn())(7), 7 + i * 1000);
    }
    drop(all);
    for i in 0..41 {
        assert_eq!((EXPRESSION.thunk(i).unwrap())(7), usize::MAX);
    }
}
