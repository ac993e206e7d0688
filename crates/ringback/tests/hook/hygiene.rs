// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nothing that a user has in scope gets in the way, and macros may write the signature.

use ringback::hook;

/// Names that the expansion needs, taken by the user; also those it makes up.
#[allow(dead_code, non_camel_case_types, non_upper_case_globals)]
mod names_are_taken {
    pub(super) struct Box;
    pub(super) struct Pin;
    pub(super) struct Option;
    pub(super) struct Some(pub(super) i32);
    pub(super) struct None;
    pub(super) trait Send {}
    pub(super) trait Sync {}
    pub(super) trait Future {}
    pub(super) mod ringback {}
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod alloc {}
    pub(super) fn __result() {}
    pub(super) fn __expected() {}
    pub(super) mod __slot {}
    pub(super) struct __argument0 {}
    pub(super) const result: i32 = 1;
    pub(super) static slot: i32 = 1;
    pub(super) struct argument0;

    #[::ringback::hook]
    pub(super) async fn used<'__hook>(text: &'__hook str, (a, b): (i32, i32)) -> &'__hook str {
        if a > b {
            return "";
        }
        text
    }

    #[::ringback::hook]
    pub(super) async fn taken<'__hook, '__hook1, 'fut>(
        one: &'__hook str,
        other: &'__hook1 str,
        third: &'fut str,
    ) -> &'__hook str {
        if other.len() > third.len() {
            return "";
        }
        one
    }

    #[::ringback::hook]
    pub(super) async fn never_read(
        __slot: i32,
        __argument2: i32,
        (__argument0, _): (i32, i32),
    ) -> i32 {
        let __result = __slot + __argument0;
        __result + __argument2
    }

    #[::ringback::hook(slot)]
    pub(super) async fn slotted(__slot: &i32, (__argument1, __result): (i32, i32)) -> i32 {
        *__slot + __argument1 + __result - __result
    }

    #[::ringback::hook(?Send)]
    pub(super) async fn anonymous<'__hook_impl0>(
        one: &'__hook_impl0 str,
        words: &mut impl ::core::iter::Iterator<Item = &str>,
    ) -> usize {
        one.len() + words.count()
    }

    pub(super) struct Hooked<'__hook>(pub(super) &'__hook str);

    impl<'__hook> Hooked<'__hook> {
        #[::ringback::hook]
        pub(super) async fn joined(&self, other: &str) -> (&'__hook str, usize) {
            (self.0, other.len())
        }
    }

    pub(super) struct Own<'fut>(pub(super) &'fut str);

    impl<'fut> Own<'fut> {
        #[::ringback::hook]
        pub(super) async fn text(&self) -> &'fut str {
            self.0
        }

        #[::ringback::hook]
        pub(super) async fn longer(&self, other: &'fut str) -> &'fut str {
            if other.len() > self.0.len() { other } else { self.0 }
        }
    }
}

#[test]
fn a_users_own_names() {
    use super::support::run;
    use names_are_taken::{Own, anonymous, never_read, slotted, slotted_slot, taken, used};
    assert_eq!(run(used("text", (1, 2))), "text");
    assert_eq!(run(taken("one", "a", "b")), "one");
    assert_eq!(run(anonymous("ab", &mut ["a"].into_iter())), 3);
    assert_eq!(run(never_read(1, 2, (3, 4))), 6);
    let mut slot = ringback::FutureSlot::new();
    assert_eq!([run(slotted(&1, (2, 3))), run(slotted_slot(&mut slot, &1, (2, 3)))], [3, 3]);
    assert_eq!(run(names_are_taken::Hooked("text").joined("ab")), ("text", 2));
    assert_eq!(run(Own("text").text()), "text");
    assert_eq!(run(Own("text").longer("longer")), "longer");
}

/// What a macro captured arrives in invisible groups.
macro_rules! handlers {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis $name:ident<$lifetime:lifetime>($($argument:ident: $ty:ty),*) -> $result:ty $body:block
    )*) => {$(
        $(#[$attribute])*
        #[hook]
        $visibility async fn $name<$lifetime>($($argument: $ty),*) -> $result $body
    )*};
}

mod made {
    use super::super::support::{Msg, View};
    use ringback::hook;

    handlers! {
        /// Documented.
        pub(super) borrows<'a>(message: &Msg, text: &'static str, list: &mut Vec<&str>) -> usize {
            list.pop();
            message.0.len() + text.len() + list.len()
        }
        #[allow(clippy::needless_pass_by_value)]
        pub(super) views<'a>(view: View<'_>, maybe: Option<&str>, object: Box<dyn Fn(&str) -> usize + Send + '_>) -> usize {
            object(view.0) + maybe.map_or(0, str::len)
        }
        pub(super) returns<'a>(list: &'a [&'a str], more: &Msg) -> &'a str {
            if more.0.is_empty() { return list[0]; }
            list[1]
        }
        pub(super) never<'a>(text: &str) -> ! { panic!("{text}") }
    }
}

#[test]
fn signatures_that_macros_write() {
    use super::support::{BoxFuture, Msg, View, run};
    let borrows: for<'a> fn(&'a Msg, &'static str, &'a mut Vec<&str>) -> BoxFuture<'a, usize> =
        made::borrows;
    assert_eq!(run(borrows(&Msg("text".into()), "abc", &mut vec!["", ""])), 8);
    assert_eq!(run(made::views(View("text"), Some("ab"), Box::new(str::len))), 6);
    let returns: for<'a> fn(&'a [&'a str], &'a Msg) -> BoxFuture<'a, &'a str> = made::returns;
    assert_eq!(run(returns(&["a", "b"], &Msg(String::new()))), "a");
    drop(made::never("never polled"));
}

#[test]
fn a_function_that_a_macro_was_given_whole() {
    use super::support::{BoxFuture, run};
    macro_rules! given {
        ($options:meta, $function:item) => {
            #[$options]
            $function
        };
    }
    given! {
        hook(slot),
        /// Documented.
        #[allow(unused_mut)]
        async fn whole(text: &str, mut more: Option<&str>) -> usize {
            text.len() + more.map_or(0, str::len)
        }
    }
    let stored: for<'a> fn(&'a str, Option<&'a str>) -> BoxFuture<'a, usize> = whole;
    assert_eq!(run(stored("text", Some("a"))), 5);
    assert_eq!(run(whole_slot(&mut ringback::FutureSlot::new(), "text", None)), 4);
}

/// A library that passes ringback on, and writes hooks for its users.
mod library {
    pub(super) mod reexported {
        pub(in super::super) use ringback as callbacks;
    }

    macro_rules! length {
        ($name:ident) => {
            #[$crate::hygiene::library::reexported::callbacks::hook(
                                        crate = $crate::hygiene::library::reexported::callbacks,
                                        slot
                                    )]
            async fn $name(text: &str) -> usize {
                text.len()
            }
        };
    }

    macro_rules! table {
        ($($closure:expr),*; $pattern:pat, $ty:ty, $body:expr) => {
            [
                $($crate::hygiene::library::reexported::callbacks::hook::hook!($closure),)*
                $crate::hygiene::library::reexported::callbacks::hook::hook!(async |$pattern: $ty| $body),
            ]
        };
    }

    pub(super) use {length, table};
}

#[test]
fn hooks_that_a_librarys_macro_writes() {
    use super::support::{BoxFuture, run};
    library::length!(length);
    let table: [for<'a> fn(&'a str) -> BoxFuture<'a, usize>; 3] = library::table![
        async |text: &str| text.len(),
        async move |text| { text.len() + 1 };
        _, &str, 1 + 2
    ];
    assert_eq!(table.map(|it| run(it("ab"))), [2, 3, 3]);
    assert_eq!(run(length("ab")), 2);
    assert_eq!(run(length_slot(&mut ringback::FutureSlot::new(), "ab")), 2);
}

/// Locals of a macro and of its user keep apart, as in a plain function.
#[test]
fn hygiene_of_locals_stays() {
    macro_rules! adds {
        ($name:ident, $given:ident, $body:expr) => {
            #[hook]
            async fn $name($given: i32, local: i32) -> i32 {
                let sum = $body;
                sum + local
            }
        };
    }
    adds!(added, local, local * 100);
    assert_eq!(super::support::run(added(1, 2)), 102);
}

/// The body passes as it is: syntax that a parser library may not know yet.
#[test]
fn bodies_of_any_syntax() {
    #[hook]
    async fn syntax(text: &str) -> usize {
        #![allow(clippy::items_after_statements)]
        const NAME: &std::ffi::CStr = c"name";
        unsafe extern "C" {
            safe fn abs(number: i32) -> i32;
        }
        fn captures<'a>(text: &'a str) -> impl Sized + use<'a> {
            text
        }
        #[unsafe(no_mangle)]
        extern "C" fn ringback_test_of_hook_syntax() {}
        ringback_test_of_hook_syntax();
        let pointer = &raw const *NAME;
        let close = async |more: usize| more + 1;
        let Some(first) = text.chars().next() else { return 0 };
        let _ = (captures(text), pointer, first);
        'hook: loop {
            break 'hook close(const { 1 + 1 }).await + usize::try_from(abs(-3)).unwrap_or(0);
        }
    }
    assert_eq!(super::support::run(syntax("text")), 6);
}
