// SPDX-License-Identifier: MIT OR Apache-2.0

//! `?Send`, `Sync`, `crate = path`.

use super::support::{BoxFuture, pause, run};
use ringback::{LocalSlotFuture, LocalStackFuture, SlotFuture, StackFuture, hook};
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
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

/// Does not compile where the type has the trait.
macro_rules! lacks {
    ($($ty:ty: $bound:path;)*) => {$({
        trait Ambiguous<A> {
            fn called() -> bool {
                true
            }
        }
        struct Other;
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $bound> Ambiguous<Other> for T {}
        assert!(<$ty as Ambiguous<_>>::called());
    })*};
}

#[test]
fn futures_have_no_trait_that_was_not_asked_for() {
    lacks! {
        BoxFuture<'static, u8>: Sync;
        Local<'static, u8>: Send;
        Local<'static, u8>: Sync;
        LocalSync<'static, u8>: Send;
        LocalSlotFuture<'static, u8>: Send;
        LocalSlotFuture<'static, u8>: Sync;
        LocalStackFuture<'static, u8, 64>: Send;
        LocalStackFuture<'static, u8, 64>: Sync;
        LocalStackFuture<'static, u8, 64>: Unpin;
        StackFuture<'static, u8, 64>: Unpin;
    }
    fn has_both<T: Send + Sync>(_: PhantomData<T>) {}
    has_both::<SlotFuture<'static, u8>>(PhantomData);
    has_both::<StackFuture<'static, u8, 64>>(PhantomData);
}

#[test]
fn the_library_can_have_another_path() {
    assert_eq!(run(through_a_path("abc")), 3);
    assert_eq!(run(through_a_path_slot(&mut ringback::FutureSlot::new(), "abc")), 3);
    drop(never_returns("never polled"));
}
