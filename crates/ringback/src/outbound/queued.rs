// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async listeners behind made callbacks: the mailbox of the inbound way, without a slot.

use super::abi::Status;
use super::callback::CallbackType;
use super::error::ForeignError;
use crate::inbound::mailbox::deliver::{Manner, deliver};
use crate::inbound::mailbox::inlet::Inlet;
use crate::inbound::mailbox::{Counts, Mailbox};
use std::future::Future;
use std::sync::Arc;

/// The producers' end of a mailbox, and the future that delivers.
///
/// The inlet is dropped with the callback's last reference, which lets the future end.
#[doc(hidden)]
pub fn open_mailbox<C, T, M, R, L>(
    mailbox: Mailbox<M, Result<R, ForeignError>>,
    take: T,
    listener: L,
) -> (Inlet<T, M, Result<R, ForeignError>>, impl Future<Output = Counts> + use<C, T, M, R, L>)
where
    C: CallbackType,
    R: Clone,
    M: Send + 'static,
    L: AsyncFnMut(M),
{
    let full = || Err(ForeignError::with_status(Status::REJECTED, "the mailbox is full or closed"));
    let (inlet, inbox) = Inlet::open(&mailbox, take, full);
    let shared = Arc::clone(&inbox.shared);
    let delivery = deliver(inbox, Manner::of(&mailbox, C::NAME, 0), listener);
    let counts = async move {
        delivery.await;
        Counts::of(&shared)
    };
    (inlet, counts)
}
