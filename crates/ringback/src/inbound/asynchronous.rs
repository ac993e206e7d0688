// SPDX-License-Identifier: MIT OR Apache-2.0

//! Registering async listeners: the ways from a pool into a mailbox.

use super::mailbox::inlet::Inlet;
use super::mailbox::{AsyncRegistration, Batch, Mailbox, Messages};
use super::mailbox::{
    deliver::{Manner, deliver, deliver_batches},
    inbox::Inbox,
};
use super::pool::Pool;
use super::report::Full;
use super::signature::{AcceptsTake, Signature};
use crate::future_slot::{FutureSlot, SlotFuture};
use std::future::Future;
use std::sync::Arc;

/// A listener as a trait object: its futures live in a reused box, so that it costs no allocation
/// per message either.
///
/// ```
/// # use ringback::{AsyncListener, FutureSlot, SlotFuture};
/// struct Prints;
/// impl AsyncListener<u32> for Prints {
///     fn handle<'a>(&'a self, message: u32, slot: &'a mut FutureSlot) -> SlotFuture<'a, ()> {
///         slot.put(async move { println!("{message}") })
///     }
/// }
/// ```
pub trait AsyncListener<M>: Send + Sync {
    /// Handles one message: put an async block that owns it into the slot.
    fn handle<'a>(&'a self, message: M, slot: &'a mut FutureSlot) -> SlotFuture<'a, ()>;
}

impl<S: Signature> Pool<S>
where
    S::Output: Clone + Send + Sync,
{
    /// Registers an async listener, fed through a bounded mailbox.
    ///
    /// `take` runs on the foreign thread: it makes an owned message of the borrowed arguments, and
    /// the answer to the foreign caller. `listener` runs wherever the returned future is polled: one
    /// message at a time, in the order in which the calls came in (of each foreign thread; calls of
    /// several threads in the order in which they were queued).
    ///
    /// The future is `Send` where the listener and its futures are. Spawn it on any executor, or
    /// poll it by hand. It ends when the registration has ended and everything queued is delivered.
    /// Dropping it earlier turns later calls into counted rejections.
    ///
    /// ```
    /// use ringback::{Mailbox, OverflowPolicy, Take};
    /// ringback::callback_pool! {
    ///     static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 100>;
    ///     fallback = -1;
    /// }
    /// # futures_executor::block_on(async {
    /// let (registration, deliver) = ON_VALUE.register_async(
    ///     Mailbox::bounded(1024).overflow(OverflowPolicy::Reject(-2)),
    ///     |value| if value == 0 { Take::Decline(-3) } else { Take::Accept(value, 0) },
    ///     async |value| println!("{value}"),
    /// )?;
    /// let c_function = registration.as_fn();
    /// assert_eq!([c_function(7), c_function(0)], [0, -3]);
    /// let (_, drained) = futures_util::join!(deliver, registration.drain()); // or spawn `deliver`
    /// let counts = drained?.counts;
    /// assert_eq!((counts.completed, counts.declined), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Full`] gives the taking function and the listener back and says who holds the slots.
    #[track_caller]
    #[allow(clippy::type_complexity)] // a pair, one half of which has no name
    pub fn register_async<T, M, L>(
        &'static self,
        mailbox: Mailbox<M, S::Output>,
        take: T,
        listener: L,
    ) -> Result<(AsyncRegistration<S, M>, impl Future<Output = ()> + use<S, T, M, L>), Full<(T, L)>>
    where
        S: AcceptsTake<T, M>,
        T: Send + Sync + 'static,
        M: Send + 'static,
        L: AsyncFnMut(M),
    {
        match self.open_mailbox(&mailbox, take) {
            Ok((registration, inbox, manner)) => {
                Ok((registration, deliver(inbox, manner, listener)))
            }
            Err(Full { listener: take, census }) => {
                Err(Full { listener: (take, listener), census })
            }
        }
    }

    /// As [`register_async`](Self::register_async), with up to `most` messages at once.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// use ringback::{Mailbox, Take};
    /// # futures_executor::block_on(async {
    /// let (registration, deliver) = ON_VALUE.register_async_batches(
    ///     Mailbox::bounded(16),
    ///     8,
    ///     |value| Take::Accept(value, 0),
    ///     async |mut batch| println!("{} together, their sum is {}", batch.len(), batch.drain().sum::<u64>()),
    /// )?;
    /// (registration.as_fn())(40);
    /// (registration.as_fn())(2);
    /// let (_, drained) = futures_util::join!(deliver, registration.drain());
    /// assert_eq!(drained?.counts.completed, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Full`] gives the taking function and the listener back and says who holds the slots.
    #[track_caller]
    #[allow(clippy::type_complexity)] // a pair, one half of which has no name
    pub fn register_async_batches<T, M, L>(
        &'static self,
        mailbox: Mailbox<M, S::Output>,
        most: usize,
        take: T,
        listener: L,
    ) -> Result<(AsyncRegistration<S, M>, impl Future<Output = ()> + use<S, T, M, L>), Full<(T, L)>>
    where
        S: AcceptsTake<T, M>,
        T: Send + Sync + 'static,
        M: Send + 'static,
        L: AsyncFnMut(Batch<M>),
    {
        match self.open_mailbox(&mailbox, take) {
            Ok((registration, inbox, manner)) => {
                Ok((registration, deliver_batches(inbox, manner, most.max(1), listener)))
            }
            Err(Full { listener: take, census }) => {
                Err(Full { listener: (take, listener), census })
            }
        }
    }

    /// As [`register_async`](Self::register_async), for a trait object.
    ///
    /// # Errors
    /// [`Full`] gives the taking function and the listener back and says who holds the slots.
    #[track_caller]
    #[allow(clippy::type_complexity)] // a pair, one half of which has no name
    pub fn register_async_dyn<T, M>(
        &'static self,
        mailbox: Mailbox<M, S::Output>,
        take: T,
        listener: Arc<dyn AsyncListener<M>>,
    ) -> Result<
        (AsyncRegistration<S, M>, impl Future<Output = ()> + Send + use<S, T, M>),
        Full<(T, Arc<dyn AsyncListener<M>>)>,
    >
    where
        S: AcceptsTake<T, M>,
        T: Send + Sync + 'static,
        M: Send + 'static,
    {
        match self.open_mailbox(&mailbox, take) {
            Ok((registration, inbox, manner)) => {
                let mut slot = FutureSlot::new();
                let call = async move |message| listener.handle(message, &mut slot).await;
                Ok((registration, deliver(inbox, manner, call)))
            }
            Err(Full { listener: take, census }) => {
                Err(Full { listener: (take, listener), census })
            }
        }
    }

    /// As [`register_async`](Self::register_async), for those who rather pull the messages.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// use ringback::{Mailbox, Take};
    /// # futures_executor::block_on(async {
    /// let (registration, mut messages) =
    ///     ON_VALUE.register_messages(Mailbox::bounded(16), |value| Take::Accept(value, 0))?;
    /// (registration.as_fn())(42);
    /// assert_eq!(messages.next().await, Some(42));
    /// drop(registration); // what is queued can still be pulled, then there is an end
    /// assert_eq!(messages.next().await, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Full`] gives the taking function back and says who holds the slots.
    #[track_caller]
    #[allow(clippy::type_complexity)] // a pair
    pub fn register_messages<T, M>(
        &'static self,
        mailbox: Mailbox<M, S::Output>,
        take: T,
    ) -> Result<(AsyncRegistration<S, M>, Messages<M>), Full<T>>
    where
        S: AcceptsTake<T, M>,
        T: Send + Sync + 'static,
        M: Send + 'static,
    {
        let (registration, inbox, _) = self.open_mailbox(&mailbox, take)?;
        Ok((registration, Messages(inbox)))
    }

    /// As [`register_async`](Self::register_async), and spawns the delivery on the current tokio
    /// runtime.
    ///
    /// # Errors
    /// [`Full`] gives the taking function and the listener back and says who holds the slots.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn`.
    #[cfg(feature = "tokio")]
    #[track_caller]
    #[allow(clippy::type_complexity)] // a pair
    pub fn spawn_async<T, M, L, F>(
        &'static self,
        mailbox: Mailbox<M, S::Output>,
        take: T,
        mut listener: L,
    ) -> Result<(AsyncRegistration<S, M>, tokio::task::JoinHandle<()>), Full<(T, L)>>
    where
        S: AcceptsTake<T, M>,
        T: Send + Sync + 'static,
        M: Send + 'static,
        L: FnMut(M) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        match self.open_mailbox(&mailbox, take) {
            Ok((registration, inbox, manner)) => {
                let deliver = deliver(inbox, manner, async move |message| listener(message).await);
                Ok((registration, tokio::spawn(deliver)))
            }
            Err(Full { listener: take, census }) => {
                Err(Full { listener: (take, listener), census })
            }
        }
    }

    #[track_caller]
    #[allow(clippy::type_complexity)] // a triple, taken apart at once
    fn open_mailbox<T, M>(
        &'static self,
        mailbox: &Mailbox<M, S::Output>,
        take: T,
    ) -> Result<(AsyncRegistration<S, M>, Inbox<M>, Manner), Full<T>>
    where
        S: AcceptsTake<T, M>,
        T: Send + Sync + 'static,
        M: Send + 'static,
    {
        let reserved = match self.reserve() {
            Ok(reserved) => reserved,
            Err(Full { census, .. }) => return Err(Full { listener: take, census }),
        };
        let (inlet, inbox) = Inlet::open(mailbox, take, S::fallback);
        let manner = Manner::of(mailbox, self.core.name, reserved.slot());
        // SAFETY: the inlet's parts are `Send + Sync`, and `AcceptsTake` gives the function for it.
        let registration = unsafe { reserved.open_inlet(inlet) };
        let registration = AsyncRegistration::new(registration, Arc::clone(&inbox.shared));
        Ok((registration, inbox, manner))
    }
}
