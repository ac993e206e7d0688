// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every token in a declaration that could be mistaken for the end of something.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::eq_op,
    clippy::nonminimal_bool,
    clippy::type_complexity,
    reason = "written to be hard to parse"
)]

use ringback::callback_pool;

/// Types that are hard to read token by token.
mod types {
    use super::*;
    use std::marker::PhantomData;

    pub trait Family {
        type Out;
    }
    pub struct Numbers;
    impl Family for Numbers {
        type Out = i32;
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Sized_<const N: usize> {
        bytes: [u8; N],
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Bar<'a>(&'a i32);
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Foo<T>(T);
    #[repr(C)]
    pub struct Two<A, B>(PhantomData<(A, B)>, i32);
    mod inner {
        pub type Alias<T> = extern "C" fn(T) -> T;
    }

    callback_pool! {
        /// Every token that could be mistaken for the end of something.
        #[allow(improper_ctypes_definitions)]
        static HARD: Pool<
            unsafe extern "C" fn(
                /// A doc comment.
                foo: &Foo<Bar<'_>>,
                /** Another. */
                #[doc = "and one more"]
                <Numbers as Family>::Out,
                array: *const [u8; 4],
                sized: Sized_<{ 1 + 2 }>,
                literal: Sized_<3>,
                path: ::std::ffi::c_int,
                named: ::core::option::Option<Foo<Foo<Bar<'_>>>>,
                *const Two<fn(i32) -> Vec<Option<u8>>, Two<u8, u16>>,
                tuple: &(u8, Vec<u8>),
                object: &dyn Fn(&u8) -> Vec<u8>,
                bounded: *const (dyn Family<Out = i32> + Send),
                last: i32,
            ) -> <Numbers as Family>::Out,
            { (1 << 2) - 2 },
        >;
        fallback = { let [a, b] = [1, 2]; if a < b && b > a { -1 } else { 0 } };
        on_panic = Vec::<Option<i32>>::new().len() as i32;
        on_busy = wait(std::time::Duration::from_millis(if 1 < 2 { 1 } else { 2 }), i32::MAX - 1,);
    }

    callback_pool! {static TIGHT:Pool<Option<inner::Alias<Foo<i32>>>,10>;fallback=Foo(-1);}
    callback_pool! { static NESTED: Pool<inner::Alias<i32>, { Sized_::<5>::SIZE }>; fallback = -1; }
    callback_pool! { static PATH: Pool<inner::Alias<i32>, <Sized_<6>>::SIZE>; fallback = -1; }
    callback_pool! { static TRAILING: Pool<extern "C" fn(i32,) -> i32, 2,>; fallback = -1; }
    callback_pool! { static RETURNS_FUNCTION: Pool<unsafe extern "C" fn(i32) -> extern "C" fn(&i32) -> i32, 2>; fallback = same; }
    callback_pool! { static RETURNS_STATIC: Pool<unsafe extern "C" fn(&i32) -> Option<&'static i32>, 2>; fallback = None; }
    callback_pool! { static NO_ABI: Pool<extern fn(i32) -> i32, 2>; fallback = -1; }
    callback_pool! { static LIFETIMES: Pool<for<'a, 'b, 'unused> unsafe extern "C" fn(&'a Foo<Bar<'b>>, &'b i32) -> i32, 2>; fallback = -1; }
    callback_pool! { static SAFE_LIFETIME: Pool<for<'a> extern "C" fn(*const Bar<'a>, *mut Foo<Bar<'_>>) -> i32, 2>; fallback = -1; }
    callback_pool! { static UNWINDS: Pool<extern "system-unwind" fn(i32) -> i32, 2>; fallback = -1; on_panic = propagate; }

    impl<const N: usize> Sized_<N> {
        const SIZE: usize = N;
    }
    extern "C" fn same(x: &i32) -> i32 {
        *x
    }

    #[test]
    fn they_are_read_to_their_end() {
        let registration = HARD
            .register(|foo, b, array, sized, literal, path, named, _, tuple, object, _, last| {
                // SAFETY: the test passes a valid pointer.
                let array = unsafe { (*array)[3] };
                *foo.0.0
                    + b
                    + i32::from(array + sized.bytes[2] + literal.bytes[2])
                    + path
                    + named.map_or(0, |foo| *foo.0.0.0)
                    + i32::from(tuple.0)
                    + object(&1).len() as i32
                    + last
            })
            .unwrap();
        let (three, bytes) = (3, [1, 2, 3, 4]);
        // SAFETY: valid references; the other pointers are not read.
        let sum = unsafe {
            (registration.as_fn())(
                &Foo(Bar(&three)),
                10,
                &bytes,
                Sized_ { bytes: [1, 2, 3] },
                Sized_ { bytes: [1, 2, 3] },
                100,
                Some(Foo(Foo(Bar(&three)))),
                std::ptr::null(),
                &(200, vec![]),
                &|x| vec![*x; 2],
                std::ptr::null::<Numbers>(),
                10_000,
            )
        };
        assert_eq!(sum, 3 + 10 + 4 + 3 + 3 + 100 + 3 + 200 + 2 + 10_000);
        assert_eq!(HARD.slots(), 2);

        assert_eq!((TIGHT.slots(), TIGHT.thunk(9).unwrap().unwrap()(Foo(1)).0), (10, -1));
        assert_eq!((NESTED.slots(), PATH.slots()), (5, 6));
        let registration = TRAILING.register(|x| x).unwrap();
        assert_eq!((registration.as_fn())(3), 3);
        let registration = RETURNS_FUNCTION.register(|_| same).unwrap();
        // SAFETY: a plain value.
        assert_eq!(unsafe { (registration.as_fn())(1) }(&5), 5);
        let registration = RETURNS_STATIC.register(|_| Some(&6)).unwrap();
        // SAFETY: a valid reference.
        assert_eq!(unsafe { (registration.as_fn())(&1) }, Some(&6));
        assert_eq!(NO_ABI.thunk(0).unwrap()(1), -1);
        let registration = LIFETIMES.register(|foo, other| *foo.0.0 + other).unwrap();
        // SAFETY: valid references.
        assert_eq!(unsafe { (registration.as_fn())(&Foo(Bar(&1)), &2) }, 3);
        assert_eq!(SAFE_LIFETIME.thunk(0).unwrap()(std::ptr::null(), std::ptr::null_mut()), -1);
        let registration = UNWINDS.register(|x| x).unwrap();
        assert_eq!((registration.as_fn())(5), 5);
    }
}
