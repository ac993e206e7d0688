// SPDX-License-Identifier: MIT OR Apache-2.0

//! A future of a size that is known beforehand: kept in the value itself if it fits.
//!
//! # State
//! `Place::Inline` holds a future in `bytes` from `new` until it is dropped; `calls` says of which
//! type. It is written before the value can be pinned and never moves after the first poll, since
//! the value is not `Unpin`. Nobody touches `bytes` but through `calls`, and no reference to them is
//! ever made: the future may hold references into itself, which would not survive one.

use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is kept in the value is aligned so far; a future that needs more goes onto the heap.
const ALIGNMENT: usize = align_of::<Bytes<0>>();

/// A cell, so that a reference to the whole is none to the bytes; not `Unpin`, so that an exclusive
/// one does not claim them either.
#[repr(align(16))]
struct Bytes<const N: usize>(UnsafeCell<[MaybeUninit<u8>; N]>, PhantomPinned);

impl<const N: usize> Bytes<N> {
    fn start(&self) -> *mut u8 {
        self.0.get().cast()
    }
}

/// What is known of the type of a future in `Bytes`.
struct Calls<T> {
    poll: unsafe fn(*mut u8, &mut Context<'_>) -> Poll<T>,
    drop: unsafe fn(*mut u8),
}

enum Place<T, D: ?Sized, const N: usize> {
    Inline { bytes: Bytes<N>, calls: Calls<T> },
    Heap(Pin<Box<D>>),
}

/// A future in `N` bytes of this very value, or on the heap where it does not fit.
struct Kept<T, D: ?Sized, const N: usize> {
    place: Place<T, D, N>,
    future: PhantomData<D>,
}

impl<T, D: ?Sized + Future<Output = T>, const N: usize> Kept<T, D, N> {
    fn fits<F>() -> bool {
        size_of::<F>() <= N && align_of::<F>() <= ALIGNMENT
    }

    /// # Safety
    /// A `D` may do whatever an `F` may: it is `Send` only if `F` is, and lives as long at most. `F`
    /// fits.
    unsafe fn inline<F: Future<Output = T>>(future: F) -> Self {
        let bytes = Bytes(UnsafeCell::new([MaybeUninit::uninit(); N]), PhantomPinned);
        // SAFETY: large enough and aligned, as `F` fits.
        unsafe { bytes.start().cast::<F>().write(future) };
        let calls = Calls { poll: poll::<F>, drop: drop_in_place::<F> };
        Kept { place: Place::Inline { bytes, calls }, future: PhantomData }
    }

    fn heap(future: Pin<Box<D>>) -> Self {
        Kept { place: Place::Heap(future), future: PhantomData }
    }

    fn is_inline(&self) -> bool {
        matches!(self.place, Place::Inline { .. })
    }

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // SAFETY: nothing is moved out: the bytes are polled where they are, the box is its own pin.
        match unsafe { &mut self.get_unchecked_mut().place } {
            // SAFETY: `calls` was made for the future in `bytes`, which is pinned with this.
            Place::Inline { bytes, calls } => unsafe { (calls.poll)(bytes.start(), context) },
            Place::Heap(future) => future.as_mut().poll(context),
        }
    }
}

impl<T, D: ?Sized, const N: usize> Drop for Kept<T, D, N> {
    fn drop(&mut self) {
        if let Place::Inline { bytes, calls } = &mut self.place {
            // SAFETY: the future is there since `inline`, and dropped once.
            unsafe { (calls.drop)(bytes.start()) };
        }
    }
}

/// # Safety
/// A live, pinned `F` is at `future`, and nobody else uses it.
unsafe fn poll<F: Future>(future: *mut u8, context: &mut Context<'_>) -> Poll<F::Output> {
    // SAFETY: the caller's promise.
    unsafe { Pin::new_unchecked(&mut *future.cast::<F>()) }.poll(context)
}

/// # Safety
/// A live `F` is at `future`; it is dropped once.
unsafe fn drop_in_place<F>(future: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { future.cast::<F>().drop_in_place() }
}

/// What `#[hook(stack = N)]` returns: a future in `N` bytes of the value itself.
///
/// One that is larger, or aligned to more than 16 bytes, is put on the heap instead; which of the two
/// is the same for every call of a function, and [`is_inline`](Self::is_inline) tells.
#[must_use = "futures do nothing unless they are polled"]
pub struct StackFuture<'a, T, const N: usize>(Kept<T, dyn Future<Output = T> + Send + 'a, N>);

/// As [`StackFuture`], of a future that stays on its thread: `#[hook(?Send, stack = N)]`.
#[must_use = "futures do nothing unless they are polled"]
pub struct LocalStackFuture<'a, T, const N: usize>(Kept<T, dyn Future<Output = T> + 'a, N>);

// SAFETY: the future in it is `Send`.
unsafe impl<T, const N: usize> Send for StackFuture<'_, T, N> {}
// SAFETY: `&StackFuture` gives no access to the future.
unsafe impl<T, const N: usize> Sync for StackFuture<'_, T, N> {}

impl<'a, T, const N: usize> StackFuture<'a, T, N> {
    /// Moves a future into the value, or onto the heap if it does not fit.
    pub fn new<F: Future<Output = T> + Send + 'a>(future: F) -> Self {
        if Kept::<T, dyn Future<Output = T> + Send + 'a, N>::fits::<F>() {
            // SAFETY: it fits; it is `Send` and lives for `'a`.
            return StackFuture(unsafe { Kept::inline(future) });
        }
        StackFuture(Kept::heap(Box::pin(future)))
    }

    /// Whether the future is in the value itself.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.0.is_inline()
    }
}

impl<'a, T, const N: usize> LocalStackFuture<'a, T, N> {
    /// Moves a future into the value, or onto the heap if it does not fit.
    pub fn new<F: Future<Output = T> + 'a>(future: F) -> Self {
        if Kept::<T, dyn Future<Output = T> + 'a, N>::fits::<F>() {
            // SAFETY: it fits; it lives for `'a`, and this is not `Send`.
            return LocalStackFuture(unsafe { Kept::inline(future) });
        }
        LocalStackFuture(Kept::heap(Box::pin(future)))
    }

    /// Whether the future is in the value itself.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.0.is_inline()
    }
}

impl<T, const N: usize> Future for StackFuture<'_, T, N> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // SAFETY: the only field, which is pinned whenever this is.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(context)
    }
}

impl<T, const N: usize> Future for LocalStackFuture<'_, T, N> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // SAFETY: the only field, which is pinned whenever this is.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(context)
    }
}

impl<T, const N: usize> fmt::Debug for StackFuture<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackFuture").field("inline", &self.is_inline()).finish_non_exhaustive()
    }
}

impl<T, const N: usize> fmt::Debug for LocalStackFuture<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("LocalStackFuture");
        text.field("inline", &self.is_inline()).finish_non_exhaustive()
    }
}
