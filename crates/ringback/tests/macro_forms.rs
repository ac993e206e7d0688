// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where and how a pool can be declared: each form is registered with and called.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, unreachable_pub, reason = "a test")]

use ringback::callback_pool;
use std::ffi::{c_int, c_void};

/// Inside a function, as its last thing, and visible from a path.
mod places {
    use super::*;

    pub fn counts_up() -> c_int {
        callback_pool! { static INNER: Pool<extern "C" fn(c_int) -> c_int, 2>; fallback = 0; }
        let registration = INNER.register(|x| x + 1).unwrap();
        (registration.as_fn())(41)
    }

    fn declares_only() {
        callback_pool! {
            #[allow(dead_code)]
            static NEVER_USED: Pool<extern "C" fn(c_int) -> c_int, 2>;
            fallback = 0;
        }
    }

    pub mod inner {
        use super::*;
        callback_pool! { pub(crate) static CRATE: Pool<extern "C" fn() -> c_int, 1>; fallback = 1; }
        callback_pool! { pub(super) static SUPER: Pool<extern "C" fn() -> c_int, 1>; fallback = 2; }
        callback_pool! {
            pub(in crate::places) static PLACES: Pool<extern "C" fn() -> c_int, 1>;
            fallback = 3;
        }
    }

    #[test]
    fn in_functions_and_modules() {
        assert_eq!(counts_up(), 42);
        declares_only();
        assert_eq!(inner::SUPER.thunk(0).unwrap()(), 2);
        assert_eq!(inner::PLACES.thunk(0).unwrap()(), 3);
        assert!(inner::PLACES.name().ends_with("macro_forms::places::inner::PLACES"));
    }
}

#[test]
fn a_pool_is_visible_where_it_says() {
    let registration: ringback::Registration<places::inner::CRATE> =
        places::inner::CRATE.register(|| 7).unwrap();
    assert_eq!((registration.as_fn())(), 7);
}

/// Everything that a `macro_rules` macro can capture.
mod captured {
    use super::*;

    macro_rules! everything {
        (
            $(#[$attribute:meta])* $vis:vis $name:ident $abi:literal ($($argument:ident: $ty:ty),*)
            -> $output:ty, $slots:expr, $fallback:expr, $reuse:ident
        ) => {
            callback_pool! {
                $(#[$attribute])*
                $vis static $name: Pool<unsafe extern $abi fn($($argument: $ty),*) -> $output, $slots>;
                fallback = $fallback;
                on_panic = -$fallback;
                reuse = $reuse;
            }
        };
    }
    everything! {
        /// Documentation.
        #[allow(dead_code)]
        pub(crate) WHOLE "C" (number: &i32, data: *mut c_void) -> i32, 1 + 2, 1 + 1, oldest_first
    }
    everything! { PRIVATE "system" (number: i32, other: extern "C" fn(&i32) -> i32) -> i32, 3, 2, never }

    #[test]
    fn fragments_arrive_whole() {
        assert_eq!(WHOLE.slots(), 3);
        let registration = WHOLE.register(|number, _| *number).unwrap();
        // SAFETY: valid arguments.
        unsafe {
            assert_eq!((registration.as_fn())(&5, std::ptr::null_mut()), 5);
            assert_eq!((WHOLE.thunk(2).unwrap())(&5, std::ptr::null_mut()), 2);
        }
        let panics =
            WHOLE.register(|_, _| std::panic::resume_unwind(Box::new("by a test"))).unwrap();
        // SAFETY: valid arguments.
        let answer = unsafe { (panics.as_fn())(&5, std::ptr::null_mut()) };
        assert_eq!(answer, -2, "`-$fallback` with `1 + 1`");
        extern "C" fn same(x: &i32) -> i32 {
            *x
        }
        let registration = PRIVATE.register(|number, other| other(&number)).unwrap();
        // SAFETY: valid arguments.
        assert_eq!(unsafe { (registration.as_fn())(9, same) }, 9);
    }

    macro_rules! of_type {
        ($name:ident: $ty:ty) => {
            callback_pool! { static $name: Pool<$ty, 2>; fallback = 0; }
        };
    }
    of_type!(PLAIN: unsafe extern "C" fn(i32, u8) -> i32);
    of_type!(BORROWS: for<'a> unsafe extern "C" fn(&'a i32, Option<&'a u8>) -> i32);
    of_type!(OPTIONAL: Option<unsafe extern "C" fn(i32) -> i32>);

    macro_rules! of_item {
        ($item:item) => {
            callback_pool! { $item fallback = 3; }
        };
    }
    of_item!(
        pub(crate) static ITEM: Pool<extern "C" fn() -> i32, 2>;
    );

    macro_rules! of_pool_type {
        ($ty:ty, $output:ty) => {
            callback_pool! { static POOL_TYPE: $ty; fallback = <$output>::MAX; on_panic = <$output>::MIN; }
        };
    }
    of_pool_type!(Pool<extern "C" fn() -> i16, 2>, i16);

    macro_rules! returns_nothing {
        ($output:ty) => {
            callback_pool! { static NOTHING: Pool<unsafe extern "C" fn(u8) -> $output, 2>; }
        };
    }
    returns_nothing!(());

    #[test]
    fn whole_types_and_items() {
        let plain = PLAIN.register(|a, b| a + i32::from(b)).unwrap();
        let borrows = BORROWS.register(|a, b| *a + i32::from(*b.unwrap_or(&0))).unwrap();
        let optional = OPTIONAL.register(|a| a).unwrap();
        let nothing = NOTHING.register(|_| ()).unwrap();
        // SAFETY: valid arguments.
        unsafe {
            assert_eq!((plain.as_fn())(40, 2), 42);
            assert_eq!((borrows.as_fn())(&40, Some(&2)), 42);
            assert_eq!((optional.as_fn().unwrap())(42), 42);
            (nothing.as_fn())(1);
        }
        assert_eq!(ITEM.thunk(0).unwrap()(), 3);
        assert_eq!(POOL_TYPE.thunk(1).unwrap()(), i16::MAX);
    }

    macro_rules! repeated {
        ($($name:ident $slots:literal)*) => { $(
            callback_pool! { pub static $name: Pool<extern "C" fn(usize) -> usize, $slots>; fallback = $slots; }
        )* };
    }
    repeated! { THREE 3 FOUR 4 }

    #[test]
    fn repetitions() {
        assert_eq!((THREE.slots(), THREE.thunk(0).unwrap()(1)), (3, 3));
        assert_eq!((FOUR.slots(), FOUR.thunk(3).unwrap()(1)), (4, 4));
    }
}

/// Attributes: conditions hold for everything that a pool expands to.
mod attributes {
    use super::*;

    callback_pool! {
        #[cfg(any())]
        /// Never there, so its types need not be.
        pub static ABSENT: Pool<unsafe extern "C" fn(NoSuchType) -> Nothing, { no_number }>;
        fallback = no_value;
    }
    callback_pool! {
        #[cfg(any())]
        pub static ABSENT_ALIAS: Pool<NoSuchAlias, 0_0>;
    }
    #[allow(non_camel_case_types)]
    #[allow(clippy::upper_case_acronyms)]
    struct ABSENT;

    callback_pool! {
        #[cfg(all())]
        /// One of two.
        static CHOSEN: Pool<extern "C" fn() -> u8, 1>;
        fallback = 1;
    }
    callback_pool! {
        #[cfg(not(all()))]
        static CHOSEN: Pool<extern "C" fn() -> u8, 1>;
        fallback = 2;
    }

    macro_rules! conditional {
        ($(#[$attribute:meta])* $name:ident) => {
            callback_pool! { $(#[$attribute])* static $name: Pool<extern "C" fn() -> u8, 1>; fallback = 3; }
        };
    }
    conditional! { #[cfg(any())] CAPTURED }
    conditional! { #[cfg(all())] #[doc = "Documentation."] CAPTURED }

    callback_pool! {
        #[deprecated = "for the test"]
        #[doc(hidden)]
        #[doc(alias = "other")]
        pub static OLD: Pool<extern "C" fn() -> u8, 1>;
        fallback = 4;
    }
    callback_pool! {
        #[allow(non_upper_case_globals)]
        #[cfg_attr(all(), doc = "Documentation.")]
        static lower_case: Pool<extern "C" fn() -> u8, 1>;
        fallback = 5;
    }
    callback_pool! {
        #[expect(non_upper_case_globals)]
        #[rustfmt::skip]
        static Mixed: Pool<extern "C" fn() -> u8, 1>;
        fallback = 6;
    }
    callback_pool! {
        #[allow(improper_ctypes_definitions)]
        static IMPROPER: Pool<unsafe extern "C" fn(text: &str) -> u8, 1>;
        fallback = 8;
    }

    #[test]
    fn they_reach_the_whole_expansion() {
        let _ = ABSENT;
        assert_eq!(CHOSEN.thunk(0).unwrap()(), 1);
        assert_eq!(CAPTURED.thunk(0).unwrap()(), 3);
        #[allow(deprecated)]
        let old = OLD.thunk(0).unwrap();
        assert_eq!(old(), 4);
        assert_eq!(lower_case.thunk(0).unwrap()(), 5);
        assert_eq!(Mixed.thunk(0).unwrap()(), 6);
        let registration = IMPROPER.register(|text| text.len() as u8).unwrap();
        // SAFETY: called from Rust, as a `&str` demands.
        assert_eq!(unsafe { (registration.as_fn())("four") }, 4);
    }
}

/// Names: of arguments, of types, of constants.
mod names {
    use super::*;

    // What the template calls its own variables; keywords; what stands in scope as an item.
    callback_pool! {
        static VARIABLES: Pool<
            unsafe extern "C" fn(
                index: u8, data: u8, call: u8, listener: u8, body: u8, take: u8, argument0: u8,
                r#type: u8, r#fn: u8, _: u8, constant: u8, unit: u8, global: u8, same: u8, same: u8,
            ) -> u32,
            2,
        >;
        fallback = 0;
    }
    #[allow(non_upper_case_globals)]
    const constant: u8 = 1;
    #[allow(non_camel_case_types)]
    struct unit;
    #[allow(non_upper_case_globals)]
    static global: u8 = 1;

    // What the template calls its types, or might.
    #[repr(C)]
    pub struct F(pub u8);
    #[repr(C)]
    pub struct I(pub u8);
    #[repr(C)]
    pub struct S(pub u8);
    #[repr(C)]
    pub struct At(pub u8);
    callback_pool! { static TYPES: Pool<unsafe extern "C" fn(F, &I, At, *const S) -> F, 2>; fallback = F(0); }
    type ByName = unsafe extern "C" fn(F, I, At, *const S) -> F;
    callback_pool! { static TYPES_BY_NAME: Pool<ByName, 2>; fallback = F(0); }

    // In constants too.
    const REGISTER: usize = 3;
    const TABLE: usize = 2;
    const SLOTS: usize = 5;
    callback_pool! {
        static CONSTANTS: Pool<unsafe extern "C" fn(&[u8; REGISTER], &[u8; TABLE]) -> u8, SLOTS>;
        fallback = SLOTS as u8;
    }

    #[test]
    fn any_name_will_do() {
        let _ = (constant, unit, global);
        let registration = VARIABLES
            .register(|a, b, c, d, e, f, g, h, i, j, k, l, m, n, o| {
                [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o].iter().map(|x| u32::from(*x)).sum()
            })
            .unwrap();
        // SAFETY: plain values.
        let sum =
            unsafe { (registration.as_fn())(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) };
        assert_eq!(sum, 120);

        let types = TYPES.register(|f, i, at, _| F(f.0 + i.0 + at.0)).unwrap();
        let by_name = TYPES_BY_NAME.register(|f, i, at, _| F(f.0 + i.0 + at.0)).unwrap();
        // SAFETY: the pointer is not read.
        unsafe {
            assert_eq!((types.as_fn())(F(1), &I(2), At(3), &S(4)).0, 6);
            assert_eq!((by_name.as_fn())(F(1), I(2), At(3), &S(4)).0, 6);
        }
        let registration = CONSTANTS.register(|a, b| a[2] + b[1]).unwrap();
        // SAFETY: valid references.
        assert_eq!(unsafe { (registration.as_fn())(&[1, 2, 3], &[4, 5]) }, 8);
        assert_eq!(CONSTANTS.slots(), 5);
    }

    /// A module that redefines the prelude.
    #[allow(dead_code, unused_macros, unused_imports)]
    mod own_prelude {
        pub struct Box;
        pub struct Option;
        pub struct Some(pub u8);
        pub struct None;
        pub struct Ok;
        pub struct Err;
        pub trait Fn {}
        pub trait FnMut {}
        pub trait FnOnce {}
        pub trait Send {}
        pub trait Sync {}
        pub trait Clone {}
        pub trait Copy {}
        pub mod core {}
        pub mod std {}
        pub mod ringback {}
        macro_rules! concat {
            ($($any:tt)*) => {
                compile_error!("the user's own")
            };
        }
        macro_rules! stringify {
            ($($any:tt)*) => {
                compile_error!("the user's own")
            };
        }
        macro_rules! assert {
            ($($any:tt)*) => {
                compile_error!("the user's own")
            };
        }
        use {assert, concat, stringify};

        ::ringback::callback_pool! {
            pub static POOL: Pool<unsafe extern "C" fn(&u8, i32) -> i32, 2>;
            fallback = -1;
            count_calls = true;
            on_busy = wait(::std::time::Duration::from_millis(1), -2);
        }
        ::ringback::callback_pool! { pub static SAFE: Pool<extern "C" fn(u8, i32) -> i32, 2>; fallback = -1; }
        pub type Alias = extern "C" fn(i32) -> i32;
        ::ringback::callback_pool! { pub static ALIAS: Pool<Alias, 2>; fallback = -1; }
        ::ringback::callback_pool! { pub static UNIT: Pool<extern "C" fn(i32), 2>; }
    }

    #[no_implicit_prelude]
    mod no_prelude {
        ::ringback::callback_pool! {
            pub static POOL: Pool<unsafe extern "C" fn(&u8, i32) -> i32, 2>;
            fallback = -1;
        }
        pub type Alias = extern "C" fn(i32) -> i32;
        ::ringback::callback_pool! { pub static ALIAS: Pool<Alias, 2>; fallback = -1; }
    }

    #[test]
    fn the_prelude_may_be_anything() {
        let registration = own_prelude::POOL.register_mut(|a, b| i32::from(*a) + b).unwrap();
        // SAFETY: a valid reference.
        assert_eq!(unsafe { (registration.as_fn())(&40, 2) }, 42);
        assert_eq!(own_prelude::SAFE.thunk(0).unwrap()(1, 2), -1);
        assert_eq!(own_prelude::ALIAS.thunk(0).unwrap()(1), -1);
        own_prelude::UNIT.thunk(0).unwrap()(1);
        let registration = no_prelude::POOL.register(|a, b| i32::from(*a) + b).unwrap();
        // SAFETY: a valid reference.
        assert_eq!(unsafe { (registration.as_fn())(&40, 2) }, 42);
        let registration = no_prelude::ALIAS.register(|a| a).unwrap();
        assert_eq!((registration.as_fn())(42), 42);
    }
}
