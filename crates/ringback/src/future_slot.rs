// SPDX-License-Identifier: MIT OR Apache-2.0

//! A box for one future after the other: the first allocates, the others reuse.

use std::alloc::{self, Layout};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// Memory for one future at a time, kept between them.
///
/// A future that is forgotten instead of dropped keeps the memory for ever: `Pin` promises that the
/// memory of a pinned value is not used again before the value is dropped.
pub struct FutureSlot {
    /// An allocation of `layout`, or nothing at an address of its alignment where the size is zero.
    start: NonNull<u8>,
    layout: Layout,
    /// A future lives there, or was forgotten there.
    taken: bool,
}

// SAFETY: plain memory, owned by this value alone; what lives in it is its `SlotFuture`'s.
unsafe impl Send for FutureSlot {}
// SAFETY: `&FutureSlot` gives access to nothing.
unsafe impl Sync for FutureSlot {}

impl FutureSlot {
    /// An empty slot; it allocates when it is first used.
    #[must_use]
    pub const fn new() -> Self {
        FutureSlot { start: NonNull::dangling(), layout: Layout::new::<()>(), taken: false }
    }

    /// Moves a future into the slot. Allocates only if it is larger than all before, or needs a
    /// stricter alignment, or if the last one was forgotten.
    ///
    /// ```
    /// let mut slot = ringback::FutureSlot::new();
    /// # futures_executor::block_on(async {
    /// for text in ["one", "three"] {
    ///     // Different borrows, and different types of futures, in the same memory.
    ///     assert_eq!(slot.put(async { text.len() }).await, text.len());
    ///     assert_eq!(slot.put(std::future::ready(text)).await, text);
    /// }
    /// # });
    /// ```
    pub fn put<'a, F>(&'a mut self, future: F) -> SlotFuture<'a, F::Output>
    where
        F: Future + Send + 'a,
    {
        SlotFuture(Held { future: self.write(future), slot: self })
    }

    /// As [`put`](Self::put), for a future that stays on its thread.
    pub fn put_local<'a, F>(&'a mut self, future: F) -> LocalSlotFuture<'a, F::Output>
    where
        F: Future + 'a,
    {
        LocalSlotFuture(Held { future: self.write(future), slot: self })
    }

    fn write<F>(&mut self, future: F) -> NonNull<F> {
        let needed = Layout::new::<F>();
        let fits = self.layout.size() >= needed.size() && self.layout.align() >= needed.align();
        if self.taken || !fits {
            self.renew(needed);
        }
        self.taken = true;
        let place = self.start.cast::<F>();
        // SAFETY: large enough and aligned, as it fits or was made for it; nobody else uses it, as it
        // was not taken.
        unsafe { place.write(future) };
        place
    }

    /// Other memory, for this layout and for all before.
    #[cold]
    fn renew(&mut self, needed: Layout) {
        let size = self.layout.size().max(needed.size());
        let align = self.layout.align().max(needed.align());
        let layout = Layout::from_size_align(size, align).unwrap_or(needed);
        self.free();
        self.start = if layout.size() == 0 {
            // Aligned and not null is all that no bytes need.
            NonNull::new(std::ptr::without_provenance_mut(layout.align()))
                .unwrap_or(NonNull::dangling())
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc::alloc(layout) })
                .unwrap_or_else(|| alloc::handle_alloc_error(layout))
        };
        self.layout = layout;
    }

    /// Gives the memory back, except to a future that was forgotten in it.
    fn free(&mut self) {
        let layout = std::mem::replace(&mut self.layout, Layout::new::<()>());
        let taken = std::mem::replace(&mut self.taken, false);
        if layout.size() != 0 && !taken {
            // SAFETY: allocated with this layout, and freed once, as the slot is empty from here on.
            unsafe { alloc::dealloc(self.start.as_ptr(), layout) };
        }
    }
}

impl Default for FutureSlot {
    fn default() -> Self {
        FutureSlot::new()
    }
}

impl Drop for FutureSlot {
    fn drop(&mut self) {
        self.free();
    }
}

impl fmt::Debug for FutureSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = if self.taken { 0 } else { self.layout.size() };
        f.debug_struct("FutureSlot").field("bytes", &bytes).finish()
    }
}

/// A future in a [`FutureSlot`]; dropping it gives the memory back to the slot.
#[must_use = "futures do nothing unless they are polled"]
pub struct SlotFuture<'a, T>(Held<'a, dyn Future<Output = T> + Send + 'a>);

/// As [`SlotFuture`], of a future that stays on its thread.
#[must_use = "futures do nothing unless they are polled"]
pub struct LocalSlotFuture<'a, T>(Held<'a, dyn Future<Output = T> + 'a>);

// SAFETY: owns its future, which is `Send`, and memory that is.
unsafe impl<T> Send for SlotFuture<'_, T> {}
// SAFETY: `&SlotFuture` gives access to nothing.
unsafe impl<T> Sync for SlotFuture<'_, T> {}

impl<T> Future for SlotFuture<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.get_mut().0.future().poll(context)
    }
}

impl<T> Future for LocalSlotFuture<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.get_mut().0.future().poll(context)
    }
}

impl<T> fmt::Debug for SlotFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotFuture").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for LocalSlotFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSlotFuture").finish_non_exhaustive()
    }
}

/// A future and the slot it is in.
struct Held<'a, F: ?Sized> {
    future: NonNull<F>,
    slot: &'a mut FutureSlot,
}

impl<F: ?Sized> Unpin for Held<'_, F> {} // the future itself does not move with it

impl<F: ?Sized> Held<'_, F> {
    fn future(&mut self) -> Pin<&mut F> {
        // SAFETY: initialised until `drop`, ours alone, and it stays where it is until then: its
        // memory is taken until it is dropped, for ever if this is forgotten.
        unsafe { Pin::new_unchecked(self.future.as_mut()) }
    }
}

impl<F: ?Sized> Drop for Held<'_, F> {
    fn drop(&mut self) {
        // Gives the memory back also when the future's destructor panics: it is dropped then.
        struct GiveBack<'b>(&'b mut FutureSlot);
        impl Drop for GiveBack<'_> {
            fn drop(&mut self) {
                self.0.taken = false;
            }
        }
        let _give_back = GiveBack(self.slot);
        // SAFETY: initialised since `put`, and dropped once.
        unsafe { self.future.drop_in_place() };
    }
}
