// SPDX-License-Identifier: MIT OR Apache-2.0

//! Type and const parameters, `where`, and `impl Trait`: callable with what is borrowed, and stored
//! where nothing has to be bounded.

use super::support::{BoxFuture, run};
use ringback::hook;
use std::fmt::{Debug, Display};

macro_rules! functions {
    ($hook:meta) => {
        use std::fmt::{Debug, Display};

        #[$hook]
        pub(super) async fn by_value<T: Debug + Send>(value: T, text: &str) -> String {
            format!("{value:?}{text}")
        }

        #[$hook]
        pub(super) async fn by_reference<T>(value: &T) -> String
        where
            T: Debug + Sync + ?Sized,
        {
            format!("{value:?}")
        }

        #[$hook]
        pub(super) async fn sized<T: Copy + Send, const N: usize>(values: [T; N]) -> (T, usize) {
            (values[N - 1], N)
        }

        #[$hook]
        pub(super) async fn made<T: Default + Send + Sync>() -> T {
            let made = T::default();
            super::super::support::pause().await;
            made
        }

        #[$hook]
        pub(super) async fn projected<I>(mut from: I, first: I::Item) -> Vec<I::Item>
        where
            I: Iterator<Item: Send> + Send,
        {
            let mut all = vec![first];
            all.extend(from.next());
            all
        }

        #[$hook]
        pub(super) async fn several<'a, 'b, T: Send>(one: &'a [T], other: &'b [T]) -> (&'a T, &'b T)
        where
            T: Sync,
        {
            (&one[0], &other[0])
        }

        #[$hook]
        pub(super) async fn outlives<'a: 'b, 'b>(one: &'a str, other: &'b str) -> &'b str {
            if other.is_empty() { one } else { other }
        }

        #[$hook]
        pub(super) async fn exact<'a, 'b>(list: &'a [String], key: &'b str) -> Option<&'a str> {
            list.iter().find(|it| it.as_str() == key).map(String::as_str)
        }

        #[$hook]
        pub(super) async fn anonymous(
            value: impl Display + Send,
            many: &mut (impl Iterator<Item = u8> + Send),
            text: Option<impl AsRef<str> + Send>,
        ) -> String {
            format!("{value}{:?}{:?}", many.next(), text.map(|it| it.as_ref().len()))
        }

        #[$hook]
        pub(super) async fn anonymous_borrowing(
            words: impl IntoIterator<Item = &str> + Send,
            object: impl Display + Send + '_,
        ) -> String {
            words.into_iter().map(str::to_owned).chain([object.to_string()]).collect()
        }

        #[$hook]
        pub(super) async fn anonymous_under_a_reference(
            words: &mut (impl Iterator<Item = &str> + Send),
            all: &mut (impl Extend<String> + Send),
            more: Option<&(impl for<'t> Fn(&'t str) -> &'t str + Sync)>,
        ) -> usize {
            let words: Vec<_> = words.take(2).map(|it| more.map_or(it, |more| more(it))).collect();
            all.extend(words.iter().copied().map(str::to_owned));
            words.len()
        }

        #[$hook]
        pub(super) async fn called<F>(call: F, text: &str) -> usize
        where
            F: for<'t> Fn(&'t str) -> &'t str + Send,
        {
            call(text).len()
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
            let owned = "owned".to_owned();
            let list = [owned.clone()];
            let found = {
                let key = owned.clone();
                exact(&list, &key).await // outlives the key
            };
            [
                by_value(&owned, &owned.clone()).await,
                by_reference(owned.as_str()).await,
                format!("{:?}", sized([&owned, &owned]).await),
                made::<String>().await,
                projected([&owned].into_iter(), &owned).await.len().to_string(),
                format!("{:?}", several(&[1], &[2]).await),
                outlives(&owned, "").await.to_owned(),
                anonymous(&owned, &mut [1, 2].into_iter(), Some(&owned)).await,
                anonymous_borrowing([owned.as_str()], &owned).await,
                {
                    let (mut words, mut all) = (owned.split('n'), Vec::new());
                    let twice = [
                        anonymous_under_a_reference(&mut words, &mut all, Some(&str::trim)).await,
                        anonymous_under_a_reference(&mut words, &mut all, Some(&str::trim)).await,
                    ];
                    format!("{twice:?}{all:?}{:?}", words.next())
                },
                called(|text| &text[1..], &owned).await.to_string(),
                found.unwrap_or_default().to_owned(),
            ]
        })
    }};
}

#[test]
fn generic_functions_answer_as_plain_ones() {
    assert_eq!(used!(plain), used!(hooked));
}

#[test]
fn parameters_that_need_no_bound_can_be_stored() {
    let of_reference: for<'a> fn(&'a [u8]) -> BoxFuture<'a, String> = hooked::by_reference;
    assert_eq!(run(of_reference(&[1, 2])), "[1, 2]");
    let of_nothing: fn() -> BoxFuture<'static, u8> = hooked::made;
    assert_eq!(run(of_nothing()), 0);

    #[hook]
    async fn of_static<T: Display + Send + 'static>(value: T, text: &str) -> String {
        format!("{value}{text}")
    }
    #[hook]
    async fn said_below<T>(text: &str, value: T) -> String
    where
        T: Debug + Send,
        T: 'static,
    {
        format!("{value:?}{text}")
    }
    #[hook]
    async fn anonymous(value: impl Display + Send + 'static, text: &str) -> String {
        format!("{value}{text}")
    }
    let table: [for<'a> fn(u8, &'a str) -> BoxFuture<'a, String>; 2] = [of_static, anonymous];
    let below: for<'a> fn(&'a str, u8) -> BoxFuture<'a, String> = said_below;
    let text = "text".to_owned();
    assert_eq!(table.map(|it| run(it(1, &text))), ["1text", "1text"]);
    assert_eq!(run(below(&text, 1)), "1text");
}

/// A type parameter of the impl block cannot be seen where `Self` does not stand beside it. A lifetime
/// says how long it lives.
#[test]
fn a_lone_lifetime_says_how_long_things_live() {
    struct Maker<T>(T);
    impl<T: Send> Maker<T> {
        #[hook]
        async fn made<'a>(value: T) -> Maker<T>
        where
            T: 'a,
        {
            Maker(value)
        }
    }
    assert_eq!(run(Maker::made(&"text".to_owned())).0, "text");
}

trait Converts<U> {
    type To: Send;
}

impl<'u> Converts<&'u str> for () {
    type To = &'u str;
}

/// What is projected may be as short as a parameter of the trait.
#[hook]
async fn converted<T: Converts<U> + Sync, U>(_: &T, value: T::To) -> T::To {
    value
}

#[test]
fn a_projection_by_a_trait_with_parameters() {
    assert_eq!(run(converted::<_, &str>(&(), &"text".to_owned())), "text");
}

trait Lends {
    type Lent<'l>: Send + Display;
}

impl Lends for () {
    type Lent<'l> = &'l str;
}

#[hook]
async fn lent<T: Lends>(value: T::Lent<'_>, other: <T as Lends>::Lent<'_>, _: &str) -> String {
    format!("{value}{other}")
}

#[allow(clippy::type_complexity)] // the shape is the case
#[hook]
async fn lent_to_a_box<T: Lends>(to: Box<dyn for<'x> Fn(T::Lent<'x>) -> usize + Send>) -> usize
where
    for<'x> &'x str: Into<T::Lent<'x>>,
{
    to("boxed".into())
}

#[hook]
async fn lent_to_any<T: Lends>(to: impl Fn(T::Lent<'_>) -> usize + Send, text: &str) -> usize
where
    for<'x> &'x str: Into<T::Lent<'x>>,
{
    to(text.into())
}

#[test]
fn associated_types_with_a_lifetime() {
    let text = "text".to_owned();
    assert_eq!(run(lent::<()>(&text, "more", "")), "textmore");
    assert_eq!(run(lent_to_a_box::<()>(Box::new(|text: &str| text.len()))), 5);
    assert_eq!(run(lent_to_any::<()>(|text: &str| text.len(), &text)), 4);
}
