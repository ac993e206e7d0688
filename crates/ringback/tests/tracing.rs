// SPDX-License-Identifier: MIT OR Apache-2.0

//! The feature `tracing`: what happens inside a foreign call becomes an event.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use ringback::callback_pool;
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; on_panic = -2; }

static SEEN: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

struct Records;
impl Subscriber for Records {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "ringback"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{}={value:?};", field.name());
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        SEEN.lock().unwrap().push((*event.metadata().level(), text.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn panics_and_stale_calls_become_events() {
    common::quiet_panics();
    tracing::subscriber::set_global_default(Records).unwrap();
    let r = POOL.register(|_| panic!("provoked")).unwrap();
    let f = r.as_fn();
    assert_eq!(f(1), -2);
    drop(r);
    assert_eq!(f(1), -1);
    let seen = SEEN.lock().unwrap();
    let [(first, panicked), (second, stale)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((*first, *second), (Level::ERROR, Level::DEBUG));
    assert!(panicked.contains("provoked") && panicked.contains("POOL"), "{panicked}");
    assert!(stale.contains("stale call") && stale.contains("slot=0"), "{stale}");
}
