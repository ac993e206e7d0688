//! `?Send`, `Sync`, `crate = path`.

use super::support::{pause, run};
use ringback::hook;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

type Local<'a, R> = Pin<Box<dyn Future<Output = R> + 'a>>;
type Shared<'a, R> = Pin<Box<dyn Future<Output = R> + Send + Sync + 'a>>;
type LocalSync<'a, R> = Pin<Box<dyn Future<Output = R> + Sync + 'a>>;

#[hook(?Send)]
async fn local(cell: &Cell<i32>, more: Rc<i32>) -> i32 {
    cell.set(cell.get() + *more);
    pause().await;
    cell.get()
}

#[hook(Sync)]
async fn shared(text: &str) -> usize {
    text.len()
}

#[hook(?Send, Sync)]
async fn local_but_shared(text: &str) -> usize {
    text.len()
}

/// A library that passes ringback on under another name.
mod facade {
    pub(super) mod inner {
        pub(in super::super) use ringback as callbacks;
    }
}

#[hook(crate = self::facade::inner::callbacks, slot)]
async fn through_a_path(text: &str) -> usize {
    text.len()
}

#[hook(crate = facade::inner::callbacks, ?Send, stack = 64)]
async fn never_returns(text: &str) -> ! {
    panic!("{text}")
}

#[test]
fn options_change_the_type() {
    let local: for<'a> fn(&'a Cell<i32>, Rc<i32>) -> Local<'a, i32> = local;
    let shared: for<'a> fn(&'a str) -> Shared<'a, usize> = shared;
    let both: for<'a> fn(&'a str) -> LocalSync<'a, usize> = local_but_shared;
    assert_eq!(run(local(&Cell::new(1), Rc::new(2))), 3);
    assert_eq!([run(shared("abc")), run(both("abc"))], [3, 3]);
}

#[test]
fn the_library_can_have_another_path() {
    assert_eq!(run(through_a_path("abc")), 3);
    assert_eq!(run(through_a_path_slot(&mut ringback::FutureSlot::new(), "abc")), 3);
    drop(never_returns("never polled"));
}
