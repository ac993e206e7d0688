// SPDX-License-Identifier: MIT OR Apache-2.0

//! The part of `callback_pool!`'s expansion that async listeners need; nothing without `std`.

/// Of a pool whose signature is written out.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __accepts_take {
    (
        $name:ident lifetimes [$($lifetime:lifetime),*] types [$($ty:ty),*]
        arguments [$($argument:ident),*] output [$output:ty]
    ) => {
        // SAFETY: `CALL` takes a pointer to the `Inlet`.
        unsafe impl<RingbackTake, RingbackMessage>
            $crate::__private::AcceptsTake<RingbackTake, RingbackMessage> for $name
        where
            RingbackTake: for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                -> $crate::Take<RingbackMessage, $output>,
            for<'ringback> $output: ::core::clone::Clone, // `for`: may be false, see rust#48214
        {
            // SAFETY: the promise of whoever calls a `CALL`.
            const CALL: Self::Call = |$($argument,)* data| unsafe {
                $crate::__private::inlet::<$name, RingbackTake, RingbackMessage>(data, |take| {
                    take($($argument),*)
                })
            };
        }
    };
}

/// Of a pool whose type is an alias.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __accepts_shape_take {
    ($name:ident) => {
        // SAFETY: `ShapeAcceptsTake` has the same contract.
        unsafe impl<RingbackTake, RingbackMessage>
            $crate::__private::AcceptsTake<RingbackTake, RingbackMessage> for $name
        where
            RingbackShape:
                $crate::__private::ShapeAcceptsTake<$name, RingbackTake, RingbackMessage>,
        {
            const CALL: Self::Call = <RingbackShape as $crate::__private::ShapeAcceptsTake<
                $name,
                RingbackTake,
                RingbackMessage,
            >>::CALL;
        }
    };
}

#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __accepts_take {
    ($($declaration:tt)*) => {};
}

#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __accepts_shape_take {
    ($name:ident) => {};
}
