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
        let (place, memory) = self.write(future);
        SlotFuture(Held { future: place, memory: Some(memory), slot: self })
    }

    /// As [`put`](Self::put), for a future that stays on its thread.
    pub fn put_local<'a, F>(&'a mut self, future: F) -> LocalSlotFuture<'a, F::Output>
    where
        F: Future + 'a,
    {
        let (place, memory) = self.write(future);
        LocalSlotFuture(Held { future: place, memory: Some(memory), slot: self })
    }

    /// Moves a future into the memory, which leaves the slot while it lives: so one that is forgotten
    /// keeps it.
    fn write<F>(&mut self, future: F) -> (NonNull<F>, Memory) {
        let layout = Layout::new::<F>();
        let memory = self.memory.take().filter(|memory| memory.fits(layout));
        let memory = memory.unwrap_or_else(|| Memory::new(layout));
        let place = memory.start.cast::<F>();
        // SAFETY: large enough and aligned (`fits`), and nobody else has it.
        unsafe { place.write(future) };
        (place, memory)
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

/// A future and the memory it is in.
struct Held<'a, F: ?Sized> {
    future: NonNull<F>,
    memory: Option<Memory>,
    slot: &'a mut FutureSlot,
}

impl<F: ?Sized> Unpin for Held<'_, F> {} // the future itself does not move with it

impl<F: ?Sized> Held<'_, F> {
    fn future(&mut self) -> Pin<&mut F> {
        // SAFETY: initialised until `drop`, ours alone, and it stays where it is until then: its
        // memory is not used again before it is dropped, not even if this is forgotten.
        unsafe { Pin::new_unchecked(self.future.as_mut()) }
    }
}

impl<F: ?Sized> Drop for Held<'_, F> {
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
