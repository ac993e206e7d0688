// SPDX-License-Identifier: MIT OR Apache-2.0

//! A door, which foreign code watches: the library of the guide's chapters on C, C++ and C#.
//!
//! The chapters' Rust is tested with this crate: see [`chapters`].

pub mod chapters;

// ANCHOR: declare
use ringback::Callback;
use std::sync::{Mutex, PoisonError};
use std::thread;

pub use ringback_c::*; // the functions of ringback.h, for C programs that load this library

ringback::callback_type! {
    /// Told whether the door is open; answers how often it was told.
    pub struct OnDoor: fn(open: bool) -> i32
}
// ANCHOR_END: declare

// ANCHOR: watch
static WATCHER: Mutex<Option<Callback<OnDoor>>> = Mutex::new(None);

/// Keeps a watcher of the door; -1 if it is malformed. Owns the reference that it is given.
#[unsafe(no_mangle)]
pub extern "C" fn door_watch(on_door: OnDoor) -> i32 {
    let on_door = match on_door.adopt() {
        Ok(on_door) => on_door, // counted: clone it, send it to other threads
        Err(malformed) => {
            eprintln!("{malformed}"); // what is wrong with it, and the remedy
            return -1;
        }
    };
    let before = WATCHER.lock().unwrap_or_else(PoisonError::into_inner).replace(on_door);
    drop(before); // releases it, with no lock held
    0
}

/// Tells the watcher, from a thread of its own; its answer, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn door_turn(open: bool) -> i32 {
    let Some(watcher) = WATCHER.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
        return -1;
    };
    let told = thread::spawn(move || match watcher.call(open) {
        Ok(answer) => answer,
        Err(exception) => {
            println!("the watcher failed: {exception}");
            -1
        }
    });
    told.join().unwrap_or(-1)
}

/// Lets go of the watcher.
#[unsafe(no_mangle)]
pub extern "C" fn door_leave() {
    let watcher = WATCHER.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(watcher); // the last clone: released, once
}
// ANCHOR_END: watch

// ANCHOR: answerer
/// A Rust closure. The caller owns the reference.
#[unsafe(no_mangle)]
pub extern "C" fn door_answerer() -> OnDoor {
    let doors = 3;
    OnDoor::new(move |open| if open { doors } else { 0 })
}
// ANCHOR_END: answerer

// ANCHOR: fetch
ringback::callback_type! {
    /// Finds the name of a key, which takes a while.
    pub struct FindKey: async fn(id: u32) -> i64
}

/// Asks a foreign task for a key and waits for it; -1 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn door_find(find: FindKey, id: u32) -> i64 {
    let Ok(find) = find.adopt() else { return -1 };
    // Dropping the future before it is ready would cancel the foreign task.
    futures_executor::block_on(find.call(id)).unwrap_or(-1)
}

/// A Rust task. The caller owns the reference.
#[unsafe(no_mangle)]
pub extern "C" fn door_finder() -> FindKey {
    let spawn =
        |task| drop(thread::spawn(move || futures_executor::block_on::<ringback::BoxedTask>(task)));
    FindKey::new(spawn, |id| async move { i64::from(id) * 100 })
}
// ANCHOR_END: fetch

// ANCHOR: bell
use ringback::abi::RbToken;

ringback::callback_pool! {
    /// For a C++ library that copies `std::function`s and offers no way to ask when they are gone.
    static ON_BELL: Pool<extern "C" fn(times: i32), 8>;
    fallback = ();
}

/// Rings through somebody's bell and forgets it again: how often it rang.
///
/// `connect` keeps the function, and the token with each copy of it; `disconnect` drops them.
#[unsafe(no_mangle)]
pub extern "C" fn door_bell(
    connect: extern "C" fn(function: extern "C" fn(times: i32), token: RbToken),
    press: extern "C" fn(),
    disconnect: extern "C" fn(),
) -> i32 {
    let (sender, rings) = std::sync::mpsc::channel();
    let Ok(registration) = ON_BELL.register(move |times| sender.send(times).unwrap_or(())) else {
        return -1;
    };
    let bell = registration.track();
    connect(bell.as_fn(), bell.token());
    press();
    disconnect();
    // No call is inside, and the last copy has died: the slot may serve another listener.
    if bell.unregister().is_err() {
        return -1;
    }
    rings.iter().sum()
}
// ANCHOR_END: bell
