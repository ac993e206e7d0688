// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a call of a hook allocates: counted, thread by thread, by the program's allocator.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]

use ringback::{AsyncListener, FutureSlot, Mailbox, SlotFuture, Take, hook};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

fn poll_once<R>(future: impl Future<Output = R>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(future).poll(&mut context).is_ready()
}

#[hook(slot)]
async fn waits(text: &str, bytes: [u8; 100]) -> usize {
    if text.is_empty() {
        std::future::pending::<()>().await;
    }
    black_box(&bytes).len()
}

#[hook(slot)]
async fn larger(text: &str, bytes: [u8; 300]) -> usize {
    std::future::ready(text).await.len() + black_box(&bytes).len()
}

#[hook(stack = 512)]
async fn kept(text: &str, bytes: [u8; 100]) -> usize {
    std::future::ready(text).await.len() + black_box(&bytes).len()
}

#[test]
fn a_call_allocates_its_box_and_nothing_else() {
    let calls = || (0..100).for_each(|_| assert!(poll_once(waits("text", [1; 100]))));
    assert_eq!(allocations(calls), 100);
}

#[test]
fn a_slot_allocates_when_it_is_first_used_or_too_small() {
    let mut slot = FutureSlot::new();
    let first = allocations(|| assert!(poll_once(waits_slot(&mut slot, "text", [1; 100]))));
    assert_eq!(first, 1);
    let others = allocations(|| {
        for number in 0..100 {
            // Every third one is cancelled.
            let text = if number % 3 == 0 { "" } else { "text" };
            assert_eq!(poll_once(waits_slot(&mut slot, text, [1; 100])), !text.is_empty());
        }
    });
    assert_eq!(others, 0);
    let large = allocations(|| assert!(poll_once(larger_slot(&mut slot, "text", [1; 300]))));
    assert_eq!(large, 1);
    let small = allocations(|| assert!(poll_once(waits_slot(&mut slot, "text", [1; 100]))));
    assert_eq!(small, 0);
}

#[hook(slot)]
async fn aligned(text: &str) -> usize {
    #[repr(align(64))]
    struct Line(u8);
    let line = Line(1);
    std::future::ready(text).await.len() + usize::from(black_box(&line).0)
}

#[test]
fn a_slot_keeps_the_largest_size_and_alignment_of_all() {
    let mut slot = FutureSlot::new();
    let mut turn = || {
        allocations(|| {
            assert!(poll_once(larger_slot(&mut slot, "text", [1; 300])));
            assert!(poll_once(aligned_slot(&mut slot, "text")));
        })
    };
    assert_eq!([turn(), turn(), turn()], [2, 0, 0]);
}

#[test]
fn a_stack_future_that_fits_allocates_nothing() {
    let calls = || (0..100).for_each(|_| assert!(poll_once(kept("text", [1; 100]))));
    assert_eq!(allocations(calls), 0);
}

ringback::callback_pool! {
    static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 2>;
    fallback = -1;
}

static SUM: AtomicU64 = AtomicU64::new(0);

#[hook(slot)]
async fn add(value: u64) {
    std::future::ready(()).await;
    SUM.fetch_add(value, Relaxed);
}

/// As in docs/hook.md.
struct Adds;
impl AsyncListener<u64> for Adds {
    fn handle<'a>(&'a self, value: u64, slot: &'a mut FutureSlot) -> SlotFuture<'a, ()> {
        add_slot(slot, value)
    }
}

/// Of 100 messages, after a first one.
fn of_messages(call: extern "C" fn(u64) -> i32, mut deliver: Pin<&mut impl Future>) -> usize {
    let mut deliver_one = || {
        assert_eq!(call(1), 0);
        assert!(!poll_once(deliver.as_mut()));
    };
    deliver_one();
    allocations(|| (0..100).for_each(|_| deliver_one()))
}

#[test]
fn a_hook_on_a_pool_allocates_for_each_message_unless_it_uses_the_slot() {
    let take = |value| Take::Accept(value, 0);
    let mailbox = || Mailbox::bounded(16);
    let (boxed, deliver) = ON_VALUE.register_async(mailbox(), take, add).expect("there is room");
    assert_eq!(of_messages(boxed.as_fn(), pin!(deliver)), 100);
    let listener = Arc::new(Adds);
    let (reusing, deliver) =
        ON_VALUE.register_async_dyn(mailbox(), take, listener).expect("there is room");
    assert_eq!(of_messages(reusing.as_fn(), pin!(deliver)), 0);
    assert_eq!(SUM.load(Relaxed), 202);
}
