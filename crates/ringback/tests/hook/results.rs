// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a hook may return: `impl Trait`, `!`, uninhabited types, unsized coercions, and itself again.

use super::support::{BoxFuture, View, pause, run};
use ringback::hook;
use std::convert::Infallible;
use std::future::Future;
use std::panic::catch_unwind;

macro_rules! functions {
    ($hook:meta) => {
        use super::super::support::View;
        use std::fmt::Display;

        #[$hook]
        pub(super) async fn borrowed(text: &str) -> impl Display + use<'_> {
            text
        }

        #[$hook]
        pub(super) async fn borrowed_below<'w>(
            words: &[&'w str],
            at: usize,
        ) -> impl Display + use<'w> {
            words[at]
        }

        #[$hook]
        pub(super) async fn borrowed_by_name<'a, 'b>(
            one: &'a str,
            other: &'b str,
        ) -> (impl Display + use<'b>, impl Iterator<Item = impl Display + use<>> + use<>) {
            (other, [one.to_owned()].into_iter())
        }

        #[$hook]
        pub(super) async fn said(text: &str) -> impl Display + '_ {
            text
        }

        #[$hook]
        pub(super) async fn or_error(text: &str) -> Result<impl Display, std::num::ParseIntError> {
            let number: i32 = text.parse()?;
            if number == 0 {
                return Ok(1);
            }
            Ok(number)
        }

        #[$hook]
        pub(super) async fn object(text: &str) -> Box<dyn Display + '_> {
            if text.is_empty() {
                return Box::new(0);
            }
            Box::new(text)
        }

        #[$hook]
        pub(super) async fn early(text: &str) -> Box<dyn Display> {
            if let Some(first) = text.chars().next() {
                return Box::new(first);
            }
            Box::new("nothing")
        }

        #[$hook]
        pub(super) async fn of_the_view<'v>(view: &View<'v>) -> impl Display + use<'v> {
            view.0
        }
    };
}

mod plain {
    functions!(allow(clippy::elidable_lifetime_names));
}

mod hooked {
    functions!(ringback::hook);
}

macro_rules! used {
    ($functions:ident) => {{
        use $functions::*;
        run(async {
            let text = "text".to_owned();
            let (other, rest) = borrowed_by_name(&text, "b").await;
            let answers = [
                borrowed(&text).await.to_string(),
                borrowed_below(&[&text], 0).await.to_string(),
                other.to_string() + &rest.map(|it| it.to_string()).collect::<String>(),
                said(&text).await.to_string(),
                or_error("0").await.map_or_else(|error| error.to_string(), |it| it.to_string()),
                or_error("x").await.map_or_else(|error| error.to_string(), |it| it.to_string()),
                object(&text).await.to_string() + &object("").await.to_string(),
                early(&text).await.to_string() + &early("").await.to_string(),
                of_the_view(&View(&text)).await.to_string(),
            ];
            answers
        })
    }};
}

#[test]
fn results_are_those_of_plain_functions() {
    assert_eq!(used!(plain), used!(hooked));
}

#[hook]
async fn never(text: &str) -> ! {
    pause().await;
    panic!("{text}")
}

#[hook]
async fn looping() -> ! {
    loop {
        pause().await;
    }
}

#[hook]
async fn uninhabited(end: bool) -> Result<Infallible, i32> {
    if end {
        return Err(1);
    }
    Err(2)
}

#[hook]
async fn nothing_at_all(text: &str) {
    if text.is_empty() {
        return;
    }
    pause().await;
}

#[test]
fn functions_that_never_return() {
    let panicked = catch_unwind(|| {
        let text = "on purpose".to_owned();
        run(async { never(&text).await })
    });
    let said = panicked.expect_err("it panics");
    assert_eq!(said.downcast_ref::<String>().map(String::as_str), Some("on purpose"));
    let mut future = looping();
    let waker = std::task::Waker::noop();
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    assert_eq!([true, false].map(|end| run(uninhabited(end))), [Err(1), Err(2)]);
    run(nothing_at_all(""));
    run(nothing_at_all("text"));
}

#[hook]
async fn factorial(number: u64) -> u64 {
    if number == 0 { 1 } else { number * factorial(number - 1).await }
}

#[hook]
async fn is_even(number: &u32) -> bool {
    match *number {
        0 => true,
        number => is_odd(&(number - 1)).await,
    }
}

#[hook]
async fn is_odd(number: &u32) -> bool {
    match *number {
        0 => false,
        number => is_even(&(number - 1)).await,
    }
}

#[test]
fn hooks_call_themselves_and_each_other() {
    assert_eq!(run(factorial(10)), 3_628_800);
    assert!(run(is_even(&10)));
    let stored: for<'a> fn(&'a u32) -> BoxFuture<'a, bool> = is_odd;
    assert!(run(stored(&7)));
}

/// The future is as unnameable as any, but its traits are known.
#[test]
fn a_hook_is_send_and_can_be_spawned() {
    fn spawned<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let runtime = runtime.expect("a runtime");
    let answer = runtime.block_on(async { tokio::spawn(spawned(factorial(5))).await });
    assert_eq!(answer.expect("it does not panic"), 120);
}

/// The bounds of the result give a closure the types of its arguments, as in a plain function.
mod closures {
    macro_rules! functions {
        ($hook:meta) => {
            #[$hook]
            pub(in super::super) async fn longer(text: &str) -> impl Fn(&str) -> bool + use<'_> {
                super::super::super::support::pause().await;
                move |other| other.len() > text.len()
            }

            #[$hook]
            pub(in super::super) async fn at(number: usize) -> impl Fn(&[u8]) -> Option<&u8> {
                super::super::super::support::pause().await;
                move |bytes| bytes.get(number)
            }

            #[$hook]
            pub(in super::super) async fn pair(more: usize) -> (impl FnMut(&str) -> usize, u8) {
                let mut all = more;
                (
                    move |text| {
                        all += text.len();
                        all
                    },
                    7,
                )
            }

            #[$hook]
            pub(in super::super) async fn twice<T: Copy + Sync>(
                call: impl Fn(T) -> T + Send,
                _: &T,
            ) -> impl Fn(T) -> T {
                move |value| call(call(value))
            }

            #[$hook]
            pub(in super::super) async fn made<T: Default + PartialEq>() -> impl Fn(&T) -> bool {
                let made = T::default();
                move |other: &T| made == *other
            }

            #[$hook]
            pub(in super::super) async fn refused(number: usize) -> impl Fn(&str) -> usize {
                if number == 0 {
                    return move |text: &str| text.len();
                }
                panic!("{number}")
            }

            pub(in super::super) struct Prefix<T>(pub(in super::super) T);

            impl<T: AsRef<str> + Sync> Prefix<T> {
                #[$hook]
                pub(in super::super) async fn starts(&self) -> impl Fn(&str) -> bool + use<'_, T> {
                    |text| text.starts_with(self.0.as_ref())
                }
            }
        };
    }

    pub(super) mod plain {
        functions!(allow(clippy::elidable_lifetime_names));
    }

    pub(super) mod hooked {
        functions!(ringback::hook);
    }
}

macro_rules! closures {
    ($functions:ident) => {{
        use closures::$functions::*;
        run(async {
            let text = "text".to_owned();
            let (mut count, seven) = pair(1).await;
            let counts = [count("a"), count("bc"), usize::from(seven)];
            let bytes = [1, 2, 3].to_vec();
            let found = at(2).await(&bytes).copied();
            let twice = twice(|number| number * 2, &1).await(3);
            let prefix = Prefix(text.clone());
            let starts = prefix.starts().await;
            let flags = [
                longer(&text).await("longer"),
                made::<&str>().await(&""),
                at(3).await(&bytes).is_none(),
                starts("text, and more"),
                starts("tex"),
            ];
            (counts, found, twice, flags, refused(0).await("abc"))
        })
    }};
}

#[test]
fn closures_as_results() {
    let plain = closures!(plain);
    assert_eq!(plain, closures!(hooked));
    assert_eq!(plain, ([2, 4, 7], Some(3), 12, [true, true, true, true, false], 3));
}

#[hook]
async fn trims() -> Box<dyn Fn(&str) -> &str + Send> {
    Box::new(|text| text.trim())
}

/// The form that docs/hook-rules.md says for an argument that is not there.
#[hook]
async fn conditional<'a>(#[cfg(any())] gone: &str, text: &'a str) -> &'a str {
    text
}

#[test]
fn boxed_closures_and_absent_arguments() {
    assert_eq!(run(trims())(" text "), "text");
    assert_eq!(run(conditional("text")), "text");
}

/// As `async fn never`, through a pointer.
#[test]
fn functions_that_never_return_are_stored() {
    #[hook]
    async fn ends(text: &str) -> ! {
        std::panic::panic_any(text.len())
    }
    #[hook]
    async fn fails(text: &str) -> std::convert::Infallible {
        std::panic::panic_any(text.len() + 1)
    }
    type Stored<R> = for<'a> fn(&'a str) -> super::support::BoxFuture<'a, R>;
    let ends: Stored<ringback::hook::Never> = ends;
    let fails: Stored<std::convert::Infallible> = fails;
    let text = "text".to_owned();
    let panics: [std::thread::Result<()>; 2] = [
        std::panic::catch_unwind(|| run(async { ends(&text).await })),
        std::panic::catch_unwind(|| {
            let _ = run(fails(&text));
        }),
    ];
    let payloads = panics.map(|it| it.expect_err("it panics").downcast_ref::<usize>().copied());
    assert_eq!(payloads, [Some(4), Some(5)]);
}
