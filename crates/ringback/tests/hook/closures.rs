// SPDX-License-Identifier: MIT OR Apache-2.0

//! `hook!`: async closures on stable.

use super::support::{BoxFuture, Log, Msg, pause, poll_then_drop, run};
use ringback::hook::hook;
use std::future::Future;
use std::num::ParseIntError;
use std::pin::Pin;
use std::rc::Rc;

type Handler = for<'a> fn(&'a Msg) -> BoxFuture<'a, usize>;
type Boxed = Box<dyn for<'a> Fn(&'a Msg, usize) -> BoxFuture<'a, usize> + Send + Sync>;

#[test]
fn closures_are_stored_as_pointers_and_as_objects() {
    let pointers: [Handler; 3] = [
        hook!(async |message| message.0.len()),
        hook!(async move |message: &Msg| {
            pause().await;
            message.0.len()
        }),
        hook!(async |Msg(text)| -> usize {
            if text.is_empty() {
                return 0;
            }
            pause().await;
            text.len()
        },),
    ];
    let factor = 10;
    let objects: Vec<Boxed> = vec![
        Box::new(hook!(async |message: &Msg, mut more: usize| {
            more += 1;
            message.0.len() + more
        })),
        Box::new(hook!(async move |message, more| message.0.len() + more * factor)),
    ];
    let message = Msg("text".to_owned());
    assert_eq!(pointers.map(|it| run(it(&message))), [4, 4, 4]);
    assert_eq!(objects.iter().map(|it| run(it(&message, 2))).collect::<Vec<_>>(), [7, 24]);
}

#[test]
fn a_closure_has_its_type_also_where_nothing_is_expected() {
    let later = hook!(async |number: i32| number + 1);
    let question = hook!(async |text: String| -> Result<i32, ParseIntError> {
        let number: i32 = text.parse()?;
        Ok(number)
    });
    let table: [fn(i32) -> BoxFuture<'static, i32>; 1] = [later];
    assert_eq!(run(table[0](1)), 2);
    assert_eq!(run(question("5".to_owned())), Ok(5));
    assert!(run(question("x".to_owned())).is_err());
    let returns: for<'a> fn(&'a Msg) -> BoxFuture<'a, &'a str> = hook!(async |it| it.0.as_str());
    assert_eq!(run(returns(&Msg("text".to_owned()))), "text");
}

#[test]
fn captures_that_are_copied_moved_or_kept_on_a_thread() {
    let text = "moved".to_owned();
    let once: Box<dyn FnOnce() -> BoxFuture<'static, String>> = Box::new(hook!(async move || text));
    assert_eq!(run(once()), "moved");
    type Local = Box<dyn Fn(u8) -> Pin<Box<dyn Future<Output = usize>>>>;
    let shared = Rc::new(5);
    let local: Local = Box::new(move |more| {
        let shared = Rc::clone(&shared); // what is not `Copy` is cloned for each call
        hook!(?Send, async move || *shared + usize::from(more))()
    });
    assert_eq!([run(local(1)), run(local(2))], [6, 7]);
    let sync = hook!(Sync, async || 1);
    fn is_sync<T: Sync>(value: T) -> T {
        value
    }
    assert_eq!(run(is_sync(sync())), 1);
}

/// As docs/hook.md says: where a plain closure changes what it captured, each call has a copy.
#[test]
fn each_call_changes_a_copy_of_what_is_captured() {
    let mut number = 0;
    let mut plain = async move || {
        number += 1;
        number
    };
    assert_eq!([run(plain()), run(plain()), run(plain())], [1, 2, 3]);
    let hooked = hook!(async move || {
        number += 1;
        number
    });
    assert_eq!([run(hooked()), run(hooked()), run(hooked())], [1, 1, 1]);
    assert_eq!(number, 0);
}

/// The way that docs/hook.md says.
#[test]
fn an_arc_is_cloned_for_each_call() {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    let sum = std::sync::Arc::new(AtomicUsize::new(0));
    let arc = sum.clone();
    let stored: Box<dyn Fn(usize) -> BoxFuture<'static, usize> + Send + Sync> =
        Box::new(move |more| {
            let arc = arc.clone();
            hook!(async move || {
                pause().await;
                arc.fetch_add(more, Relaxed) + more
            })()
        });
    assert_eq!([run(stored(1)), run(stored(10))], [1, 11]);
    drop(stored(100)); // never polled
    assert_eq!(sum.load(Relaxed), 11);
    drop(stored);
    assert_eq!(std::sync::Arc::strong_count(&sum), 1);
}

#[test]
fn arguments_drop_as_in_a_plain_closure() {
    let log = Log::default();
    for polls in 1..4 {
        let arguments = || (log.loud("first"), log.loud("wild"), log.loud("last"));
        let (first, wild, last) = arguments();
        let plain = async |first: super::support::Loud, _, last: super::support::Loud| {
            pause().await;
            first.log().note(last.name);
        };
        poll_then_drop(plain(first, wild, last), polls);
        let expected = log.taken();
        let (first, wild, last) = arguments();
        let hooked = hook!(async |first: super::support::Loud, _, last: super::support::Loud| {
            pause().await;
            first.log().note(last.name);
        });
        poll_then_drop(hooked(first, wild, last), polls);
        assert_eq!(log.taken(), expected);
    }
}
