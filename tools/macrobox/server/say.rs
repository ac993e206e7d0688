// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the child says, as it happens: a macro that dies or hangs takes none of it along.

use crate::message::{Answer, Note};
use crate::sys;
use crate::wire::{Wire, Writer, frame};
use std::ffi::c_int;
use std::sync::Mutex;

/// The pipe to the server. Threads of a macro read the clock and the environment too, and each frame
/// must be whole.
static PIPE: Mutex<c_int> = Mutex::new(-1);

/// A note begins with its number, and the last frame, an answer, with this.
pub const ANSWER: u8 = 0;

/// From here on all is said into `pipe`.
pub fn into(pipe: c_int) {
    *PIPE.lock().unwrap_or_else(|held| held.into_inner()) = pipe;
}

pub fn note(note: &Note) {
    say(|w| note.write(w));
}

/// The last word.
pub fn answer(answer: &Answer) {
    say(|w| {
        ANSWER.write(w);
        answer.write(w);
    });
}

fn say(write: impl FnOnce(&mut Writer)) {
    let frame = frame(write);
    let pipe = PIPE.lock().unwrap_or_else(|held| held.into_inner());
    let _ = sys::write_all(*pipe, &frame); // a macro may have closed it: the server sees the end
}
