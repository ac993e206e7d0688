// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the cases share: a type to store, and a log of what happened when.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) type BoxFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

pub(crate) struct Ctx(pub i32);
pub(crate) struct Msg(pub String);
pub(crate) struct View<'a>(pub &'a str);

pub(crate) trait Named: Send + Sync {
    fn name(&self) -> String;
}

impl Named for &str {
    fn name(&self) -> String {
        (*self).to_owned()
    }
}

pub(crate) fn run<R>(future: impl Future<Output = R>) -> R {
    futures_executor::block_on(future)
}

/// Ends the process, and so the test run, if the guard is not dropped in time: for what may hang.
pub(crate) fn watchdog(name: &'static str) -> impl Drop {
    struct Alive(#[allow(dead_code, reason = "its end is what tells")] Sender<()>);
    impl Drop for Alive {
        fn drop(&mut self) {}
    }
    let (alive, over) = channel();
    std::thread::spawn(move || {
        if over.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("watchdog: {name} hangs");
            std::process::abort();
        }
    });
    Alive(alive)
}

/// Lets the future be polled once more, so that what is alive then is held over an await.
pub(crate) fn pause() -> impl Future<Output = ()> + Send {
    let mut paused = false;
    std::future::poll_fn(move |context: &mut Context<'_>| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.0.lock().expect("nobody panics while noting").push(text.into());
    }

    pub(crate) fn loud(&self, name: &'static str) -> Loud {
        Loud { name, log: self.clone() }
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics while noting"))
    }
}

/// Notes that it is dropped.
pub(crate) struct Loud {
    pub name: &'static str,
    log: Log,
}

impl Loud {
    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }
}

impl Drop for Loud {
    fn drop(&mut self) {
        self.log.note(format!("drop {}", self.name));
    }
}

/// Polls a future `times` times, or until it is ready, then drops it.
pub(crate) fn poll_then_drop<R>(future: impl Future<Output = R>, times: usize) -> Option<R> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(result);
        }
    }
    None
}
