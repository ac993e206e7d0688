//! A box for one future after the other: the first allocates, the others reuse.

use std::alloc::{self, Layout};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// Memory for one future at a time, kept between them.
///
/// A future that is forgotten instead of dropped takes the memory with it: `Pin` promises that the
/// memory of a pinned value is not used again before the value is dropped.
#[derive(Default)]
pub struct FutureSlot {
    memory: Option<Memory>,
}

/// An allocation of our own.
struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: plain memory, owned by this value alone.
unsafe impl Send for Memory {}
// SAFETY: `&Memory` gives access to nothing.
unsafe impl Sync for Memory {}

impl Memory {
    fn new(layout: Layout) -> Self {
        let start = if layout.size() == 0 {
            // Aligned and not null is all that no bytes need.
            NonNull::new(std::ptr::without_provenance_mut(layout.align()))
                .unwrap_or(NonNull::dangling())
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc::alloc(layout) })
                .unwrap_or_else(|| alloc::handle_alloc_error(layout))
        };
        Memory { start, layout }
    }

    fn fits(&self, layout: Layout) -> bool {
        self.layout.size() >= layout.size() && self.layout.align() >= layout.align()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: allocated with this layout, and freed once.
            unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) };
        }
    }
}

impl FutureSlot {
    /// An empty slot; it allocates when it is first used.
    #[must_use]
    pub const fn new() -> Self {
        FutureSlot { memory: None }
    }

    /// Moves a future into the slot. Allocates only if it is larger than all before.
    pub fn put<'a, F>(&'a mut self, future: F) -> SlotFuture<'a, F::Output>
    where
        F: Future + Send + 'a,
    {
        let layout = Layout::new::<F>();
        // Taken out while the future lives: one that is forgotten keeps it.
        let memory = self.memory.take().filter(|memory| memory.fits(layout));
        let memory = memory.unwrap_or_else(|| Memory::new(layout));
        let place = memory.start.cast::<F>();
        // SAFETY: large enough and aligned (`fits`), and nobody else has it.
        unsafe { place.write(future) };
        let future: NonNull<dyn Future<Output = F::Output> + Send + 'a> = place;
        SlotFuture { future, memory: Some(memory), slot: self }
    }
}

impl fmt::Debug for FutureSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.memory.as_ref().map_or(0, |memory| memory.layout.size());
        f.debug_struct("FutureSlot").field("bytes", &bytes).finish()
    }
}

/// A future in a [`FutureSlot`]; dropping it gives the memory back to the slot.
#[must_use = "futures do nothing unless they are polled"]
pub struct SlotFuture<'a, T> {
    future: NonNull<dyn Future<Output = T> + Send + 'a>,
    memory: Option<Memory>,
    slot: &'a mut FutureSlot,
}

// SAFETY: owns its future, which is `Send`, and memory that is.
unsafe impl<T> Send for SlotFuture<'_, T> {}

impl<T> Unpin for SlotFuture<'_, T> {} // the future itself does not move with it

impl<T> Future for SlotFuture<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        // SAFETY: initialised until `drop`, ours alone, and it stays where it is until then: its
        // memory is not used again before it is dropped, not even if this is forgotten.
        unsafe { Pin::new_unchecked(this.future.as_mut()) }.poll(context)
    }
}

impl<T> Drop for SlotFuture<'_, T> {
    fn drop(&mut self) {
        // Gives the memory back also when the future's destructor panics: it is dropped then.
        struct GiveBack<'b>(&'b mut FutureSlot, Option<Memory>);
        impl Drop for GiveBack<'_> {
            fn drop(&mut self) {
                self.0.memory = self.1.take();
            }
        }
        let _give_back = GiveBack(self.slot, self.memory.take());
        // SAFETY: initialised since `put`, and dropped once.
        unsafe { self.future.drop_in_place() };
    }
}

impl<T> fmt::Debug for SlotFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotFuture").finish_non_exhaustive()
    }
}
