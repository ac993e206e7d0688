// SPDX-License-Identifier: MIT OR Apache-2.0

//! Hooks of every shape, in a crate that knows the library by another name.

use core::fmt::Display;
use core::num::ParseIntError;
use std::sync::Arc;

/// What is looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct View<'a> {
    /// What is seen.
    pub text: &'a str,
}

/// Borrows.
#[rb::hook(crate = rb)]
pub async fn borrows(view: &View<'_>, more: Option<&str>) -> usize {
    view.text.len().saturating_add(more.map_or(0, str::len))
}

/// Borrows what it returns.
///
/// # Errors
/// Where there is no number.
#[rb::hook(crate = rb)]
pub async fn returns<'a>(view: &'a View<'a>, _: &str) -> Result<(&'a str, u8), ParseIntError> {
    let number = view.text.parse()?;
    Ok((view.text, number))
}

/// Is fed with patterns.
#[rb::hook(crate = rb)]
pub async fn patterns((one, _): (u8, u8), mut count: u8, [first, ..]: [u8; 3]) -> u8 {
    count = count.wrapping_add(one);
    count.wrapping_add(first)
}

/// Sets what only the destructor reads.
#[rb::hook(crate = rb)]
pub async fn disarms(mut guard: Guard) {
    guard.armed = false;
}

/// Looked at when it is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct Guard {
    /// Until it is disarmed.
    armed: bool,
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        assert!(!self.armed, "it was disarmed");
    }
}

impl Guard {
    /// As [`disarms`].
    #[rb::hook(crate = rb)]
    pub async fn disarm(mut self) {
        self.armed = false;
    }

    /// Sets what is read, too.
    #[rb::hook(crate = rb, slot)]
    pub async fn replace(mut self, other: Self) -> bool {
        self.armed = false;
        self = other;
        self.armed
    }
}

/// Takes types of all kinds.
#[rb::hook(crate = rb)]
pub async fn generic<T, const N: usize>(all: [T; N], text: impl Display + Send) -> String
where
    T: Display + Send + Sync,
{
    all.iter().map(ToString::to_string).chain([text.to_string()]).collect()
}

/// A closure whose arguments have no types.
#[rb::hook(crate = rb)]
pub async fn longer_than(text: &str) -> impl Fn(&str) -> bool + '_ {
    move |other| other.len() > text.len()
}

/// In one line, which must not look as if its braces were too many.
#[rb::hook(crate = rb)]
pub async fn adds(more: u8) -> impl Fn(u8) -> u8 { move |number| number.saturating_add(more) }

/// A type that is complex, but said once only.
#[rb::hook(crate = rb)]
pub async fn complex(text: &str) -> Option<Box<dyn for<'t> Fn(&'t str) -> Option<&'t str> + Send + Sync + '_>> {
    Some(Box::new(move |other| other.strip_prefix(text)))
}

/// A future that is the result.
#[rb::hook(crate = rb)]
pub async fn later(number: u8) -> core::future::Ready<u8> {
    core::future::ready(number)
}

/// Needs bounds on what has bounds already.
#[rb::hook(crate = rb)]
pub async fn bounded<'a, 'b, T: Display + Send, U>(one: &'a str, _: (&'b str, &'b str), all: T, _: U) -> &'a str
where
    U: Send,
{
    drop(all.to_string());
    one
}

/// Does not return.
#[rb::hook(crate = rb)]
pub async fn never(count: u64) -> ! {
    let mut counted = count;
    loop {
        counted = counted.wrapping_add(1);
        core::future::pending::<()>().await;
    }
}

/// Does not return either.
///
/// # Panics
/// Always.
#[rb::hook(crate = rb)]
#[allow(clippy::panic, reason = "what else")]
pub async fn panics(text: &str) -> ! {
    panic!("{text}")
}

/// Has a result, but never gets there.
#[rb::hook(crate = rb)]
pub async fn exits(code: i32) -> u8 {
    std::process::exit(code)
}

/// Has none, and never gets there either.
#[rb::hook(crate = rb)]
pub async fn ends(code: i32) {
    std::process::exit(code)
}

/// In memory that is reused, too.
#[rb::hook(crate = rb, slot)]
pub async fn reuses(view: &View<'_>) -> usize {
    view.text.len()
}

/// In reused memory only.
#[rb::hook(crate = rb, slot)]
async fn called_in_a_slot(text: &str) -> usize {
    text.len()
}

/// In a box only.
#[rb::hook(crate = rb, slot = never_called)]
async fn called_in_a_box(text: &str) -> usize {
    text.len()
}

/// Calls one form of each.
#[rb::hook(crate = rb)]
pub async fn calls(text: &str) -> usize {
    let mut slot = rb::FutureSlot::new();
    let called = called_in_a_slot_slot(&mut slot, text).await;
    called.saturating_add(called_in_a_box(text).await)
}

/// On the stack.
#[rb::hook(crate = rb, stack = 128, ?Send)]
pub async fn local(view: &View<'_>) -> usize {
    view.text.len()
}

/// Called from C code's place in a table, but by Rust.
#[rb::hook(crate = rb)]
pub async extern "C" fn foreign(text: &str) -> usize {
    text.len()
}

impl<'a> View<'a> {
    /// Reads.
    #[rb::hook(crate = rb)]
    pub async fn read(&self, more: &str) -> &'a str {
        if more.is_empty() { "" } else { self.text }
    }

    /// Changes.
    #[rb::hook(crate = rb, slot)]
    pub async fn change(&mut self, text: &'a str) {
        self.text = text;
    }

    /// Shared.
    #[rb::hook(crate = rb, Sync)]
    pub async fn shared(self: Arc<Self>) -> usize {
        self.text.len()
    }
}

/// Handles.
pub trait Handles {
    /// Handles one.
    #[rb::hook(crate = rb)]
    async fn handle(&self, text: &str) -> usize;
}

impl Handles for View<'_> {
    #[rb::hook(crate = rb)]
    async fn handle(&self, text: &str) -> usize {
        self.text.len().saturating_add(text.len())
    }
}

/// What a table holds.
#[allow(unused_qualifications, reason = "in the prelude since the edition 2024")]
pub type Handler = for<'a> fn(&'a str) -> core::pin::Pin<Box<dyn core::future::Future<Output = usize> + Send + 'a>>;

/// A table of closures.
pub const TABLE: [Handler; 2] =
    [rb::hook::hook!(async |text| text.len()), rb::hook::hook!(async |_: &str| -> usize { 0 })];
