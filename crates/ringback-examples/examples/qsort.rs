// SPDX-License-Identifier: MIT OR Apache-2.0

//! libc's `qsort` with a Rust comparator that borrows from the stack.
//!
//! `qsort` passes nothing to its comparator but the two elements, so a closure has nothing to hang
//! on. It calls the comparator until it returns and keeps no copy: the case for a scope.

use ringback::callback_pool;
use std::cmp::Ordering;
use std::ffi::{c_int, c_void};

/// The comparator as `libc::qsort` takes it. A pool may be declared with such an alias, or with the
/// type written out, as the example `tree` does.
type Comparator = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;

callback_pool! {
    /// As many sorts as may run at once, each on a thread of its own or inside another's comparator.
    static COMPARE: Pool<Comparator, 16>;
    fallback = 0; // what is left after a panic in a comparator: any order
}

/// Sorts by `compare`, which may borrow and change what it likes.
fn sort_by<T: Copy>(elements: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering + Send) {
    COMPARE.scope(|scope| {
        let comparator = scope.register_mut(|a, b| {
            // SAFETY: `qsort` passes two elements of the array, which are `T`s.
            let (a, b) = unsafe { (&*a.cast::<T>(), &*b.cast::<T>()) };
            compare(a, b) as c_int
        });
        let comparator = comparator.unwrap_or_else(|full| panic!("{full}"));
        // SAFETY: the array's own address, length and element size; `T: Copy` may be moved about as
        // bytes; the comparator takes any two elements.
        unsafe {
            libc::qsort(
                elements.as_mut_ptr().cast(),
                elements.len(),
                size_of::<T>(),
                comparator.as_fn(),
            );
        }
        comparator.confirm_forgotten(); // qsort has returned, so its slot may serve another sort
    });
}

fn main() {
    let signals = ["doors", "speed", "lights", "brake", "radio", "airbag", "wipers"];
    let urgency = [3, 1, 4, 0, 6, 0, 5];

    let mut order: Vec<usize> = (0..signals.len()).collect();
    let mut comparisons = 0;
    sort_by(&mut order, |a, b| {
        comparisons += 1;
        urgency[*a].cmp(&urgency[*b]).then(signals[*a].cmp(signals[*b]))
    });

    for signal in &order {
        println!("{}  {}", urgency[*signal], signals[*signal]);
    }
    println!("{comparisons} comparisons");

    let mut expected: Vec<usize> = (0..signals.len()).collect();
    expected.sort_by_key(|signal| (urgency[*signal], signals[*signal]));
    assert_eq!(order, expected);
    assert_eq!(COMPARE.stats().census.free, COMPARE.slots());
}
