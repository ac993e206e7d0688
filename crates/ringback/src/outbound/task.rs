// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async callbacks: a foreign task as a Rust future, a Rust future as a foreign task.
//!
//! ```text
//! to foreign    call --> foreign task ... done(outcome) --> Completion --> ForeignFuture
//! to Rust       call --> spawn(your future) ... outcome --> done
//!               cancel ------^
//! ```
//!
//! # State
//! A [`Completion`] waits, then holds the outcome, then has been taken from. It is completed by
//! whichever comes first, the call of `done` or its release; the lock is held for a move of the
//! outcome or of a waker, and no code of others runs under it.

use super::abi::{RbError, RbTask, Status};
use super::callback::{Callback, CallbackType};
use super::error::{ForeignError, text_of};
use super::made::{contained, enter};
use crate::boundary;
use crate::observer::{Event, report};
use crate::sync::AtomicWaker;
use core::ffi::c_void;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// A running foreign task: resolves to its result.
///
/// The task was started by the call that made this. Dropping the future before it is ready asks the
/// foreign side to cancel, and does not wait for it; so does [`cancel`](Self::cancel), after which
/// the outcome still arrives.
#[must_use = "dropping it cancels the task"]
pub struct ForeignFuture<R> {
    completion: Arc<Completion<R>>,
    /// `None` where the call has failed, so that there is no task.
    task: Option<Task>,
}

struct Completion<R>(Mutex<State<R>>);

enum State<R> {
    Waiting(Option<Waker>),
    Done(Result<R, ForeignError>),
    Taken,
}

impl<R> Completion<R> {
    fn change<T>(&self, change: impl FnOnce(&mut State<R>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// False if it was completed before.
    fn complete(&self, outcome: Result<R, ForeignError>) -> bool {
        let before = self.change(|state| match state {
            State::Waiting(_) => Ok(mem::replace(state, State::Done(outcome))),
            State::Done(_) | State::Taken => Err(outcome),
        });
        if let Ok(State::Waiting(Some(waker))) = &before
            && let Err(payload) = boundary::contain(|| waker.wake_by_ref())
        {
            boundary::discard(payload);
        }
        before.is_ok()
    }
}

/// The foreign side's end: completes once, at the latest when it is dropped.
#[doc(hidden)]
pub struct Completer<R>(Arc<Completion<R>>);

impl<R> Completer<R> {
    /// What the foreign side's `done` calls.
    ///
    /// # Errors
    /// It has called before; or it has not passed the value that its outcome promises.
    ///
    /// # Safety
    /// As the ABI says: `value` is null or points at a result, `why` is null or points at an error.
    pub unsafe fn complete(
        &self,
        outcome: i32,
        value: *const R,
        why: *const RbError,
    ) -> Result<(), ForeignError> {
        let outcome = if outcome != Status::OK.0 {
            // SAFETY: the caller's promise; lent for this call, and not released here.
            let text = unsafe { why.as_ref().map_or(String::new(), |why| text_of(why)) };
            Err(ForeignError::with_status(Status(outcome), text))
        } else if size_of::<R>() == 0 {
            // SAFETY: no bytes, so nothing is read.
            Ok(unsafe { ptr::NonNull::<R>::dangling().read() })
        } else if value.is_null() {
            let problem = "completed as ok, but without a value: pass a pointer to the result";
            return Err(ForeignError::with_status(Status::INVALID, problem));
        } else {
            // SAFETY: the caller's promise.
            Ok(unsafe { value.read() })
        };
        if self.0.complete(outcome) {
            Ok(())
        } else {
            Err(ForeignError::with_status(Status::INVALID, "completed a second time"))
        }
    }
}

impl<R> Drop for Completer<R> {
    fn drop(&mut self) {
        self.0.complete(Err(ForeignError::with_status(Status::CANCELLED, "")));
    }
}

/// The two ends of a foreign task that is about to be started.
#[doc(hidden)]
pub fn completion<R>() -> (Completer<R>, ForeignFuture<R>) {
    let completion = Arc::new(Completion(Mutex::new(State::Waiting(None))));
    (Completer(Arc::clone(&completion)), ForeignFuture { completion, task: None })
}

impl<R> ForeignFuture<R> {
    /// The call that was to start the task has answered.
    ///
    /// # Safety
    /// `task` and `error` were passed to a call that has answered `status`.
    #[doc(hidden)]
    pub unsafe fn started(mut self, status: i32, task: RbTask, mut error: RbError) -> Self {
        if status == Status::OK.0 {
            self.task = Some(Task(task));
        } else {
            // SAFETY: the caller's promise.
            let error = unsafe { ForeignError::receive(status, &raw mut error) };
            // Instead of what the release of `done` may have said already.
            self.completion.change(|state| *state = State::Done(Err(error)));
        }
        self
    }

    /// Asks the foreign side to end early. Whether and how it does arrives as the outcome.
    pub fn cancel(&self) {
        if let Some(task) = &self.task {
            task.cancel();
        }
    }
}

impl<R> Future for ForeignFuture<R> {
    type Output = Result<R, ForeignError>;

    /// # Panics
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker().clone(); // user code, so not under the lock
        let (polled, _old) = self.completion.change(|state| match state {
            State::Waiting(known) => (Poll::Pending, known.replace(waker)),
            State::Done(_) => match mem::replace(state, State::Taken) {
                State::Done(outcome) => (Poll::Ready(Some(outcome)), Some(waker)),
                _ => (Poll::Ready(None), Some(waker)),
            },
            State::Taken => (Poll::Ready(None), Some(waker)),
        });
        polled.map(|outcome| outcome.expect("a `ForeignFuture` is not polled after it was ready"))
    }
}

// The result is moved out whole, never pinned.
impl<R> Unpin for ForeignFuture<R> {}

impl<R> Drop for ForeignFuture<R> {
    fn drop(&mut self) {
        if self.completion.change(|state| matches!(state, State::Waiting(_))) {
            self.cancel();
        }
    }
}

impl<R> fmt::Debug for ForeignFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignFuture").finish_non_exhaustive()
    }
}

/// A foreign task's handle; dropped, it is given up.
struct Task(RbTask);

// SAFETY: by the ABI, both functions may be called from any thread.
unsafe impl Send for Task {}
// SAFETY: as above, `cancel` from several at once.
unsafe impl Sync for Task {}

impl Task {
    fn cancel(&self) {
        if let Some(cancel) = self.0.cancel {
            // SAFETY: not released yet.
            unsafe { cancel(self.0.context) };
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: released here alone.
            unsafe { release(self.0.context) };
        }
    }
}

/// A future on its way to an executor.
pub type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A Rust closure that starts tasks, and where they run.
#[doc(hidden)]
pub struct Spawning<S, F> {
    pub spawn: S,
    pub closure: F,
}

/// A foreign caller's wish that a Rust task ends early.
#[derive(Default)]
struct Cancel {
    wished: AtomicBool,
    task: AtomicWaker,
}

/// The future to spawn, which runs `future` and passes its outcome on, and the caller's handle.
///
/// If the spawned future is dropped before it is ready, `complete` is dropped without being called.
fn task<C: CallbackType, R: Send + 'static>(
    future: impl Future<Output = Result<R, ForeignError>> + Send + 'static,
    complete: impl FnOnce(Result<R, ForeignError>) + Send + 'static,
) -> (BoxedTask, RbTask) {
    let cancel = Arc::new(Cancel::default());
    let handle = RbTask {
        context: Arc::into_raw(Arc::clone(&cancel)).cast_mut().cast(),
        cancel: Some(wish_cancel),
        release: Some(release_task),
    };
    let run = async move {
        let mut future = Some(Box::pin(future));
        let outcome =
            poll_fn(|context| poll_unless_cancelled(C::NAME, &mut future, &cancel, context)).await;
        // Its destructor is user code, too, and comes before the outcome is told.
        if let Err(payload) = boundary::contain(|| drop(future.take())) {
            boundary::discard(payload);
        }
        complete(outcome);
    };
    (Box::pin(run), handle)
}

fn poll_unless_cancelled<R, F: Future<Output = Result<R, ForeignError>>>(
    callback: &str,
    future: &mut Option<Pin<Box<F>>>,
    cancel: &Cancel,
    context: &mut Context<'_>,
) -> Poll<Result<R, ForeignError>> {
    cancel.task.register(context.waker());
    let Some(running) = future.as_mut().filter(|_| !cancel.wished.load(Acquire)) else {
        return Poll::Ready(Err(ForeignError::with_status(Status::CANCELLED, "")));
    };
    match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
        Ok(polled) => polled,
        Err(payload) => {
            let text = boundary::text_of(&*payload).to_owned();
            report(&Event::CallbackPanicked { callback, message: &text });
            boundary::discard(payload);
            Poll::Ready(Err(ForeignError::with_status(Status::PANIC, text)))
        }
    }
}

/// # Safety
/// `context` is a `Cancel` that the caller has a count of.
unsafe extern "C" fn wish_cancel(context: *mut c_void) {
    // SAFETY: the caller's promise.
    let cancel = unsafe { &*context.cast::<Cancel>() };
    cancel.wished.store(true, Release);
    if let Err(payload) = boundary::contain(|| cancel.task.wake()) {
        boundary::discard(payload);
    }
}

/// # Safety
/// `context` is a `Cancel` that the caller gives its count of away.
unsafe extern "C" fn release_task(context: *mut c_void) {
    // SAFETY: the caller's promise. A waker that is left in it is dropped here.
    let cancel = unsafe { Arc::from_raw(context.cast::<Cancel>()) };
    if let Err(payload) = boundary::contain(|| drop(cancel)) {
        boundary::discard(payload);
    }
}

/// A foreign caller's request to a made async callback: starts the task, or says why not.
///
/// # Safety
/// `context` is a made callback's of closure `G`, and the caller holds a reference; `task` is null or
/// may be written; `error` is null or may be written.
#[doc(hidden)]
pub unsafe fn start<C, D, G, F, R>(
    context: *mut c_void,
    done: D,
    task: *mut RbTask,
    error: *mut RbError,
    begin: impl FnOnce(&G) -> F,
    tell: impl FnOnce(Callback<D>, Result<R, ForeignError>) + Send + 'static,
) -> i32
where
    C: CallbackType,
    D: CallbackType,
    G: Spawn,
    F: Future<Output = Result<R, ForeignError>> + Send + 'static,
    R: Send + 'static,
{
    let begin = |made: &G| {
        let done = Callback::adopt(done)
            .map_err(|malformed| ForeignError::with_status(Status::INVALID, malformed))?;
        let (future, handle) = self::task::<C, R>(begin(made), move |outcome| tell(done, outcome));
        let handle = Task(handle);
        // It may have run the task before it panicked, so the call has not failed: a future that is
        // dropped tells the foreign side itself.
        contained(C::NAME, || made.spawn(future));
        if !task.is_null() {
            // SAFETY: the caller's promise.
            unsafe { task.write(handle.0) };
            mem::forget(handle);
        }
        Ok(())
    };
    // SAFETY: the caller's promise; there is no result to write.
    unsafe { enter::<C, G, ()>(context, ptr::NonNull::dangling().as_ptr(), error, begin) }
}

/// Something with an executor.
#[doc(hidden)]
pub trait Spawn {
    fn spawn(&self, future: BoxedTask);
}

impl<S: Fn(BoxedTask), F> Spawn for Spawning<S, F> {
    fn spawn(&self, future: BoxedTask) {
        (self.spawn)(future);
    }
}

/// A result that can be lent to the foreign side and copied there.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an async callback: it is copied, on another thread",
    label = "not plain data that any thread may have",
    note = "return an integer, or a struct that is `Copy` and `Send`; wrap a raw pointer in one"
)]
pub trait PlainResult {}
#[diagnostic::do_not_recommend]
impl<R: Copy + Send> PlainResult for R {}

#[doc(hidden)]
pub const fn assert_plain_result<R: PlainResult>() {}

/// Passes an outcome to a foreign `done`, in the form it takes. What that answers is its own affair.
#[doc(hidden)]
pub fn tell<R>(
    outcome: Result<R, ForeignError>,
    done: impl FnOnce(i32, *const R, *const RbError) -> Result<(), ForeignError>,
) {
    let _ = match outcome {
        Ok(_) if size_of::<R>() == 0 => done(Status::OK.0, ptr::null(), ptr::null()),
        Ok(value) => done(Status::OK.0, &raw const value, ptr::null()),
        Err(error) => {
            let text = error.text();
            let why = RbError { text: text.as_ptr().cast(), length: text.len(), ..RbError::EMPTY };
            done(error.status().0, ptr::null(), &raw const why)
        }
    };
}
