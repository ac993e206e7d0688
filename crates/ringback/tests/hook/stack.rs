// SPDX-License-Identifier: MIT OR Apache-2.0

//! `#[hook(stack = N)]`: the future in the value itself, or on the heap where it does not fit.

use super::support::{Log, Loud, pause, poll_then_drop, run};
use ringback::{LocalStackFuture, StackFuture, hook};
use std::cell::Cell;
use std::future::Future;

const BYTES: usize = 200;

#[hook(stack = BYTES)]
async fn small(text: &str) -> usize {
    pause().await;
    text.len()
}

#[hook(stack = BYTES / 2 + 4)]
async fn large(text: &str) -> usize {
    let held = [1_u8; 300];
    pause().await;
    text.len() + held.len()
}

#[repr(align(64))]
struct Aligned(u8);

#[hook(stack = 1024)]
async fn aligned(text: &str) -> usize {
    let held = Aligned(1);
    pause().await;
    assert_eq!(std::ptr::from_ref(&held).addr() % 64, 0);
    text.len() + usize::from(held.0)
}

#[hook(stack = 0, ?Send)]
async fn local_and_boxed(cell: &Cell<usize>) -> usize {
    pause().await;
    cell.get()
}

#[hook(stack = 128, ?Send, slot)]
async fn local(cell: &Cell<usize>) -> usize {
    pause().await;
    cell.get()
}

#[test]
fn it_is_stored_and_falls_back_to_the_heap() {
    let table: [for<'a> fn(&'a str) -> StackFuture<'a, usize, 200>; 1] = [small];
    let text = "text".to_owned();
    assert!(table[0](&text).is_inline());
    assert_eq!(run(table[0](&text)), 4);
    assert!(!large(&text).is_inline());
    assert_eq!(run(large(&text)), 304);
    assert!(!aligned(&text).is_inline());
    assert_eq!(run(aligned(&text)), 5);

    let local: for<'a> fn(&'a Cell<usize>) -> LocalStackFuture<'a, usize, 128> = local;
    let cell = Cell::new(3);
    assert!(local(&cell).is_inline());
    assert!(!local_and_boxed(&cell).is_inline());
    assert_eq!([run(local(&cell)), run(local_and_boxed(&cell))], [3, 3]);
    assert_eq!(run(local_slot(&mut ringback::FutureSlot::new(), &cell)), 3);
}

#[hook(stack = 512)]
async fn refers_to_itself(first: Loud, (one, _): (Loud, Loud)) -> usize {
    let names = [first.name, one.name];
    let inside = &names;
    pause().await;
    first.log().note(inside.concat());
    inside.len()
}

#[test]
fn it_drops_as_a_plain_future() {
    async fn plain(first: Loud, (one, _): (Loud, Loud)) -> usize {
        let names = [first.name, one.name];
        let inside = &names;
        pause().await;
        first.log().note(inside.concat());
        inside.len()
    }
    let log = Log::default();
    for polls in 1..4 {
        let arguments = || (log.loud("first"), (log.loud("one"), log.loud("rest")));
        let (first, pair) = arguments();
        let answer = poll_then_drop(plain(first, pair), polls);
        let expected = log.taken();
        let (first, pair) = arguments();
        let future = refers_to_itself(first, pair);
        assert!(future.is_inline());
        assert_eq!(poll_then_drop(future, polls), answer);
        assert_eq!(log.taken(), expected);
    }
}

/// It may be looked at between two polls, while the future in it holds references into itself.
#[test]
fn it_may_be_looked_at_while_it_refers_to_itself() {
    #[hook(stack = 256)]
    async fn counts(rounds: usize) -> usize {
        let mut count = 0;
        let inside = &mut count;
        for _ in 0..rounds {
            pause().await;
            *inside += 1;
        }
        *inside
    }
    let mut future = std::pin::pin!(counts(3));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert!(future.is_inline());
        assert_eq!(format!("{future:?}"), "StackFuture { inline: true, .. }");
    }
    assert_eq!(future.as_mut().poll(&mut context), std::task::Poll::Ready(3));
}

#[test]
fn it_can_be_spawned() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let runtime = runtime.expect("a runtime");
    let answer = runtime.block_on(async { tokio::spawn(small("text")).await });
    assert_eq!(answer.expect("it does not panic"), 4);
}
