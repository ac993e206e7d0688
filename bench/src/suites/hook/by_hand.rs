// SPDX-License-Identifier: MIT OR Apache-2.0

//! What one writes without a macro.

use super::calls::Ctx;
use std::future::Future;
use std::pin::Pin;

pub fn boxed<'a>(ctx: &'a Ctx, number: &'a u64) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
    Box::pin(async move {
        let sum = ctx.0.wrapping_add(*number);
        std::future::ready(()).await;
        sum
    })
}
