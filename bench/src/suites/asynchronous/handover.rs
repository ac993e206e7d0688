// SPDX-License-Identifier: MIT OR Apache-2.0

//! The contestants: four ways from a foreign thread to an async handler.

use super::{Message, ON_MESSAGE};
use ringback::{Mailbox, OverflowPolicy, Take};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio::task::LocalSet;

pub type Function = unsafe extern "C" fn(&Message) -> i32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Thunk, bounded(1024) with blocking overflow, one async listener.
    Ringback,
    /// A bare channel without a bound: no thunk, no listener.
    TokioUnbounded,
    /// A task spawned for each message.
    SpawnEach,
    /// For each message a `LocalSet`, a channel and `block_on` on the foreign thread, then a task on
    /// one of ten workers: what `vsomeip-proc-macro` 0.6 generates.
    BlockOnEach,
}

impl Shape {
    /// tokio's default number of workers, but for the shape that has ten of its own.
    pub fn runtime(self) -> Runtime {
        let mut builder = Builder::new_multi_thread();
        if self == Shape::BlockOnEach {
            builder.worker_threads(10);
        }
        builder.enable_time().build().expect("threads can be had")
    }
}

/// Counts and sums what arrives, and tells when it is all there.
pub struct Arrivals {
    count: AtomicU64,
    sum: AtomicU64,
    expected: u64,
    all: Notify,
}

impl Arrivals {
    pub fn new(expected: u64) -> Arc<Self> {
        let count = AtomicU64::new(0);
        Arc::new(Arrivals { count, sum: AtomicU64::new(0), expected, all: Notify::new() })
    }

    pub fn arrived(&self, message: &Message) {
        self.sum.fetch_add(message.rest[6], Relaxed);
        if self.count.fetch_add(1, AcqRel) + 1 == self.expected {
            self.all.notify_one();
        }
    }

    async fn wait(&self) {
        self.all.notified().await;
        let n = self.expected;
        assert_eq!(self.sum.load(Acquire), n * (n - 1) / 2, "a message was changed or lost");
    }
}

/// Something that takes messages on a foreign thread until it is dropped.
pub struct Running {
    pub send: Box<dyn Fn(&Message) + Send + Sync>,
    _keep: Box<dyn std::any::Any>,
}

/// Sets a contestant up; `handle` sees every message on the runtime.
pub fn start(
    shape: Shape,
    runtime: &Arc<Runtime>,
    handle: impl Fn(&Message) + Clone + Send + Sync + 'static,
) -> Running {
    let through = |function: Function| -> Box<dyn Fn(&Message) + Send + Sync> {
        let function = black_box(function);
        Box::new(move |message| {
            // SAFETY: a valid message, which is all that the pool's functions ask for.
            assert_eq!(unsafe { function(message) }, 0);
        })
    };
    match shape {
        Shape::Ringback => {
            let block = OverflowPolicy::Block { at_most: Duration::from_secs(60), or: -2 };
            let (registration, deliver) = ON_MESSAGE
                .register_async(
                    Mailbox::bounded(1024).overflow(block),
                    |message| Take::Accept(*message, 0),
                    async move |message| handle(&message),
                )
                .expect("the pool has room");
            runtime.spawn(deliver);
            Running { send: through(registration.as_fn()), _keep: Box::new(registration) }
        }
        Shape::TokioUnbounded => {
            let (sender, mut receiver) = mpsc::unbounded_channel();
            runtime.spawn(async move {
                while let Some(message) = receiver.recv().await {
                    handle(&message);
                }
            });
            let send = move |message: &Message| assert!(sender.send(*message).is_ok());
            Running { send: Box::new(send), _keep: Box::new(()) }
        }
        Shape::SpawnEach => {
            let spawner = runtime.handle().clone();
            let registration = ON_MESSAGE
                .register(move |message| {
                    let (message, handle) = (*message, handle.clone());
                    spawner.spawn(async move { handle(&message) });
                    0
                })
                .expect("the pool has room");
            Running { send: through(registration.as_fn()), _keep: Box::new(registration) }
        }
        Shape::BlockOnEach => {
            let workers = runtime.handle().clone();
            let registration = ON_MESSAGE
                .register(move |message| {
                    let message = *message;
                    let (sender, receiver) = std::sync::mpsc::channel();
                    let local = LocalSet::new();
                    local.spawn_local(async move { sender.send(message) });
                    workers.block_on(local);
                    let Ok(message) = receiver.recv() else { return -1 };
                    let handle = handle.clone();
                    workers.spawn(async move { handle(&message) });
                    0
                })
                .expect("the pool has room");
            Running { send: through(registration.as_fn()), _keep: Box::new(registration) }
        }
    }
}

/// From the first call until the last message is handled.
pub fn nanoseconds_per_message(shape: Shape, messages: u64) -> f64 {
    let runtime = Arc::new(shape.runtime());
    let arrivals = Arrivals::new(messages);
    let inner = Arc::clone(&arrivals);
    let running = start(shape, &runtime, move |message| inner.arrived(message));
    let begin = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..messages {
                (running.send)(black_box(&Message::numbered(number)));
            }
        });
    });
    runtime.block_on(arrivals.wait());
    begin.elapsed().as_nanos() as f64 / messages as f64
}

/// The 99th percentile of what one call takes of the foreign thread's time.
pub fn producer_p99(shape: Shape, messages: u64) -> f64 {
    let runtime = Arc::new(shape.runtime());
    let arrivals = Arrivals::new(messages);
    let inner = Arc::clone(&arrivals);
    let running = start(shape, &runtime, move |message| inner.arrived(message));
    let mut times = thread::scope(|scope| {
        let producer = scope.spawn(|| {
            let mut times = Vec::with_capacity(messages as usize);
            for number in 0..messages {
                let message = Message::numbered(number);
                let begin = Instant::now();
                (running.send)(black_box(&message));
                times.push(begin.elapsed().as_nanos() as u64);
            }
            times
        });
        producer.join().expect("the producer only asserts")
    });
    runtime.block_on(arrivals.wait());
    times.sort_unstable();
    times[times.len() * 99 / 100] as f64
}
