// SPDX-License-Identifier: MIT OR Apache-2.0

//! How large the boxes are: a `[u8; 1024]` that is held over an await.

use crate::allocator;
use std::future::Future;
use std::hint::black_box;

type Bytes = [u8; 1024];

/// The same functions, by every maker.
macro_rules! functions {
    ($maker:meta) => {
        #[$maker]
        pub async fn named(bytes: super::Bytes) -> usize {
            std::future::ready(()).await;
            std::hint::black_box(&bytes).len()
        }

        #[$maker]
        pub async fn changed(mut bytes: super::Bytes) -> usize {
            bytes[0] = 1;
            std::future::ready(()).await;
            std::hint::black_box(&bytes).len()
        }
    };
}

macro_rules! pattern {
    ($maker:meta) => {
        #[$maker]
        pub async fn pattern((bytes, other): (super::Bytes, u8)) -> usize {
            std::future::ready(()).await;
            std::hint::black_box((&bytes, other)).0.len()
        }
    };
}

mod plain {
    functions!(allow(clippy::large_futures));
    pattern!(allow(clippy::large_futures));
}

mod hooked {
    functions!(ringback::hook);
    pattern!(ringback::hook);
}

mod serenity {
    functions!(command_attr::hook);
}

mod recursion {
    functions!(async_recursion::async_recursion);
    pattern!(async_recursion::async_recursion);
}

/// Bytes that a call allocates, all of them at once.
fn boxed<F: Future<Output = usize>>(call: impl FnOnce() -> F) -> f64 {
    let (before, allocations) = (allocator::bytes(), allocator::allocations());
    let future = black_box(call());
    let bytes = allocator::bytes() - before;
    assert_eq!(allocator::allocations() - allocations, 1, "not one allocation");
    drop(future);
    bytes as f64
}

/// Boxed bytes over those of the plain function's future: of each argument, by name.
pub struct Sizes {
    pub named: f64,
    pub changed: f64,
    pub pattern: f64,
    /// By argument: bytes by each of [`MAKERS`], where it takes it.
    pub bytes: [(&'static str, [Option<f64>; 4]); 3],
}

pub const MAKERS: [&str; 4] = ["plain `async fn`", "ringback", "command_attr", "async-recursion"];

pub fn sizes() -> Sizes {
    let bytes: Bytes = black_box([0; 1024]);
    let pair = (bytes, 1);
    let plain = [
        size_of_val(&plain::named(bytes)) as f64,
        size_of_val(&plain::changed(bytes)) as f64,
        size_of_val(&plain::pattern(pair)) as f64,
    ];
    let ours = [
        boxed(|| hooked::named(bytes)),
        boxed(|| hooked::changed(bytes)),
        boxed(|| hooked::pattern(pair)),
    ];
    let serenity = [boxed(|| serenity::named(bytes)), boxed(|| serenity::changed(bytes))];
    let recursion = [
        boxed(|| recursion::named(bytes)),
        boxed(|| recursion::changed(bytes)),
        boxed(|| recursion::pattern(pair)),
    ];
    let row = |at: usize| {
        [Some(plain[at]), Some(ours[at]), serenity.get(at).copied(), Some(recursion[at])]
    };
    Sizes {
        named: ours[0] / plain[0],
        changed: ours[1] / plain[1],
        pattern: ours[2] / plain[2],
        bytes: [("a name", row(0)), ("`mut`", row(1)), ("a pattern", row(2))],
    }
}
