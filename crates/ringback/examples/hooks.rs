// SPDX-License-Identifier: MIT OR Apache-2.0

//! A table of hooks, each of which listens on a pool:
//! `cargo run -p ringback --features hook --example hooks`.

use ringback::hook::hook;
use ringback::{FutureSlot, Mailbox, Take};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;

ringback::callback_pool! {
    /// What a C library would call for every value.
    static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 16>;
    fallback = -1;
}

/// What a library stores: it has a type that can be written down.
type Handler = fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Any async function, whatever its own arguments.
#[ringback::hook(slot)]
async fn describe(value: u64, name: &str) -> String {
    format!("{name} of {value}")
}

#[ringback::hook]
async fn print_square(value: u64) {
    println!("{} is {}", describe(value, "the square").await, value * value);
}

#[ringback::hook]
async fn print_halves(mut value: u64) {
    let mut slot = FutureSlot::new(); // one allocation for the whole loop
    while value > 1 {
        value /= 2;
        println!("{}", describe_slot(&mut slot, value, "a half").await);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let table: [Handler; 3] =
        [print_square, print_halves, hook!(async |value| println!("and a closure: {value}"))];
    futures_executor::block_on(async {
        for handler in table {
            let take = |value| Take::Accept(value, 0);
            let (registration, deliver) =
                ON_VALUE.register_async(Mailbox::bounded(16), take, handler)?;
            assert_eq!((registration.as_fn())(12), 0); // on the foreign thread
            let (_, drained) = futures_util::join!(deliver, registration.drain());
            assert_eq!(drained?.counts.completed, 1);
        }
        Ok(())
    })
}
