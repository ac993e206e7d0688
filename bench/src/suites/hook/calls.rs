// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a call of a hook allocates and takes.

use super::by_hand;
use crate::allocator;
use ringback::{FutureSlot, SlotFuture, hook};
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

pub struct Ctx(pub u64);

#[hook(slot)]
async fn hooked(ctx: &Ctx, number: &u64) -> u64 {
    let sum = ctx.0.wrapping_add(*number);
    std::future::ready(()).await;
    sum
}

#[async_recursion::async_recursion]
async fn recursing(ctx: &Ctx, number: &u64) -> u64 {
    let sum = ctx.0.wrapping_add(*number);
    std::future::ready(()).await;
    sum
}

#[command_attr::hook]
async fn serenity(ctx: &Ctx, number: &u64) -> u64 {
    let sum = ctx.0.wrapping_add(*number);
    std::future::ready(()).await;
    sum
}

type Handler = for<'a> fn(&'a Ctx, &'a u64) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

type Reusing = for<'a> fn(&'a mut FutureSlot, &'a Ctx, &'a u64) -> SlotFuture<'a, u64>;

/// Polls a future that is ready at once.
fn ready<R>(future: impl Future<Output = R>) -> R {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("it never waits"),
    }
}

/// Nanoseconds of one call, through a table of function pointers.
fn nanoseconds(calls: u64, handler: Handler) -> f64 {
    let handler = black_box(handler);
    let ctx = Ctx(1);
    let begin = Instant::now();
    let mut sum = 0_u64;
    for number in 0..calls {
        sum = sum.wrapping_add(ready(handler(&ctx, &number)));
    }
    let elapsed = begin.elapsed().as_secs_f64();
    assert_eq!(sum, calls * (calls + 1) / 2, "a wrong sum");
    elapsed * 1e9 / calls as f64
}

pub fn hook_nanoseconds(calls: u64) -> f64 {
    nanoseconds(calls, hooked)
}

pub fn hand_nanoseconds(calls: u64) -> f64 {
    nanoseconds(calls, by_hand::boxed)
}

pub fn serenity_nanoseconds(calls: u64) -> f64 {
    nanoseconds(calls, serenity)
}

/// Nanoseconds of one call of what cannot be stored, by its name.
pub fn recursion_nanoseconds(calls: u64) -> f64 {
    nanoseconds(calls, |ctx, number| recursing(ctx, number))
}

/// As [`hook_nanoseconds`], of the reusing form.
pub fn slot_nanoseconds(calls: u64) -> f64 {
    let reusing: Reusing = black_box(hooked_slot);
    let ctx = Ctx(1);
    let mut slot = FutureSlot::new();
    let begin = Instant::now();
    let mut sum = 0_u64;
    for number in 0..calls {
        sum = sum.wrapping_add(ready(reusing(&mut slot, &ctx, &number)));
    }
    let elapsed = begin.elapsed().as_secs_f64();
    assert_eq!(sum, calls * (calls + 1) / 2, "a wrong sum");
    elapsed * 1e9 / calls as f64
}

/// Allocations per call, of the boxed form and of the reusing one.
pub fn allocations(calls: u64) -> [f64; 2] {
    let ctx = Ctx(1);
    let mut slot = FutureSlot::new();
    let count = |call: &mut dyn FnMut(&u64) -> u64| {
        let before = allocator::allocations();
        for number in 0..calls {
            assert_eq!(call(&number), number + 1);
        }
        (allocator::allocations() - before) as f64 / calls as f64
    };
    let boxed = count(&mut |number| ready(black_box(hooked)(&ctx, number)));
    let reusing = count(&mut |number| ready(black_box(hooked_slot)(&mut slot, &ctx, number)));
    [boxed, reusing]
}
