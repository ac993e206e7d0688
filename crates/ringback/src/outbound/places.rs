// SPDX-License-Identifier: MIT OR Apache-2.0

//! The C functions behind [`UserData`](super::user_data::UserData): one for each number of arguments
//! and each place that the user data can have among them.

use super::user_data::{Carries, DataPointer, Finds, LastPlace, Nth, carry};
use core::ffi::c_void;

/// `place N: before.. [data] after..;`
macro_rules! places {
    ($($place:literal: $($before:ident $b:ident),* [$data:ident] $($after:ident $a:ident),*;)+) => { $(
        // SAFETY: the function has the shape, and carries what stands in the place.
        unsafe impl<Closure, Fallback, R, X, $($before,)* $($after,)*>
            Carries<Nth<$place>, Closure, Fallback> for fn($($before,)* X, $($after,)*) -> R
        where
            X: DataPointer,
            Closure: Fn($($before,)* $($after,)*) -> R + 'static,
            Fallback: Fn() -> R,
        {
            const FUNCTION: *const () = {
                /// # Safety
                /// The arguments are what the C signature promises.
                unsafe extern "C" fn function<Closure, Fallback, R, X, $($before,)* $($after,)*>(
                    $($b: $before,)* $data: X, $($a: $after,)*
                ) -> R
                where
                    X: DataPointer,
                    Closure: Fn($($before,)* $($after,)*) -> R + 'static,
                    Fallback: Fn() -> R,
                {
                    // SAFETY: whoever registered gave a fallback of this type.
                    unsafe {
                        carry::<Closure, Fallback, R>($data.id(), |closure| {
                            closure($($b,)* $($a,)*)
                        })
                    }
                }
                function::<Closure, Fallback, R, X, $($before,)* $($after,)*> as *const ()
            };
        }
    )+ };
}

/// `last place: arguments..;`
macro_rules! shapes {
    ($($last:literal: $($ty:ident $name:ident),+;)+) => { $(
        impl<R, $($ty),+> LastPlace for fn($($ty),+) -> R {
            type Last = Nth<$last>;
        }

        // SAFETY: the function has the shape, and carries what is found.
        unsafe impl<Finder, Closure, Fallback, R, $($ty: Copy),+> Finds<Finder, Closure, Fallback>
            for fn($($ty),+) -> R
        where
            Finder: Fn($($ty),+) -> *mut c_void,
            Closure: Fn($($ty),+) -> R + 'static,
            Fallback: Fn() -> R,
        {
            const FUNCTION: *const () = {
                /// # Safety
                /// The arguments are what the C signature promises.
                unsafe extern "C" fn function<Finder, Closure, Fallback, R, $($ty: Copy),+>(
                    $($name: $ty),+
                ) -> R
                where
                    Finder: Fn($($ty),+) -> *mut c_void,
                    Closure: Fn($($ty),+) -> R + 'static,
                    Fallback: Fn() -> R,
                {
                    // SAFETY: of no size, so nothing is read; the one that was given is never dropped.
                    let find = unsafe { core::ptr::NonNull::<Finder>::dangling().as_ref() };
                    let data = crate::boundary::answer_or_abort("ringback::UserData", || {
                        find($($name),+)
                    });
                    // SAFETY: whoever registered gave a fallback of this type.
                    unsafe {
                        carry::<Closure, Fallback, R>(data.addr(), |closure| closure($($name),+))
                    }
                }
                function::<Finder, Closure, Fallback, R, $($ty),+> as *const ()
            };
        }
    )+ };
}

places! {
    0: [data];
    0: [data] A a;
    1: A a [data];
    0: [data] A a, B b;
    1: A a [data] B b;
    2: A a, B b [data];
    0: [data] A a, B b, C c;
    1: A a [data] B b, C c;
    2: A a, B b [data] C c;
    3: A a, B b, C c [data];
    0: [data] A a, B b, C c, D d;
    1: A a [data] B b, C c, D d;
    2: A a, B b [data] C c, D d;
    3: A a, B b, C c [data] D d;
    4: A a, B b, C c, D d [data];
    0: [data] A a, B b, C c, D d, E e;
    1: A a [data] B b, C c, D d, E e;
    2: A a, B b [data] C c, D d, E e;
    3: A a, B b, C c [data] D d, E e;
    4: A a, B b, C c, D d [data] E e;
    5: A a, B b, C c, D d, E e [data];
    0: [data] A a, B b, C c, D d, E e, F f;
    1: A a [data] B b, C c, D d, E e, F f;
    2: A a, B b [data] C c, D d, E e, F f;
    3: A a, B b, C c [data] D d, E e, F f;
    4: A a, B b, C c, D d [data] E e, F f;
    5: A a, B b, C c, D d, E e [data] F f;
    6: A a, B b, C c, D d, E e, F f [data];
    0: [data] A a, B b, C c, D d, E e, F f, G g;
    1: A a [data] B b, C c, D d, E e, F f, G g;
    2: A a, B b [data] C c, D d, E e, F f, G g;
    3: A a, B b, C c [data] D d, E e, F f, G g;
    4: A a, B b, C c, D d [data] E e, F f, G g;
    5: A a, B b, C c, D d, E e [data] F f, G g;
    6: A a, B b, C c, D d, E e, F f [data] G g;
    7: A a, B b, C c, D d, E e, F f, G g [data];
    0: [data] A a, B b, C c, D d, E e, F f, G g, H h;
    1: A a [data] B b, C c, D d, E e, F f, G g, H h;
    2: A a, B b [data] C c, D d, E e, F f, G g, H h;
    3: A a, B b, C c [data] D d, E e, F f, G g, H h;
    4: A a, B b, C c, D d [data] E e, F f, G g, H h;
    5: A a, B b, C c, D d, E e [data] F f, G g, H h;
    6: A a, B b, C c, D d, E e, F f [data] G g, H h;
    7: A a, B b, C c, D d, E e, F f, G g [data] H h;
    8: A a, B b, C c, D d, E e, F f, G g, H h [data];
    0: [data] A a, B b, C c, D d, E e, F f, G g, H h, I i;
    1: A a [data] B b, C c, D d, E e, F f, G g, H h, I i;
    2: A a, B b [data] C c, D d, E e, F f, G g, H h, I i;
    3: A a, B b, C c [data] D d, E e, F f, G g, H h, I i;
    4: A a, B b, C c, D d [data] E e, F f, G g, H h, I i;
    5: A a, B b, C c, D d, E e [data] F f, G g, H h, I i;
    6: A a, B b, C c, D d, E e, F f [data] G g, H h, I i;
    7: A a, B b, C c, D d, E e, F f, G g [data] H h, I i;
    8: A a, B b, C c, D d, E e, F f, G g, H h [data] I i;
    9: A a, B b, C c, D d, E e, F f, G g, H h, I i [data];
}

shapes! {
    0: A a;
    1: A a, B b;
    2: A a, B b, C c;
    3: A a, B b, C c, D d;
    4: A a, B b, C c, D d, E e;
    5: A a, B b, C c, D d, E e, F f;
    6: A a, B b, C c, D d, E e, F f, G g;
    7: A a, B b, C c, D d, E e, F f, G g, H h;
    8: A a, B b, C c, D d, E e, F f, G g, H h, I i;
    9: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j;
}
