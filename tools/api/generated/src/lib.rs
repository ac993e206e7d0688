// SPDX-License-Identifier: MIT OR Apache-2.0

//! What ringback's macros make, one of each: users call these items most, and no list of the library's own
//! has them. `ci/api.sh` keeps theirs in `generated.txt`.

use ringback::hook::hook as hook_closure;
use ringback::{Callback, ForeignError, ForeignFuture, callback_pool, callback_type, hook};
use std::{future::Future, pin::Pin};

callback_pool! {
    /// A pool.
    pub static ON_SPEED: Pool<extern "C" fn(wheel: u32, speed: i32) -> i32, 8>;
    fallback = -1;
}

callback_type! {
    /// A callback.
    pub struct OnDoor: fn(open: bool) -> i32
}

callback_type! {
    /// A callback that is a task.
    pub struct Fetch: async fn(id: u32) -> i64
}

/// `call` is found through `Deref`, so no list has it: it compiles only as long as it is this.
pub static CALL: fn(&Callback<OnDoor>, bool) -> Result<i32, ForeignError> =
    |door, open| door.call(open);

/// The same of a task.
pub static FETCH: fn(&Callback<Fetch>, u32) -> ForeignFuture<i64> = |fetch, id| fetch.call(id);

/// An async function as a library stores it.
pub type Stored = for<'a> fn(&'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>>;

/// A hook.
#[hook(slot)]
pub async fn length(text: &str) -> usize {
    text.len()
}

/// A hook that stays on the stack.
#[hook(stack = 64)]
pub async fn length_on_stack(text: &str) -> usize {
    text.len()
}

/// Both as what they are for. No list has `hook!` either: it is another name of a hidden macro.
pub static STORED: [Stored; 2] = [length, hook_closure!(async |text| text.len())];
