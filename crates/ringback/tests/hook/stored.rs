// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every shape that must fit into a table, in the table: it coerces, it is called through the table,
//! and it answers as the plain function does.

use super::support::{BoxFuture, Ctx, Msg, Named, View, run};
use ringback::hook;

/// `name: signature and body, as pointer type, calls`: the same text once plain and once as a hook.
macro_rules! stored {
    ($($name:ident: [$($head:tt)*] $body:block, as $pointer:ty, $f:ident => $call:expr;)*) => {$(
        #[test]
        fn $name() {
            #[allow(unused_imports)]
            mod plain {
                use super::*;
                pub(super) async fn subject $($head)* $body
            }
            #[allow(unused_imports)]
            mod hooked {
                use super::*;
                #[hook]
                pub(super) async fn subject $($head)* $body
            }
            let table: [$pointer; 1] = [hooked::subject];
            let plain = { let $f = plain::subject; run(async { $call.await }) };
            let hooked = { let $f = table[0]; run(async { $call.await }) };
            assert_eq!(plain, hooked);
        }
    )*};
}

stored! {
    no_arguments: [() -> i32] { 7 },
        as fn() -> BoxFuture<'static, i32>, f => f();
    owned_arguments: [(number: i32, text: String) -> String] { format!("{number}{text}") },
        as fn(i32, String) -> BoxFuture<'static, String>, f => f(7, "text".to_owned());
    reference: [(message: &Msg) -> usize] { message.0.len() },
        as for<'a> fn(&'a Msg) -> BoxFuture<'a, usize>, f => f(&Msg("text".to_owned()));
    mutable_reference: [(list: &mut Vec<i32>) -> usize] { list.push(1); list.len() },
        as for<'a> fn(&'a mut Vec<i32>) -> BoxFuture<'a, usize>, f => f(&mut vec![1, 2]);
    several_references: [(ctx: &Ctx, message: &Msg, list: &mut Vec<i32>)] {
        list.push(ctx.0 + message.0.len() as i32);
    },
        as for<'a> fn(&'a Ctx, &'a Msg, &'a mut Vec<i32>) -> BoxFuture<'a, ()>,
        f => f(&Ctx(1), &Msg(String::new()), &mut Vec::new());
    elided_result: [(message: &Msg) -> &str] { &message.0[1..] },
        as for<'a> fn(&'a Msg) -> BoxFuture<'a, &'a str>,
        f => async { f(&Msg("text".to_owned())).await.to_owned() };
    elided_result_inside: [(list: &[u8], from: usize) -> Option<(View<'_>, &[u8])>] {
        Some((View(std::str::from_utf8(list).ok()?), list.get(from..)?))
    },
        as for<'a> fn(&'a [u8], usize) -> BoxFuture<'a, Option<(View<'a>, &'a [u8])>>,
        f => async { f(b"text", 2).await.map(|(view, rest)| (view.0.len(), rest.len())) };
    view_by_value: [(view: View<'_>) -> usize] { view.0.len() },
        as for<'a> fn(View<'a>) -> BoxFuture<'a, usize>, f => f(View("text"));
    view_by_value_returned: [(view: View<'_>) -> &str] { view.0 },
        as for<'a> fn(View<'a>) -> BoxFuture<'a, &'a str>, f => f(View("text"));
    mutable_view: [(view: &mut View<'_>)] { view.0 = &view.0[1..] },
        as for<'a, 'b> fn(&'a mut View<'b>) -> BoxFuture<'a, ()>,
        f => async { let mut view = View("text"); f(&mut view).await; f(&mut view).await; view.0.len() };
    slice_of_str: [(words: &[&str]) -> String] { words.concat() },
        as for<'a, 'b> fn(&'a [&'b str]) -> BoxFuture<'a, String>,
        f => f(&["a", &"b".to_owned()]);
    slice_of_str_of_one_lifetime: [(words: &[&str]) -> String] { words.concat() },
        as for<'a> fn(&'a [&'a str]) -> BoxFuture<'a, String>,
        f => f(&["a", &"b".to_owned()]);
    optional_str: [(text: Option<&str>) -> usize] { text.map_or(0, str::len) },
        as for<'a> fn(Option<&'a str>) -> BoxFuture<'a, usize>, f => f(Some(&"text".to_owned()));
    trait_object: [(it: Box<dyn Named + '_>) -> String] { it.name() },
        as for<'a> fn(Box<dyn Named + 'a>) -> BoxFuture<'a, String>,
        f => f(Box::new(&*"text".to_owned()));
    trait_object_by_reference: [(it: &dyn Named, other: &mut (dyn Iterator<Item = u8> + Send)) -> String] {
        format!("{}{:?}", it.name(), other.next())
    },
        as for<'a> fn(&'a dyn Named, &'a mut (dyn Iterator<Item = u8> + Send)) -> BoxFuture<'a, String>,
        f => f(&"text", &mut [1, 2].into_iter());
    one_named_lifetime: [<'a>(one: &'a str, other: &'a str) -> &'a str] {
        if other.is_empty() { return one; }
        other
    },
        as for<'a> fn(&'a str, &'a str) -> BoxFuture<'a, &'a str>,
        f => async { f(&"one".to_owned(), "").await.to_owned() };
    one_named_lifetime_beside_elided: [<'a>(ctx: &'a Ctx, message: &Msg) -> &'a i32] {
        drop(message.0.to_owned());
        &ctx.0
    },
        as for<'a> fn(&'a Ctx, &'a Msg) -> BoxFuture<'a, &'a i32>,
        f => async { *f(&Ctx(5), &Msg(String::new())).await };
    one_named_lifetime_under_a_reference: [<'a>(view: &mut View<'a>, ctx: &Ctx) -> &'a str] {
        &view.0[usize::try_from(ctx.0).unwrap_or(0)..]
    },
        as for<'a, 'b> fn(&'a mut View<'b>, &'a Ctx) -> BoxFuture<'a, &'b str>,
        f => async { let mut view = View("text"); (f(&mut view, &Ctx(2)).await, view.0) };
    two_lifetimes_of_which_one_outlives: [<'a, 'b>(view: &'a View<'b>) -> &'b str] { view.0 },
        as for<'a, 'b> fn(&'a View<'b>) -> BoxFuture<'a, &'b str>,
        f => f(&View("text"));
    static_str: [(text: &'static str, message: &Msg) -> &'static str] {
        if message.0.is_empty() { text } else { "" }
    },
        as for<'a> fn(&'static str, &'a Msg) -> BoxFuture<'a, &'static str>,
        f => f("text", &Msg(String::new()));
    pointers_to_functions: [(text: &str, count: fn(&str) -> usize, also: &(dyn Fn(&str) -> usize + Sync)) -> usize] {
        count(text) + also(text)
    },
        as for<'a> fn(&'a str, fn(&str) -> usize, &'a (dyn Fn(&str) -> usize + Sync)) -> BoxFuture<'a, usize>,
        f => f(&"text".to_owned(), str::len, &str::len);
    arrays_and_tuples: [(all: (&str, [&str; 2], &mut u8)) -> usize] {
        *all.2 += 1;
        all.0.len() + all.1[1].len() + usize::from(*all.2)
    },
        as for<'a> fn((&'a str, [&'a str; 2], &'a mut u8)) -> BoxFuture<'a, usize>,
        f => f(("a", ["b", "c"], &mut 1));
    patterns: [(Ctx(number): &Ctx, (one, mut other): (i32, i32), _: &Msg) -> i32] {
        other += one;
        *number + other
    },
        as for<'a> fn(&'a Ctx, (i32, i32), &'a Msg) -> BoxFuture<'a, i32>,
        f => f(&Ctx(1), (2, 3), &Msg(String::new()));
    question_mark: [(text: &str) -> Result<i32, std::num::ParseIntError>] { Ok(text.parse::<i32>()? + 1) },
        as for<'a> fn(&'a str) -> BoxFuture<'a, Result<i32, std::num::ParseIntError>>,
        f => async { (f("1").await, f("x").await) };
}

#[test]
fn functions_of_one_shape_fit_into_one_table_together() {
    #[hook]
    async fn elided(ctx: &Ctx, message: &Msg) -> usize {
        message.0.len() + usize::try_from(ctx.0).unwrap_or(0)
    }
    #[hook]
    async fn named<'a>(ctx: &'a Ctx, _: &'a Msg) -> usize {
        usize::try_from(ctx.0).unwrap_or(0)
    }
    #[hook]
    async fn generic<T: Sync>(_: &Ctx, _: &T) -> usize {
        size_of::<T>()
    }
    #[hook]
    async fn of_static<T: Send + 'static, const N: usize>(_: &Ctx, _: T) -> usize {
        N
    }
    type Handler = for<'a> fn(&'a Ctx, &'a Msg) -> BoxFuture<'a, usize>;
    let table: [(&str, Handler); 4] = [
        ("elided", elided),
        ("named", named),
        ("generic", generic),
        ("static", |ctx, _| of_static::<_, 9>(ctx, ())),
    ];
    let _: for<'a> fn(&'a Ctx, u8) -> BoxFuture<'a, usize> = of_static::<u8, 1>;
    let answers = table.map(|(_, handler)| run(handler(&Ctx(1), &Msg("text".to_owned()))));
    assert_eq!(answers, [5, 1, size_of::<Msg>(), 9]);
}

#[test]
fn unsafe_functions_and_those_of_other_abis_are_stored_as_what_they_are() {
    #[hook]
    async unsafe fn dangerous(number: &i32) -> i32 {
        let pointer = std::ptr::from_ref(number);
        // SAFETY: made of a reference.
        unsafe { *pointer }
    }
    #[hook]
    async extern "C" fn foreign(number: &i32) -> i32 {
        *number
    }
    #[hook]
    async unsafe extern "C" fn both(number: &i32) -> i32 {
        *number
    }
    let dangerous: for<'a> unsafe fn(&'a i32) -> BoxFuture<'a, i32> = dangerous;
    let foreign: for<'a> extern "C" fn(&'a i32) -> BoxFuture<'a, i32> = foreign;
    let both: for<'a> unsafe extern "C" fn(&'a i32) -> BoxFuture<'a, i32> = both;
    // SAFETY: they are not dangerous.
    let answers = unsafe { [run(dangerous(&1)), run(foreign(&2)), run(both(&3))] };
    assert_eq!(answers, [1, 2, 3]);
}
