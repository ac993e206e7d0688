// SPDX-License-Identifier: MIT OR Apache-2.0

//! The attribute on closure expressions, which needs unstable features of the compiler.

#![feature(stmt_expr_attributes, proc_macro_hygiene)]
#![deny(warnings)]

use rb::hook;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

type Handler = for<'a> fn(&'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>>;

fn main() {
    let table: [Handler; 2] = [
        #[hook(crate = rb)]
        async |text| text.len(),
        #[hook(crate = rb)]
        async move |text: &str| -> usize {
            if text.is_empty() {
                return 1;
            }
            text.len() + 1
        },
    ];
    let mut context = Context::from_waker(Waker::noop());
    let answers = table.map(|it| pin!(it("text")).poll(&mut context));
    assert_eq!(answers, [Poll::Ready(4), Poll::Ready(5)]);
}
