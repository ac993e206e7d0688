// SPDX-License-Identifier: MIT OR Apache-2.0

//! Attributes: on arguments, above the hook and below it.

use super::support::{BoxFuture, Msg, run};
use ringback::hook;

#[hook]
async fn conditions(
    #[cfg(any())] gone: &Missing,
    #[cfg(not(ringback_loom))] kept: &str,
    #[cfg_attr(all(), cfg(any()))] also_gone: Missing,
    #[cfg_attr(all(), allow(unused_variables))] unused: &Msg,
    #[cfg(any())] (pattern, gone): Missing,
    #[allow(unused_mut)] mut number: usize,
    #[cfg(not(ringback_loom))] [one, other]: [usize; 2],
) -> usize {
    kept.len() + number + one + other
}

#[test]
fn a_cfg_decides_whether_there_is_an_argument() {
    type Handler = for<'a> fn(&'a str, &'a Msg, usize, [usize; 2]) -> BoxFuture<'a, usize>;
    let stored: Handler = conditions;
    assert_eq!(run(stored("text", &Msg(String::new()), 1, [2, 3])), 10);
}

#[test]
fn lint_levels_and_deprecation_are_the_functions_own() {
    /// Documented.
    #[deprecated = "use nothing"]
    #[hook]
    #[allow(unused_variables, unused_mut)]
    #[must_use]
    #[inline]
    async fn old(mut unused: i32, #[expect(unused_mut)] mut expected: i32) -> i32 {
        let mut unused = 1;
        unused + expected
    }
    #[expect(deprecated)]
    let answer = run(old(1, 2));
    assert_eq!(answer, 3);
}

/// It is of no effect on a plain one either: the body runs at a poll, whose caller is the executor.
#[test]
fn track_caller_is_as_in_a_plain_function() {
    use std::panic::Location;
    #[expect(ungated_async_fn_track_caller)]
    #[track_caller]
    async fn plain() -> [u32; 2] {
        [line!(), Location::caller().line()]
    }
    #[hook]
    #[track_caller]
    async fn hooked() -> [u32; 2] {
        [line!(), Location::caller().line()]
    }
    for [line, caller] in [run(plain()), run(hooked())] {
        assert_eq!(line, caller);
    }
}

mod spans {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    /// Counts how often a span was entered, and collects the names of those that were made.
    #[derive(Default)]
    pub(super) struct Spans {
        ids: AtomicU64,
        pub(super) entered: Arc<AtomicUsize>,
        pub(super) names: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Subscriber for Spans {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, attributes: &Attributes<'_>) -> Id {
            self.names.lock().expect("nobody panics here").push(attributes.metadata().name());
            assert!(attributes.metadata().fields().field("number").is_some());
            Id::from_u64(self.ids.fetch_add(1, Relaxed) + 1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {
            self.entered.fetch_add(1, Relaxed);
        }
        fn exit(&self, _: &Id) {}
    }
}

/// tracing's attribute sees the future on either side of the hook, and enters its span at each poll
/// rather than at the call.
#[test]
fn instrument_above_and_below() {
    use super::support::{pause, poll_then_drop};

    #[tracing::instrument(name = "handled", skip(text))]
    #[hook]
    async fn above(number: u32, text: &str) -> usize {
        pause().await;
        text.len()
    }
    #[hook]
    #[tracing::instrument(name = "handled", skip(text))]
    async fn below(number: u32, text: &str) -> usize {
        pause().await;
        text.len()
    }
    #[tracing::instrument(name = "handled", skip(text))]
    #[hook(slot, stack = 1024)]
    async fn above_others(number: u32, text: &str) -> usize {
        pause().await;
        text.len()
    }
    let subscriber = spans::Spans::default();
    let entered = std::sync::Arc::clone(&subscriber.entered);
    let names = std::sync::Arc::clone(&subscriber.names);
    let entries = || entered.load(std::sync::atomic::Ordering::Relaxed);
    let table: [for<'a> fn(u32, &'a str) -> BoxFuture<'a, usize>; 2] = [above, below];
    tracing::subscriber::with_default(subscriber, || {
        for handler in table {
            let before = entries();
            let future = handler(1, "text");
            assert_eq!(entries(), before, "the span is of the future, not of the call");
            assert_eq!(poll_then_drop(future, 2), Some(4));
            assert!(entries() >= before + 2);
        }
        let before = entries();
        let mut slot = ringback::FutureSlot::new();
        assert_eq!(poll_then_drop(above_others_slot(&mut slot, 1, "text"), 2), Some(4));
        assert_eq!(poll_then_drop(above_others(1, "text"), 2), Some(4));
        assert!(entries() >= before + 4);
    });
    let names = names.lock().expect("nobody panics here");
    assert!(names.len() == 4 && names.iter().all(|name| *name == "handled"), "{names:?}");
}

/// Above the hook it is told one name, and sees both futures.
#[test]
fn spans_of_both_functions_of_a_slot() {
    #[tracing::instrument]
    #[hook(slot)]
    async fn above(number: u32) -> u32 {
        number
    }
    let subscriber = spans::Spans::default();
    let names = std::sync::Arc::clone(&subscriber.names);
    let entered = std::sync::Arc::clone(&subscriber.entered);
    let entries = || entered.load(std::sync::atomic::Ordering::Relaxed);
    let mut slot = ringback::FutureSlot::new();
    tracing::subscriber::with_default(subscriber, || {
        // Never polled: a plain function's span is entered at the call, that of a future is not.
        drop((above(1), above_slot(&mut slot, 1)));
        assert_eq!(entries(), 0);
        names.lock().expect("nobody panics here").clear();
        assert_eq!(super::support::run(above(1)), 1);
        assert_eq!(super::support::run(above_slot(&mut slot, 2)), 2);
    });
    let names = names.lock().expect("nobody panics here");
    assert_eq!(*names, ["above", "above"]);
}
