// SPDX-License-Identifier: MIT OR Apache-2.0

//! Foreign functions, adopted: counted, called, released exactly once.

use super::abi::{RbCallback, RbError, Status};
use super::count::{Counted, Strong, Weak};
use super::error::{ForeignError, NotAdopted};
use super::made::contained;
use core::ffi::c_void;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;

/// A type that [`callback_type!`](crate::callback_type) declares.
///
/// # Safety
/// The type has the layout of [`RbCallback`], and dropping it releases that; `Function` is a
/// transparent struct around it; `FORWARD` is a `call` of this signature whose context is a
/// [`Callback`] of this type as a raw pointer.
pub unsafe trait CallbackType: Sized + Send + Sync + 'static {
    /// What an adopted callback can be asked: its `call` method takes the arguments of the signature.
    type Function;
    #[doc(hidden)]
    const FORWARD: unsafe extern "C" fn();
    /// The type's name, for messages.
    const NAME: &'static str;
}

fn raw_of<T: CallbackType>(callback: &T) -> RbCallback {
    const { assert!(size_of::<T>() == size_of::<RbCallback>()) };
    // SAFETY: the layout of an `RbCallback`, by the trait's contract; plain data.
    unsafe { std::ptr::from_ref(callback).cast::<RbCallback>().read() }
}

/// A foreign function that Rust holds a reference of.
///
/// Made by `adopt` of a type that [`callback_type!`](crate::callback_type) declares. Cloning counts up
/// in Rust alone; the foreign side gave one reference, and gets it back when the last clone is
/// dropped: exactly once, on the thread that drops it, or wherever [`adopt_and_post`] was told to
/// post it.
///
/// `callback.call(arguments..)` calls it, on this thread, and answers `Result<R,`
/// [`ForeignError`](crate::ForeignError)`>`. No lock is held meanwhile, and the callback may be
/// called from any number of threads and drop its own last clone inside a call.
///
/// ```
/// # ringback::callback_type!(pub struct OnDoor: fn(open: bool) -> i32);
/// // Usually from foreign code:
/// let given = OnDoor::new(|open| if open { 1 } else { 0 });
///
/// let door = given.adopt()?; // size, version and null fields are checked
/// let (other, weak) = (door.clone(), door.downgrade());
/// let thread = std::thread::spawn(move || other.call(true));
/// assert_eq!(thread.join().unwrap()?, 1);
/// drop(door); // the last clone: the foreign side is released
/// assert!(weak.upgrade().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`adopt_and_post`]: Self::adopt_and_post
pub struct Callback<T: CallbackType>(Strong<Adopted<T>>);

struct Adopted<T: CallbackType> {
    foreign: ManuallyDrop<T>,
    post: Option<Box<dyn Fn(Release) + Send + Sync>>,
}

impl<T: CallbackType> Callback<T> {
    /// Takes over the reference that the struct is.
    ///
    /// # Errors
    /// [`NotAdopted`] says what is wrong with the struct, and gives it back.
    pub fn adopt(callback: T) -> Result<Self, NotAdopted<T>> {
        Self::checked(callback, None)
    }

    /// As [`adopt`](Self::adopt); the reference is given back by `post`, which runs on the thread that
    /// drops the last clone, for foreign sides that want to be released on a thread of their own:
    /// send the [`Release`] there and drop it.
    ///
    /// ```
    /// # ringback::callback_type!(pub struct OnDoor: fn(open: bool) -> i32);
    /// use ringback::Callback;
    /// # let given = OnDoor::new(|open| i32::from(open));
    /// let (post, posted) = std::sync::mpsc::channel();
    /// let door = Callback::adopt_and_post(given, move |release| {
    ///     // If nobody listens any more, it comes back in the error and is dropped here.
    ///     let _ = post.send(release);
    /// })?;
    /// drop(door); // on this thread, which need not be the foreign side's
    /// drop(posted.recv()?); // released by whoever receives it
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotAdopted`] says what is wrong with the struct, and gives it back.
    pub fn adopt_and_post(
        callback: T,
        post: impl Fn(Release) + Send + Sync + 'static,
    ) -> Result<Self, NotAdopted<T>> {
        Self::checked(callback, Some(Box::new(post)))
    }

    fn checked(
        callback: T,
        post: Option<Box<dyn Fn(Release) + Send + Sync>>,
    ) -> Result<Self, NotAdopted<T>> {
        match raw_of(&callback).check() {
            Ok(()) => {
                let foreign = ManuallyDrop::new(callback);
                Ok(Callback(Strong::new(Adopted { foreign, post })))
            }
            Err(reason) => Err(NotAdopted { callback, reason }),
        }
    }

    /// A struct to give to foreign code: one more reference.
    ///
    /// Where the foreign side can count, it is its own; else one that leads here.
    #[must_use]
    pub fn to_foreign(&self) -> T {
        let mut raw = raw_of(&*self.0.get().foreign);
        match (raw.retain, raw.release) {
            // SAFETY: adopted, so the context is alive.
            (Some(retain), _) => unsafe { retain(raw.context) },
            (None, None) => {} // lives for ever
            (None, Some(_)) => {
                raw = RbCallback {
                    call: Some(T::FORWARD),
                    context: self.0.clone().into_raw().cast(),
                    retain: Some(retain_forwarder::<T>),
                    release: Some(release_forwarder::<T>),
                    ..raw
                };
            }
        }
        // SAFETY: the layout of an `RbCallback`; the reference was added above.
        unsafe { std::mem::transmute_copy(&raw) }
    }

    /// A reference that does not keep the callback.
    #[must_use]
    pub fn downgrade(&self) -> WeakCallback<T> {
        WeakCallback(self.0.downgrade())
    }

    /// How many clones there are; a hint, as others come and go.
    #[must_use]
    pub fn strong_count(&self) -> usize {
        self.0.count()
    }

    /// Whether both are clones of one adopted callback.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }

    /// The callback behind the context of a forwarder, with a reference of its own: the caller's may
    /// be released inside the call.
    ///
    /// # Safety
    /// `context` came from [`to_foreign`](Self::to_foreign) of this type, and is not released yet.
    #[doc(hidden)]
    #[must_use]
    pub unsafe fn forwarded(context: *mut c_void) -> Self {
        let raw = context.cast::<Counted<Adopted<T>>>();
        // SAFETY: by the caller's promise it is a reference, which is not given up here.
        let reference = ManuallyDrop::new(unsafe { Strong::from_raw(raw) });
        Callback(Strong::clone(&reference))
    }
}

#[inline(always)]
fn function_of<T: CallbackType>(strong: &Strong<Adopted<T>>) -> &T::Function {
    const { assert!(size_of::<T>() == size_of::<T::Function>()) };
    // SAFETY: transparent, by the trait's contract.
    unsafe { &*std::ptr::from_ref(&*strong.get().foreign).cast::<T::Function>() }
}

/// # Safety
/// As the ABI's `retain`, of a context made by `to_foreign`.
unsafe extern "C" fn retain_forwarder<T: CallbackType>(context: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { Counted::retain(context.cast::<Counted<Adopted<T>>>()) };
}

/// # Safety
/// As the ABI's `release`, of a context made by `to_foreign`.
unsafe extern "C" fn release_forwarder<T: CallbackType>(context: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Strong::from_raw(context.cast::<Counted<Adopted<T>>>()) });
}

impl<T: CallbackType> Deref for Callback<T> {
    type Target = T::Function;

    #[inline(always)]
    fn deref(&self) -> &T::Function {
        function_of(&self.0)
    }
}

impl<T: CallbackType> Clone for Callback<T> {
    #[inline]
    fn clone(&self) -> Self {
        Callback(self.0.clone())
    }
}

impl<T: CallbackType> fmt::Debug for Callback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("type", &T::NAME)
            .field("strong_count", &self.strong_count())
            .finish()
    }
}

/// A reference to a [`Callback`] that does not keep it: the foreign side is released once the last
/// `Callback` is dropped, whatever weak ones are left.
pub struct WeakCallback<T: CallbackType>(Weak<Adopted<T>>);

impl<T: CallbackType> WeakCallback<T> {
    /// The callback, unless it was released already.
    #[must_use]
    pub fn upgrade(&self) -> Option<Callback<T>> {
        self.0.upgrade().map(Callback)
    }
}

impl<T: CallbackType> Clone for WeakCallback<T> {
    fn clone(&self) -> Self {
        WeakCallback(self.0.clone())
    }
}

impl<T: CallbackType> fmt::Debug for WeakCallback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakCallback").field("type", &T::NAME).finish_non_exhaustive()
    }
}

impl<T: CallbackType> Drop for Adopted<T> {
    fn drop(&mut self) {
        let release = Release(raw_of(&*self.foreign));
        match &self.post {
            // User code, perhaps on a foreign thread; if it panics, the release happens here.
            Some(post) => contained(T::NAME, || post(release)),
            None => drop(release),
        }
    }
}

/// The one release of a foreign callback: happens when this is dropped, on whichever thread that is.
#[must_use = "dropping it releases the foreign callback"]
pub struct Release(RbCallback);

// SAFETY: `release` may be called from any thread, by the ABI's rules.
unsafe impl Send for Release {}
// SAFETY: `&Release` gives access to nothing.
unsafe impl Sync for Release {}

impl Drop for Release {
    fn drop(&mut self) {
        // SAFETY: adopted, not used any more, and released here alone.
        unsafe { self.0.release() };
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Release")
    }
}

/// Drops a struct that was not adopted.
///
/// # Safety
/// `callback` has the layout of an [`RbCallback`], and is being dropped.
#[doc(hidden)]
pub unsafe fn release_unadopted<T: CallbackType>(callback: &T) {
    // SAFETY: the caller's promise.
    unsafe { raw_of(callback).release() };
}

/// What a call into foreign code fills.
#[doc(hidden)]
pub struct Answer<R> {
    out: MaybeUninit<R>,
    error: MaybeUninit<RbError>,
}

impl<R> Answer<R> {
    /// The result is all zero, so that a callee which forgets to write it does not make us read what
    /// happened to lie there. Of the error only the text is null, which says that there is none.
    #[inline(always)]
    #[must_use]
    pub fn empty() -> Self {
        let mut error = MaybeUninit::<RbError>::uninit();
        // SAFETY: in bounds of `error`.
        unsafe { (&raw mut (*error.as_mut_ptr()).text).write(std::ptr::null()) };
        Answer { out: MaybeUninit::zeroed(), error }
    }

    #[inline(always)]
    pub fn out(&mut self) -> *mut R {
        self.out.as_mut_ptr()
    }

    #[inline(always)]
    pub fn error(&mut self) -> *mut RbError {
        self.error.as_mut_ptr()
    }

    /// # Safety
    /// A call that got `out` (unless `R` is `()`) and `error` has answered `status`.
    #[inline(always)]
    pub unsafe fn read(&mut self, status: i32) -> Result<R, ForeignError> {
        if status == Status::OK.0 {
            // SAFETY: written by the callee, by the ABI's rules; `()` needs no writing. Read once.
            return Ok(unsafe { self.out.assume_init_read() });
        }
        // SAFETY: the caller's promise.
        Err(unsafe { ForeignError::receive(status, self.error()) })
    }
}
