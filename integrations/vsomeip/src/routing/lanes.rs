// SPDX-License-Identifier: MIT OR Apache-2.0

//! The threads that run listeners. Each is a *lane*: a listener belongs to one for its life, so its
//! messages need no work stealing, and one wake-up brings a message from vsomeip's thread to it. A
//! listener that blocks holds up those on its lane and nobody else.
//!
//! A lane is inside the transport's tokio runtime as far as listeners can see: they may use tokio's
//! timers, sockets and tasks.

use crate::vsomeip::spawn;
use async_executor::Executor;
use futures_lite::future::block_on;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ThreadId};
use tokio::runtime::Handle;
use tokio::sync::watch;

struct Lane {
    executor: Arc<Executor<'static>>,
    thread: ThreadId,
}

pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    next: AtomicUsize,
    /// Dropped: every lane ends when it gets its turn.
    _running: watch::Sender<()>,
}

impl Lanes {
    pub(crate) fn start(count: usize, name: &str, runtime: &Handle) -> io::Result<Self> {
        let running = watch::Sender::new(());
        let lane = |number| {
            let executor = Arc::new(Executor::new());
            let (runs, runtime) = (Arc::clone(&executor), runtime.clone());
            let mut running = running.subscribe();
            let thread = spawn(format!("up-{number}-{name}"), move || {
                let _inside = runtime.enter();
                let ended = async move { while running.changed().await.is_ok() {} };
                block_on(runs.run(ended));
            })?;
            Ok(Lane { executor, thread: thread.thread().id() })
        };
        let lanes = (0..count.max(1)).map(lane).collect::<io::Result<_>>()?;
        Ok(Lanes { lanes, next: AtomicUsize::new(0), _running: running })
    }

    /// Runs a task on the next lane.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let lane = &self.lanes[self.next.fetch_add(1, Relaxed) % self.lanes.len()];
        lane.executor.spawn(task).detach();
    }

    /// Whether the calling thread is one of these.
    pub(crate) fn is_here(&self) -> bool {
        let here = thread::current().id();
        self.lanes.iter().any(|lane| lane.thread == here)
    }
}
