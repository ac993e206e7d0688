// SPDX-License-Identifier: MIT OR Apache-2.0

//! `#[hook(slot)]`: futures in memory that is reused, forgotten, cancelled, and entered again.

use super::support::{BoxFuture, Ctx, Log, Msg, pause, poll_then_drop, run};
use ringback::{FutureSlot, LocalSlotFuture, SlotFuture, hook};
use std::alloc::Layout;
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomPinned;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

type Reusing = for<'a> fn(&'a mut FutureSlot, &'a Ctx, &'a Msg) -> SlotFuture<'a, usize>;

#[hook(slot)]
async fn counted(ctx: &Ctx, message: &Msg) -> usize {
    let held = [1_u8; 100];
    pause().await;
    message.0.len() + usize::try_from(ctx.0).unwrap_or(0) + held.len()
}

#[hook(slot = with_memory)]
async fn named(ctx: &Ctx, _: &Msg) -> usize {
    usize::try_from(ctx.0).unwrap_or(0)
}

#[test]
fn both_forms_are_stored_and_answer_alike() {
    let boxed: for<'a> fn(&'a Ctx, &'a Msg) -> BoxFuture<'a, usize> = counted;
    let table: [Reusing; 2] = [counted_slot, with_memory];
    let mut slot = FutureSlot::new();
    for number in 0..10 {
        // Borrowed from the turn of the loop, in a slot that outlives it.
        let (ctx, message) = (Ctx(number), Msg("text".to_owned()));
        assert_eq!(run(table[0](&mut slot, &ctx, &message)), run(boxed(&ctx, &message)));
        assert_eq!(run(table[1](&mut slot, &ctx, &message)), run(named(&ctx, &message)));
    }
}

struct Device<'d> {
    name: &'d str,
    seen: usize,
}

impl<'d> Device<'d> {
    #[hook(slot)]
    async fn see(&mut self, more: &str) -> usize {
        pause().await;
        self.seen += more.len() + self.name.len();
        self.seen
    }

    #[hook(slot)]
    async fn made(name: &'d str) -> Device<'d> {
        Device { name, seen: 0 }
    }

    #[hook(slot)]
    async fn owned(seen: usize) -> usize {
        seen
    }

    #[hook(slot)]
    async fn into_seen(self) -> usize {
        self.seen
    }
}

trait Sees {
    #[hook(slot)]
    async fn looked(&mut self, more: &str) -> usize;
}

impl Sees for Device<'_> {
    #[hook(slot)]
    async fn looked(&mut self, more: &str) -> usize {
        self.see(more).await
    }
}

#[test]
fn methods_and_traits_have_slots_too() {
    let (mut slot, mut lent) = (FutureSlot::new(), FutureSlot::new());
    let name = "name".to_owned();
    // What it returns borrows the name, and so the slot is lent for as long.
    let mut device = run(Device::made_slot(&mut lent, &name));
    let see: for<'a> fn(
        &'a mut Device<'static>,
        &'a mut FutureSlot,
        &'a str,
    ) -> SlotFuture<'a, usize> = Device::see_slot;
    assert_eq!(run(see(&mut Device { name: "", seen: 1 }, &mut slot, "abc")), 4);
    assert_eq!(run(device.see_slot(&mut slot, "abc")), 7);
    let object: &mut dyn Sees = &mut device;
    assert_eq!(run(object.looked_slot(&mut slot, "abc")), 14);
    assert_eq!(run(Device::owned_slot(&mut slot, 3)), 3);
    assert_eq!(run(device.into_seen_slot(&mut slot)), 14);
}

#[hook(?Send, slot)]
async fn local(cell: &Cell<i32>) -> i32 {
    pause().await;
    cell.get()
}

#[test]
fn a_slot_of_one_thread() {
    let stored: for<'a> fn(&'a mut FutureSlot, &'a Cell<i32>) -> LocalSlotFuture<'a, i32> =
        local_slot;
    let cell = Cell::new(5);
    assert_eq!(run(stored(&mut FutureSlot::new(), &cell)), run(local(&cell)));
}

#[hook(slot)]
async fn loud(log: &Log, name: &'static str) -> usize {
    let held = (log.loud(name), [7_u8; 200]);
    pause().await;
    log.note("body");
    held.1.iter().map(|&byte| usize::from(byte)).sum()
}

/// Says where it is pinned and what it keeps there; never ready.
struct Pinned<'a> {
    bytes: [u8; 64],
    at: &'a Cell<*mut u8>,
    _pinned: PhantomPinned,
}

impl<'a> Pinned<'a> {
    fn new(byte: u8, at: &'a Cell<*mut u8>) -> Self {
        Pinned { bytes: [byte; 64], at, _pinned: PhantomPinned }
    }

    const LAYOUT: Layout = Layout::new::<Pinned<'static>>();
}

impl Future for Pinned<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // SAFETY: nothing is moved.
        let this = unsafe { self.get_unchecked_mut() };
        this.at.set(std::ptr::from_mut(this).cast());
        Poll::Pending
    }
}

/// Polls it, forgets it, and returns its address.
fn forget_in(slot: &mut FutureSlot, byte: u8) -> *mut u8 {
    let at = Cell::new(std::ptr::null_mut());
    let mut future = slot.put_local(Pinned::new(byte, &at));
    assert!(Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::mem::forget(future);
    at.get()
}

/// Reads what is pinned there, and gives its memory back, as nobody else will: a sanitizer sees if
/// somebody has.
fn read_and_free(pinned: *mut u8) -> [u8; 64] {
    // SAFETY: forgotten in memory of this layout, which is the test's from then on.
    unsafe {
        let read = (&raw const (*pinned.cast::<Pinned<'_>>()).bytes).read();
        std::alloc::dealloc(pinned, Pinned::LAYOUT);
        read
    }
}

#[test]
fn a_forgotten_slot_future_keeps_its_memory() {
    let mut slot = FutureSlot::new();
    let forgotten = forget_in(&mut slot, 7);
    assert_eq!(format!("{slot:?}"), "FutureSlot { bytes: 0 }");
    let at = Cell::new(std::ptr::null_mut());
    poll_then_drop(slot.put_local(Pinned::new(9, &at)), 1);
    assert_ne!(at.get(), forgotten, "the memory of a pinned future was used again");
    drop(slot);
    assert_eq!(read_and_free(forgotten), [7; 64]);
}

#[test]
fn a_slot_that_is_dropped_leaves_a_forgotten_future_alone() {
    let mut slot = FutureSlot::new();
    let forgotten = forget_in(&mut slot, 7);
    drop(slot);
    let others = [Box::new([9_u8; Pinned::LAYOUT.size()]), Box::new([9; Pinned::LAYOUT.size()])];
    assert!(others.iter().all(|other| other.as_ptr() != forgotten.cast_const()));
    assert_eq!(read_and_free(forgotten), [7; 64]);
}

#[hook(?Send, slot)]
async fn on_a_page(at: &Cell<usize>) {
    #[repr(align(4096))]
    struct Page(u8);
    let page = Page(1);
    pause().await;
    at.set(std::ptr::from_ref(&page).addr() + usize::from(page.0) - 1);
}

#[test]
fn an_over_aligned_future_is_aligned_after_a_large_one() {
    // Two that live together, since one may be aligned by chance.
    let mut slots = [FutureSlot::new(), FutureSlot::new()];
    for slot in &mut slots {
        run(slot.put(async {
            let held = [1_u8; 10_000];
            pause().await;
            std::hint::black_box(&held);
        }));
    }
    for slot in &mut slots {
        let at = Cell::new(1);
        run(on_a_page_slot(slot, &at));
        assert_eq!(at.get() % 4096, 0);
    }
    let boxed = Cell::new(1);
    run(on_a_page(&boxed));
    assert_eq!(boxed.get() % 4096, 0);
}

#[test]
fn a_future_of_no_size_takes_no_memory() {
    let mut slot = FutureSlot::new();
    for _ in 0..2 {
        assert_eq!(poll_then_drop(slot.put(std::future::pending::<()>()), 1), None);
        assert_eq!(format!("{slot:?}"), "FutureSlot { bytes: 0 }");
    }
    std::mem::forget(slot.put(std::future::pending::<()>()));
    assert_eq!(run(slot.put(std::future::ready(1))), 1);
    assert_eq!(poll_then_drop(slot.put(std::future::pending::<()>()), 1), None);
}

#[test]
fn a_slot_survives_a_destructor_that_panics() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let mut slot = FutureSlot::new();
    let bytes = [7_u8; 64];
    let future = slot.put(async move {
        let held = (Panics, bytes);
        pause().await;
        drop(held);
    });
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| poll_then_drop(future, 1)));
    assert!(dropped.is_err());
    // It has the memory back.
    assert_ne!(format!("{slot:?}"), "FutureSlot { bytes: 0 }");
    assert_eq!(run(slot.put(async move { bytes.len() })), 64);
}

#[test]
fn a_cancelled_future_gives_its_memory_back() {
    let log = Log::default();
    let mut slot = FutureSlot::new();
    for polls in [0, 1, 2] {
        poll_then_drop(loud_slot(&mut slot, &log, "held"), polls);
        assert_ne!(format!("{slot:?}"), "FutureSlot { bytes: 0 }");
    }
    assert_eq!(log.taken(), ["drop held", "body", "drop held"]);
}

#[hook(slot)]
async fn panics(log: &Log) -> usize {
    let _held = log.loud("held");
    pause().await;
    panic!("on purpose")
}

#[test]
fn a_slot_survives_a_panic_of_what_was_in_it() {
    let log = Log::default();
    let mut slot = FutureSlot::new();
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| run(panics_slot(&mut slot, &log))));
    assert!(caught.is_err());
    assert_eq!(log.taken(), ["drop held"]);
    assert_eq!(run(loud_slot(&mut slot, &log, "after")), 1400);
}

/// Each call in flight needs a slot of its own, as the borrow checker says; a call from inside one
/// takes another.
#[hook(slot)]
async fn nested(depth: usize, log: &Log) -> usize {
    log.note(format!("down {depth}"));
    pause().await;
    let below = match depth {
        0 => 0,
        depth => nested_slot(&mut FutureSlot::new(), depth - 1, log).await,
    };
    log.note(format!("up {depth}"));
    below + 1
}

#[test]
fn a_hook_is_entered_again_in_a_slot_of_its_own() {
    let log = Log::default();
    assert_eq!(run(nested_slot(&mut FutureSlot::new(), 2, &log)), 3);
    assert_eq!(log.taken(), ["down 2", "down 1", "down 0", "up 0", "up 1", "up 2"]);
}

#[test]
fn slots_and_their_futures_cross_threads() {
    fn crosses<T: Send + Sync>(value: T) -> T {
        value
    }
    let mut slot = crosses(FutureSlot::new());
    let (ctx, message) = (Ctx(1), Msg(String::new()));
    let answer = std::thread::scope(|scope| {
        let future = crosses(counted_slot(&mut slot, &ctx, &message));
        scope.spawn(|| run(future)).join().expect("it does not panic")
    });
    assert_eq!(answer, 101);
}
