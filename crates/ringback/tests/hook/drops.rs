//! Arguments live and drop as in a plain `async fn`: on completion, on early return, when the future
//! is cancelled at any await, and when the body panics.

use super::support::{Log, Loud, poll_then_drop};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The functions of this file, each once plain and once as a hook, and what calls them.
macro_rules! subjects {
    ($hook:meta) => {
        use super::super::support::{Loud, pause};

        #[$hook]
        pub(super) async fn used_and_unused(first: Loud, _second: Loud, third: Loud) -> usize {
            let local = first.log().loud("local");
            pause().await;
            local.log().note("body");
            pause().await;
            third.name.len()
        }

        #[$hook]
        pub(super) async fn wild(first: Loud, _: Loud, _: Loud, last: Loud) -> usize {
            pause().await;
            first.log().note("body");
            last.name.len()
        }

        #[$hook]
        pub(super) async fn moved_in_the_body(first: Loud, second: Loud, third: Loud) -> usize {
            pause().await;
            drop(second);
            first.log().note("body");
            let kept = third;
            pause().await;
            kept.name.len()
        }

        #[$hook]
        pub(super) async fn mutable(mut first: Loud, second: Loud, mut third: Loud) -> usize {
            first.name = "renamed";
            pause().await;
            first.log().note(third.name);
            third = second.log().loud("replaced");
            first.name = "renamed once more";
            third.name.len()
        }

        #[$hook]
        pub(super) async fn one_pattern(
            before: Loud,
            (one, _, other): (Loud, Loud, Loud),
            between: Loud,
            _: Loud,
            after: Loud,
        ) -> usize {
            before.log().note("body");
            pause().await;
            one.name.len() + other.name.len() + between.name.len() + after.name.len()
        }

        #[$hook]
        pub(super) async fn many_patterns(
            (one, _): (Loud, Loud),
            mut between: Loud,
            [two, .., last]: [Loud; 3],
            pair @ (_, _): (Loud, Loud),
            (ref by, _): (Loud, Loud),
        ) -> usize {
            between.name = "between, renamed";
            pause().await;
            one.name.len() + two.name.len() + last.name.len() + by.name.len() + pair.0.name.len()
        }

        #[$hook]
        pub(super) async fn early(
            first: Loud,
            (one, _): (Loud, Loud),
            last: Loud,
        ) -> Result<usize, usize> {
            pause().await;
            let local = first.log().loud("local");
            if local.name.len() == 5 {
                return Err(one.name.len());
            }
            Ok(last.name.len())
        }

        #[$hook]
        pub(super) async fn question(
            first: Loud,
            last: Loud,
        ) -> Result<usize, std::num::ParseIntError> {
            let local = first.log().loud("local");
            let number: usize = last.name.parse()?;
            Ok(number + local.name.len())
        }

        #[$hook]
        pub(super) async fn temporary_in_the_result(first: Loud, (one, _): (Loud, Loud)) -> usize {
            pause().await;
            first.log().loud("temporary").name.len() + one.name.len()
        }

        #[$hook]
        pub(super) async fn panicking(
            first: Loud,
            _: Loud,
            (one, _): (Loud, Loud),
            last: Loud,
        ) -> usize {
            pause().await;
            let _local = first.log().loud("local");
            let _ = (one.name, last.name);
            panic!("on purpose")
        }

        #[$hook]
        pub(super) async fn result(first: Loud, second: Loud) -> Loud {
            pause().await;
            first.log().note("body");
            second
        }

        #[$hook]
        pub(super) async fn condition(
            first: Loud,
            #[cfg(any())] gone: Missing,
            #[cfg(not(ringback_loom))] kept: Loud,
            #[cfg(any())] (gone, too): Missing,
            #[cfg(not(ringback_loom))] (one, _): (Loud, Loud),
            #[cfg(any())] mut gone: Missing,
            #[cfg(not(ringback_loom))] mut last: Loud,
        ) -> usize {
            last.name = "renamed";
            pause().await;
            first.log().note("body");
            kept.name.len() + one.name.len() + last.name.len()
        }
    };
}

mod plain {
    subjects!(allow(clippy::used_underscore_binding));
}

mod hooked {
    subjects!(ringback::hook);
}

/// Calls both with the same arguments, up to each of their awaits and to their end, and compares.
macro_rules! compare {
    ($($name:ident($log:ident: $($argument:expr),*);)*) => {$(
        #[test]
        fn $name() {
            let mut most = 0;
            for times in 1..5 {
                let $log = Log::default();
                let plain = catch_unwind(AssertUnwindSafe(|| {
                    poll_then_drop(plain::$name($($argument),*), times).is_some()
                }));
                let of_plain = $log.taken();
                let hooked = catch_unwind(AssertUnwindSafe(|| {
                    poll_then_drop(hooked::$name($($argument),*), times).is_some()
                }));
                assert_eq!(of_plain, $log.taken(), "after {times} polls");
                assert_eq!(plain.as_ref().ok(), hooked.as_ref().ok());
                assert!(!of_plain.is_empty());
                most = most.max(of_plain.len());
            }
            assert!(most >= 2, "this case shows no order");
        }
    )*};
}

compare! {
    used_and_unused(log: log.loud("first"), log.loud("second"), log.loud("third"));
    wild(log: log.loud("first"), log.loud("second"), log.loud("third"), log.loud("last"));
    moved_in_the_body(log: log.loud("first"), log.loud("second"), log.loud("third"));
    mutable(log: log.loud("first"), log.loud("second"), log.loud("third"));
    one_pattern(
        log: log.loud("before"),
        (log.loud("one"), log.loud("rest"), log.loud("other")),
        log.loud("between"),
        log.loud("wild"),
        log.loud("after")
    );
    many_patterns(
        log: (log.loud("one"), log.loud("rest of one")),
        log.loud("between"),
        [log.loud("two"), log.loud("rest of two"), log.loud("last of two")],
        (log.loud("pair"), log.loud("of pair")),
        (log.loud("by reference"), log.loud("beside it"))
    );
    early(log: log.loud("first"), (log.loud("one"), log.loud("rest")), log.loud("last"));
    question(log: log.loud("first"), log.loud("no number"));
    temporary_in_the_result(log: log.loud("first"), (log.loud("one"), log.loud("rest")));
    panicking(
        log: log.loud("first"),
        log.loud("second"),
        (log.loud("one"), log.loud("rest")),
        log.loud("last")
    );
    result(log: log.loud("first"), log.loud("second"));
    condition(
        log: log.loud("first"),
        log.loud("kept"),
        (log.loud("one"), log.loud("rest")),
        log.loud("last")
    );
}

/// The one difference, as documented: before the first poll the plain future drops its arguments
/// first to last, the hook's last to first.
#[test]
fn an_unpolled_future_drops_everything_once_last_to_first() {
    let log = Log::default();
    let arguments = || (log.loud("first"), log.loud("second"), log.loud("third"));
    let (first, second, third) = arguments();
    drop(plain::used_and_unused(first, second, third));
    assert_eq!(log.taken(), ["drop first", "drop second", "drop third"]);
    let (first, second, third) = arguments();
    drop(hooked::used_and_unused(first, second, third));
    assert_eq!(log.taken(), ["drop third", "drop second", "drop first"]);
}

#[test]
fn nothing_is_dropped_or_run_by_the_call_itself() {
    let log = Log::default();
    let future = hooked::wild(log.loud("a"), log.loud("b"), log.loud("c"), log.loud("d"));
    assert!(log.taken().is_empty());
    drop(future);
    assert_eq!(log.taken().len(), 4);
}

/// A unit struct in the place of a name binds nothing, so its value must be kept as `_` is.
#[test]
fn a_unit_struct_as_a_pattern_is_dropped_at_the_end() {
    struct Unit;
    static LOG: std::sync::Mutex<Vec<&str>> = std::sync::Mutex::new(Vec::new());
    impl Drop for Unit {
        fn drop(&mut self) {
            LOG.lock().expect("no panic").push("unit");
        }
    }
    async fn plain(_: i32, Unit: Unit, later: Loud) {
        LOG.lock().expect("no panic").push(later.name);
    }
    #[ringback::hook]
    async fn hooked(_: i32, Unit: Unit, later: Loud) {
        LOG.lock().expect("no panic").push(later.name);
    }
    let log = Log::default();
    poll_then_drop(plain(1, Unit, log.loud("body")), 1);
    let of_plain = std::mem::take(&mut *LOG.lock().expect("no panic"));
    poll_then_drop(hooked(1, Unit, log.loud("body")), 1);
    assert_eq!(of_plain, ["body", "unit"]);
    assert_eq!(of_plain, *LOG.lock().expect("no panic"));
}
