// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a transport runs on, and the end of it.
//!
//! The end, in this order: vsomeip's application is stopped, its threads are joined and its handlers
//! gone, so that no message comes in; the listeners' gates close, and those that run are waited for;
//! lanes and runtime end. All of it on a thread of its own: blocking, and dropping a runtime, are not
//! allowed everywhere.

use crate::core::Core;
use crate::routing::Lanes;
use crate::topics::Topics;
use crate::vsomeip::{Application, Ending, Handler, after, handler, spawn};
use std::io;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// How long the end of a transport waits for listeners that run.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// There from the start of a transport until it is dropped.
pub(crate) struct Running {
    pub(crate) application: Arc<Application>,
    pub(crate) on_message: Handler,
    pub(crate) topics: Arc<Topics>,
    pub(crate) lanes: Lanes,
    /// Keeps time and drives the tokio parts of listeners.
    pub(crate) runtime: OwnRuntime,
}

impl Running {
    /// Ends everything, and waits for that; on a thread of the transport's own, or inside a handler or
    /// listener, it does so in the background.
    pub(crate) fn end(self, core: Arc<Core>) {
        let here = Handle::try_current().map(|handle| handle.id());
        let in_own_listener = self.lanes.is_here()
            || here.is_ok_and(|id| id == self.runtime.handle().id())
            || handler::must_not_wait();
        let end = spawn("vsomeip-end", move || self.finish(&core));
        match end {
            Ok(end) if !in_own_listener => drop(end.join()),
            Ok(_) => {}
            Err(error) => log::error!("no thread for the end of a transport: {error}"),
        }
    }

    fn finish(self, core: &Core) {
        let Running { application, on_message, topics, lanes, runtime } = self;
        let until = after(Instant::now(), SHUTDOWN);
        // Others may hold it for a moment; it ends all the same, and says itself what is left.
        let _ = application.end();
        drop((on_message, topics, application));
        let entries = core.table.clear();
        entries.iter().for_each(|entry| entry.close());
        let endings: Vec<_> =
            entries.into_iter().map(|entry| Ending::new(Arc::clone(&entry.gate))).collect();
        for ending in endings {
            let left = until.saturating_duration_since(Instant::now());
            if ending.wait_timeout(left).is_err() {
                log::warn!("a listener still runs while its transport ends; it is left behind");
            }
        }
        drop(lanes);
        runtime.end(until.saturating_duration_since(Instant::now()));
    }
}

/// A runtime that may be dropped anywhere: tokio's own panics where blocking is not allowed.
pub(crate) struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name(format!("up-{name}")).enable_all();
        Ok(OwnRuntime(Some(builder.build()?)))
    }

    /// Runs a task. It is boxed, so that tokio's part of it is compiled once.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(task);
        self.deref().spawn(task)
    }

    fn end(mut self, at_most: Duration) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(at_most);
        }
    }
}

impl Deref for OwnRuntime {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        // Taken only by those who own it.
        self.0.as_ref().unwrap_or_else(|| unreachable!())
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_may_be_dropped_where_blocking_is_not_allowed() {
        let outer = OwnRuntime::start("outer").unwrap();
        outer.block_on(async { drop(OwnRuntime::start("inner").unwrap()) });
    }
}
