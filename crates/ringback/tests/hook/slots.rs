//! `#[hook(slot)]`: futures in memory that is reused, forgotten, cancelled, and entered again.

use super::support::{BoxFuture, Ctx, Log, Msg, pause, poll_then_drop, run};
use ringback::{FutureSlot, LocalSlotFuture, SlotFuture, hook};
use std::cell::Cell;

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
    let made = run(Device::made("name"));
    assert_eq!(run(made.into_seen()) + run(Device::owned(1)), 1);
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

/// The sanitizers know it by its name, since it leaks on purpose.
#[test]
fn a_forgotten_slot_future_keeps_its_memory() {
    let log = Log::default();
    let mut slot = FutureSlot::new();
    let address = |slot: &FutureSlot| format!("{slot:?}");
    assert_eq!(run(loud_slot(&mut slot, &log, "first")), 1400);
    assert_ne!(address(&slot), "FutureSlot { bytes: 0 }");
    let mut future = loud_slot(&mut slot, &log, "forgotten");
    assert!(
        std::pin::Pin::new(&mut future)
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
            .is_pending()
    );
    std::mem::forget(future);
    // What was pinned there is never overwritten: the slot has let it go.
    assert_eq!(address(&slot), "FutureSlot { bytes: 0 }");
    assert_eq!(run(loud_slot(&mut slot, &log, "after")), 1400);
    assert_ne!(address(&slot), "FutureSlot { bytes: 0 }");
    assert_eq!(log.taken(), ["body", "drop first", "body", "drop after"]);
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
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(panics_slot(&mut slot, &log))
    }));
    assert!(caught.is_err());
    assert_eq!(log.taken(), ["drop held"]);
    assert_eq!(run(loud_slot(&mut slot, &log, "after")), 1400);
    drop(panics(&log));
    drop(loud(&log, "unpolled"));
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
    assert_eq!(run(nested(0, &log)), 1);
}

use std::future::Future;

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
