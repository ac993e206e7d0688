// SPDX-License-Identifier: MIT OR Apache-2.0

//! The classic: functions generated at compile time, and a map from their number to the listener.

use super::{Contestant, Entry, listener};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

type Listener = Arc<dyn Fn(u64) -> u64 + Send + Sync>;

static LISTENERS: LazyLock<Mutex<HashMap<usize, Listener>>> = LazyLock::new(Mutex::default);

extern "C" fn thunk<const ID: usize>(argument: u64) -> u64 {
    let listener = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner).get(&ID).cloned();
    listener.map_or(u64::MAX, |listener| listener(argument))
}

struct Registered(usize);

impl Drop for Registered {
    fn drop(&mut self) {
        LISTENERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// One at a time: there is one function.
pub fn contestant(factor: u64) -> Contestant {
    const ID: usize = 7;
    let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    listeners.insert(ID, Arc::new(listener(factor)));
    drop(listeners);
    Contestant::new("Mutex<HashMap>", Entry::Plain(thunk::<ID>), Registered(ID))
}
