// SPDX-License-Identifier: MIT OR Apache-2.0

// In front of every case of the support table.
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

type BoxFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;
struct Ctx(i32);
struct Msg(String);
struct View<'v>(&'v str);
trait Named: Send + Sync {
    fn name(&self) -> String;
}
impl Named for &str {
    fn name(&self) -> String {
        (*self).to_owned()
    }
}

fn run<R>(future: impl Future<Output = R>) -> R {
    let mut future = pin!(future);
    loop {
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(result) = polled {
            return result;
        }
    }
}
async fn pause() {
    let mut polled = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await
}

static LOG: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
struct Loud(&'static str);
impl Drop for Loud {
    fn drop(&mut self) {
        LOG.lock().unwrap().push(self.0);
    }
}
fn log() -> Vec<&'static str> {
    std::mem::take(&mut *LOG.lock().unwrap())
}
