// SPDX-License-Identifier: MIT OR Apache-2.0

//! Receivers, impl blocks with lifetimes and type parameters, and traits.

use super::support::{BoxFuture, run};
use ringback::hook;
use std::pin::Pin;
use std::sync::Arc;

/// The same impl blocks, once plain and once with hooks.
macro_rules! library {
    ($hook:meta) => {
        use std::pin::Pin;
        use std::sync::Arc;

        pub(super) struct Shelf<'s, T> {
            pub(super) label: &'s str,
            pub(super) items: Vec<T>,
        }

        impl<'s, T: Clone + Send + Sync + Unpin> Shelf<'s, T> {
            #[$hook]
            pub(super) async fn by_reference(&self, at: usize) -> Option<T> {
                self.items.get(at).cloned()
            }

            #[$hook]
            pub(super) async fn by_mutable_reference(&mut self, label: &'s str, item: T) -> usize {
                self.label = label;
                self.items.push(item);
                self.items.len()
            }

            #[$hook]
            pub(super) async fn by_value(mut self, more: &[T]) -> Vec<T> {
                self.items.extend_from_slice(more);
                self.items
            }

            #[$hook]
            pub(super) async fn by_arc(self: Arc<Self>, other: &str) -> usize {
                self.items.len() + self.label.len() + other.len()
            }

            #[$hook]
            pub(super) async fn by_pin(self: Pin<&mut Self>) -> &T {
                &self.get_mut().items[0]
            }

            #[$hook]
            pub(super) async fn by_typed_reference(self: &Self, other: &Self) -> usize {
                self.items.len() + other.items.len()
            }

            #[$hook]
            pub(super) async fn label(&self) -> &str {
                self.label
            }

            #[$hook]
            pub(super) async fn label_of_the_block(&self) -> &'s str {
                self.label
            }

            #[$hook]
            pub(super) async fn longer(&self, other: &'s str, _: &[&str]) -> &'s str {
                if other.len() > self.label.len() { other } else { self.label }
            }

            #[$hook]
            pub(super) async fn made(label: &'s str, items: &[T]) -> Self {
                Self { label, items: items.to_vec() }
            }

            #[$hook]
            pub(super) async fn joined(self, other: Self) -> Vec<T> {
                let Self { mut items, .. } = self;
                items.extend(other.items);
                items
            }

            #[$hook]
            pub(super) async fn mapped<U: Send, F>(&self, each: F) -> Vec<U>
            where
                F: Fn(&T) -> U + Send,
            {
                self.items.iter().map(each).collect()
            }

            #[$hook]
            pub(super) async fn numbered<const N: usize>() -> [usize; N] {
                std::array::from_fn(|number| number)
            }
        }
    };
}

mod plain {
    library!(allow(clippy::needless_arbitrary_self_type));
}

mod hooked {
    library!(ringback::hook);
}

macro_rules! used {
    ($library:ident) => {{
        use $library::Shelf;
        run(async {
            let label = "label".to_owned();
            let mut shelf = Shelf { label: &label, items: vec![1, 2] };
            let mut seen = vec![shelf.by_reference(1).await.unwrap_or(0)];
            seen.push(shelf.by_mutable_reference("other", 3).await as i32);
            seen.push(shelf.label().await.len() as i32);
            seen.push(shelf.label_of_the_block().await.len() as i32);
            seen.push(shelf.longer(&label, &[&String::new()]).await.len() as i32);
            seen.push(shelf.by_typed_reference(&shelf).await as i32);
            seen.push(*Pin::new(&mut shelf).by_pin().await);
            seen.extend(shelf.mapped(|item| item * 10).await);
            let arc = Arc::new(Shelf::made(&label, &[5]).await);
            seen.push(arc.by_arc("abc").await as i32);
            seen.extend(shelf.by_value(&[7, 8]).await);
            let pair = [(); 2].map(|()| Shelf { label: &label, items: vec![9] });
            let [one, other] = pair;
            seen.extend(one.joined(other).await);
            seen.extend(Shelf::<()>::numbered::<3>().await.map(|number| number as i32));
            seen
        })
    }};
}

#[test]
fn methods_answer_as_plain_ones() {
    let plain = used!(plain);
    assert_eq!(plain, used!(hooked));
    assert!(plain.len() > 15);
}

#[test]
fn methods_are_stored() {
    use hooked::Shelf;
    let shelf = Shelf { label: "label", items: vec![1] };
    let by_reference: for<'a> fn(&'a Shelf<'static, i32>, usize) -> BoxFuture<'a, Option<i32>> =
        Shelf::by_reference;
    let label: for<'a> fn(&'a Shelf<'static, i32>) -> BoxFuture<'a, &'a str> = Shelf::label;
    let joined: fn(Shelf<'static, i32>, Shelf<'static, i32>) -> BoxFuture<'static, Vec<i32>> =
        Shelf::joined;
    assert_eq!(run(by_reference(&shelf, 0)), Some(1));
    assert_eq!(run(label(&shelf)), "label");
    assert_eq!(run(joined(shelf, Shelf { label: "", items: vec![2] })), [1, 2]);
}

struct Counter(i32);

impl Counter {
    /// Kept by value, and storable for every lifetime, since it is said that nothing is borrowed.
    #[hook]
    async fn shared(self: Arc<Self>, more: &str) -> usize
    where
        Self: 'static,
    {
        usize::try_from(self.0).unwrap_or(0) + more.len()
    }
}

#[test]
fn a_static_receiver_by_value_is_stored_beside_references() {
    let shared: for<'a> fn(Arc<Counter>, &'a str) -> BoxFuture<'a, usize> = Counter::shared;
    assert_eq!(run(shared(Arc::new(Counter(2)), &"abc".to_owned())), 5);
}

trait Named {
    #[hook]
    async fn name(&self, title: &str) -> String;

    #[hook]
    async fn twice(&self, title: &str) -> String
    where
        Self: Sync,
    {
        format!("{0} {0}", self.name(title).await)
    }
}

impl Named for Counter {
    #[hook]
    async fn name(&self, title: &str) -> String {
        format!("{title} {}", self.0)
    }
}

#[test]
fn a_trait_of_hooks_makes_objects() {
    let object: Box<dyn Named + Send + Sync> = Box::new(Counter(7));
    assert_eq!(run(object.name("counter")), "counter 7");
    assert_eq!(run(Counter(7).twice("counter")), "counter 7 counter 7");
}

trait Repository {
    type Id: Send;

    #[hook]
    async fn delete(&self, ids: Vec<Self::Id>, last: <Self as Repository>::Id) -> usize;

    #[hook]
    async fn first<I: Iterator<Item: Send> + Sync>(&self, from: &I, first: I::Item) -> I::Item;
}

impl Repository for Counter {
    type Id = u64;

    #[hook]
    async fn delete(&self, ids: Vec<u64>, last: u64) -> usize {
        ids.len() + usize::from(last > 0)
    }

    #[hook]
    async fn first<I: Iterator<Item: Send> + Sync>(&self, _: &I, first: I::Item) -> I::Item {
        first
    }
}

/// Neither has a bound that the other has not.
#[test]
fn what_a_trait_projects_an_impl_may_name() {
    assert_eq!(run(Counter(1).delete(vec![1, 2], 3)), 3);
    assert_eq!(run(Counter(1).first(&[1_u8].iter(), &2)), &2);
}

trait Handles<M> {
    #[hook]
    async fn handle<'a>(&'a self, message: M) -> M
    where
        M: 'a;
}

impl<M: Send> Handles<M> for Counter {
    #[hook]
    async fn handle<'a>(&'a self, message: M) -> M
    where
        M: 'a,
    {
        message
    }
}

#[test]
fn a_parameter_of_the_block_is_passed_by_value() {
    let text = "text".to_owned();
    assert_eq!(run(Counter(1).handle(text.as_str())), "text");
}

struct Maker<T>(T);

impl<T: Send> Maker<T> {
    /// What the macro sees of `T` is `Self`.
    #[hook(slot)]
    async fn new(value: T) -> Self {
        super::support::pause().await;
        Maker(value)
    }

    #[hook(stack = 128)]
    async fn tried(value: Option<T>) -> Result<Self, String> {
        Ok(Self(value.ok_or("none")?))
    }

    /// Nothing of `Self` stands here, so its lifetime is said.
    #[hook]
    async fn ready<'a>(value: T) -> std::future::Ready<T>
    where
        T: 'a,
    {
        std::future::ready(value)
    }
}

#[test]
fn a_parameter_of_the_block_makes_self() {
    let text = "text".to_owned();
    assert_eq!(run(Maker::new(text.as_str())).0, "text");
    assert_eq!(run(Maker::new_slot(&mut ringback::FutureSlot::new(), text.as_str())).0, "text");
    assert_eq!(run(Maker::tried(Some(text.as_str()))).map(|it| it.0), Ok("text"));
    assert_eq!(run(run(Maker::ready(text.as_str()))), "text");
    let stored: fn(String) -> BoxFuture<'static, Maker<String>> = Maker::new;
    assert_eq!(run(stored(text)).0, "text");
}

trait Made {
    #[hook]
    async fn made(number: i32) -> Self
    where
        Self: Sized;
}

impl Made for Counter {
    #[hook]
    async fn made(number: i32) -> Self {
        Counter(number)
    }
}

trait Receives<M> {
    #[hook]
    async fn receive(&self, message: M) -> usize;
}

impl Receives<String> for Counter {
    #[hook]
    async fn receive(&self, message: String) -> usize {
        message.len()
    }
}

impl Receives<u8> for Counter {
    #[hook]
    async fn receive(&self, message: u8) -> usize {
        usize::from(message)
    }
}

/// Which is why the macro adds no bound to an `M` by itself: these have none, and must match.
#[test]
fn a_parameter_of_the_trait_that_an_impl_names() {
    let objects: (Box<dyn Receives<String>>, Box<dyn Receives<u8>>) =
        (Box::new(Counter(1)), Box::new(run(Counter::made(2))));
    assert_eq!(run(objects.0.receive("text".to_owned())) + run(objects.1.receive(1)), 5);
}
