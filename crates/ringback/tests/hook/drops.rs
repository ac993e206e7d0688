// SPDX-License-Identifier: MIT OR Apache-2.0

//! Arguments live and drop as in a plain `async fn`: on completion, on early return, when the future
//! is cancelled at any await, and when the body panics.

use super::support::{Log, poll_then_drop};
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

        pub(super) struct Host(pub(super) Loud);

        impl Host {
            #[$hook]
            pub(super) async fn by_value(self, first: Loud, _: Loud) -> usize {
                pause().await;
                self.0.log().note("body");
                first.name.len()
            }

            #[$hook]
            pub(super) async fn unused(self, (one, _): (Loud, Loud), last: Loud) -> usize {
                let local = one.log().loud("local");
                pause().await;
                local.name.len() + last.name.len()
            }

            #[$hook]
            pub(super) async fn by_mutable_value(mut self, (one, _): (Loud, Loud)) -> usize {
                self.0.name = "self, renamed";
                pause().await;
                self = Host(one.log().loud("another self"));
                pause().await;
                self.0.name = "another self, renamed";
                one.name.len()
            }

            #[$hook]
            pub(super) async fn moved(self: Box<Self>, last: Loud) -> usize {
                pause().await;
                let Host(inside) = *self;
                last.log().note("body");
                pause().await;
                inside.name.len()
            }

            #[$hook]
            pub(super) async fn by_arc(self: std::sync::Arc<Self>, _: Loud, last: Loud) -> usize {
                pause().await;
                self.0.log().note("body");
                last.name.len()
            }
        }
    };
}

mod plain {
    subjects!(allow(clippy::used_underscore_binding));
}

mod hooked {
    subjects!(ringback::hook);
}

macro_rules! subject {
    ($functions:ident $name:ident) => {
        $functions::$name
    };
    ($functions:ident $receiver:ident $name:ident) => {
        $functions::$receiver::$name
    };
}

/// Calls both with the same arguments, up to each of their awaits and to their end, and compares.
macro_rules! compare {
    ($($([$receiver:ident])? $name:ident($log:ident: $($argument:expr),*);)*) => {$(
        #[test]
        fn $name() {
            let mut most = 0;
            for times in 1..5 {
                let $log = Log::default();
                let plain = catch_unwind(AssertUnwindSafe(|| {
                    #[allow(unused_imports, reason = "for methods")]
                    use plain::{self as functions, Host};
                    poll_then_drop(subject!(functions $($receiver)? $name)($($argument),*), times)
                        .is_some()
                }));
                let of_plain = $log.taken();
                let hooked = catch_unwind(AssertUnwindSafe(|| {
                    #[allow(unused_imports, reason = "for methods")]
                    use hooked::{self as functions, Host};
                    poll_then_drop(subject!(functions $($receiver)? $name)($($argument),*), times)
                        .is_some()
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
    [Host] by_value(log: Host(log.loud("self")), log.loud("first"), log.loud("wild"));
    [Host] unused(
        log: Host(log.loud("self")),
        (log.loud("one"), log.loud("rest")),
        log.loud("last")
    );
    [Host] by_mutable_value(log: Host(log.loud("self")), (log.loud("one"), log.loud("rest")));
    [Host] moved(log: Box::new(Host(log.loud("self"))), log.loud("last"));
    [Host] by_arc(
        log: std::sync::Arc::new(Host(log.loud("self"))),
        log.loud("wild"),
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
#[allow(non_camel_case_types, reason = "a name that looks like any argument's")]
mod units {
    use super::super::support::{Log, Loud, poll_then_drop};

    thread_local! {
        static DROPS: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
    }

    fn note(what: &'static str) {
        DROPS.with_borrow_mut(|drops| drops.push(what));
    }

    struct Unit;
    struct unit;
    type alias = unit;

    impl Drop for Unit {
        fn drop(&mut self) {
            note("Unit");
        }
    }

    impl Drop for unit {
        fn drop(&mut self) {
            note("unit");
        }
    }

    macro_rules! functions {
        ($hook:meta) => {
            use super::*;

            #[$hook]
            pub(super) async fn capital(_: i32, Unit: Unit, later: Loud) {
                note(later.name);
            }

            #[$hook]
            pub(super) async fn small(_: i32, unit: unit, unit: &self::unit, later: Loud) {
                note(later.name);
                drop(unit); // another one
                note("end");
            }

            #[$hook]
            pub(super) async fn of_an_alias(other: alias, later: Loud) {
                note(later.name);
                drop(other);
                note("end");
            }
        };
    }

    mod plain {
        functions!(allow(clippy::needless_pass_by_value));
    }

    mod hooked {
        functions!(ringback::hook);
    }

    macro_rules! noted {
        ($functions:ident) => {{
            let log = Log::default();
            poll_then_drop($functions::capital(1, Unit, log.loud("capital")), 1);
            poll_then_drop($functions::small(1, unit, &unit, log.loud("small")), 1);
            poll_then_drop($functions::of_an_alias(unit, log.loud("alias")), 1);
            DROPS.take()
        }};
    }

    #[test]
    fn unit_structs_as_patterns_are_dropped_at_the_end() {
        let plain = noted!(plain);
        assert_eq!(plain, noted!(hooked));
        let small = ["small", "unit", "end", "unit", "unit"];
        assert_eq!(plain[..2], ["capital", "Unit"]);
        assert_eq!(plain[2..7], small);
    }

    /// Under another name than the type's it cannot be told from any argument, as documented: the
    /// body has a `unit` of its own. Named otherwise, as `of_an_alias` does, it is as in the plain function.
    #[test]
    fn a_unit_struct_behind_an_alias_is_taken_for_a_name() {
        async fn plain(unit: alias) {
            note("body");
        }
        #[ringback::hook]
        async fn hooked(unit: alias) {
            note("body");
        }
        poll_then_drop(plain(unit), 1);
        assert_eq!(DROPS.take(), ["body", "unit"]);
        poll_then_drop(hooked(unit), 1);
        assert_ne!(DROPS.take(), ["body", "unit"]);
    }
}
