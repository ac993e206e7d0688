// SPDX-License-Identifier: MIT OR Apache-2.0

//! C interfaces that have their own form of context: a function and a `void *`, side by side.
//!
//! ```text
//! foreign thread | function(.., data, ..) -> id -> slot -> closure
//! ```
//!
//! # State
//! The `void *` is no address but the *id* of a registration: `serial * SLOTS + index`. It leads to a
//! slot of the same kind that pools have, with their protection and their way of retiring; so the
//! foreign side may keep and call a retired pointer for ever. A slot is used again at once, since an
//! old id does not fit the new listener: it is compared inside, where the listener cannot go away,
//! and so is the closure's type, for a `data` that is passed to another's function.

use crate::boundary;
use crate::inbound::core::{Lease, Reuse};
use crate::inbound::dispatch::{dispatch, stale};
use crate::inbound::pointer::{C, FnPointer};
use crate::inbound::pool::Pool;
use crate::inbound::registration::Registration;
use crate::inbound::report::Full;
use crate::inbound::retired::{Pending, Quiet, Retired};
use crate::inbound::signature::{PanicPolicy, Signature};
use crate::inbound::slot::{Erased, Slot};
use crate::inbound::thunk::Table;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use core::ffi::c_void;
use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit, transmute_copy};
use std::ptr::{self, NonNull};
use std::time::Duration;

/// How many closures can be in use as user data at once, in the whole process: 128 bytes each, in
/// `.bss`, which take no memory before they are used.
pub(crate) const SLOTS: usize = 16 * 1024;

/// A Rust closure for a C interface that takes a function and a `void *`.
///
/// `P` is the C function's type, as bindgen writes it: `[Option<][unsafe] extern "C" fn(..) -> ..[>]`,
/// with up to ten arguments that borrow nothing. The closure takes all of them but the user data.
///
/// ```
/// use core::ffi::c_void;
/// use ringback::UserData;
///
/// type Visit = unsafe extern "C" fn(entry: u32, data: *mut c_void) -> i32;
/// // What a C library would do:
/// unsafe fn visit_all(visit: Visit, data: *mut c_void) -> i32 {
///     (1..=3).map(|entry| unsafe { visit(entry, data) }).sum()
/// }
///
/// let factor = 10;
/// let visitor = UserData::<Visit>::last(|| -1, move |entry| entry as i32 * factor)?;
/// assert_eq!(unsafe { visit_all(visitor.as_fn(), visitor.data()) }, 60);
/// visitor.unregister()?; // Ok: no call is inside, none can come in
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The first argument is the *fallback*: what a stale call, or one whose closure panicked, is
/// answered. It captures nothing, since such a call may come when everything else is gone.
///
/// # When is it unused?
/// Where the interface takes a destroy function, [`into_c`](Self::into_c) leaves it to the foreign
/// side: the closure is dropped when that is called. Everywhere else keep this guard, and
/// [`unregister`](Self::unregister) it: as for a pool, that proves that no call is inside. A call
/// that comes later is defined, and answered with the fallback.
///
/// On 32 bits the numbers begin again after 262,143 registrations: a pointer that is kept for longer
/// than that may reach a later closure of the same type.
///
/// Where the user data is no argument but must be asked for (`sqlite3_user_data(context)`), see
/// [`found_by`](Self::found_by).
#[must_use = "dropping it retires the closure at once"]
pub struct UserData<P> {
    registration: Registration<UserDataPool>,
    function: *const (),
    id: usize,
    pointer: PhantomData<P>,
}

// SAFETY: the address of code, and a number.
unsafe impl<P> Send for UserData<P> {}
// SAFETY: as above.
unsafe impl<P> Sync for UserData<P> {}

/// The pool behind [`UserData`], as it appears in [`Full`], [`Retired`] and events.
///
/// It has no C functions of its own, so nothing can be registered or reserved there; but it can be asked
/// how many closures are in use.
///
/// ```
/// # use core::ffi::c_void;
/// use ringback::{Signature, UserData, UserDataPool};
/// # type Visit = unsafe extern "C" fn(entry: u32, data: *mut c_void) -> i32;
/// let visitor = UserData::<Visit>::last(|| -1, |entry| entry as i32)?;
/// assert_eq!(UserDataPool::pool().stats().census.live, 1);
/// assert_eq!(UserDataPool::pool().thunk(0), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail
/// # use ringback::{Signature, UserDataPool};
/// let slot = UserDataPool::pool().reserve();
/// ```
pub struct UserDataPool {
    _private: (),
}

static TABLE: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];
static POOL: Pool<UserDataPool> =
    Pool::new("ringback::UserData", &TABLE, Table::NONE, Reuse::OldestFirst);

// SAFETY: `Call` is a plain function pointer; slots and pool are used nowhere else.
unsafe impl Signature for UserDataPool {
    type Pointer = *const ();
    type Call = unsafe fn(usize, &mut Ask<'_>, *const ()) -> bool;
    type Output = bool;
    type Slots = ();

    const TABLE: Table = Table::NONE;
    const PANIC: PanicPolicy = PanicPolicy::Answer;
    const ALWAYS_COUNTED: bool = false;
    const COUNT_CALLS: bool = false;
    const BUSY_WAIT: Duration = Duration::ZERO;

    fn pool() -> &'static Pool<Self> {
        &POOL
    }
    fn slots() -> &'static [Slot] {
        &TABLE
    }
    fn calls() -> &'static [AtomicU64] {
        &[]
    }
    // Whether the call was answered; if not, the caller has the fallback.
    fn fallback() -> bool {
        false
    }
    fn on_panic() -> bool {
        false
    }
    fn on_busy() -> bool {
        false
    }
    fn on_wrong_thread() -> bool {
        false
    }
}

/// What somebody who has an id wants of the closure behind it.
#[doc(hidden)]
pub enum Ask<'a> {
    /// To call it: it is of this type.
    Call(TypeId, &'a mut dyn FnMut(*const ())),
    /// To leave it to the foreign side.
    Own,
    /// To end it, if the foreign side owns it.
    Destroy,
}

#[repr(C)]
struct Carried<F> {
    fixed: Fixed,
    closure: F,
}

struct Fixed {
    id: usize,
    closure: TypeId,
    /// From `Carried` to its `closure`.
    offset: usize,
    owned_by_c: AtomicBool,
}

/// # Safety
/// `data` points at a `Carried`, and the calling thread is inside its registration.
unsafe fn answer(id: usize, ask: &mut Ask<'_>, data: *const ()) -> bool {
    // SAFETY: a `Carried` begins with it.
    let fixed = unsafe { &*data.cast::<Fixed>() };
    if fixed.id != id {
        return stale::<UserDataPool>(id % SLOTS); // its slot serves another
    }
    let found = match ask {
        Ask::Call(closure, call) if *closure == fixed.closure => {
            // SAFETY: within the same `Carried`.
            call(unsafe { data.byte_add(fixed.offset) });
            true
        }
        Ask::Call(..) => false,
        Ask::Own => !fixed.owned_by_c.swap(true, AcqRel),
        Ask::Destroy => fixed.owned_by_c.swap(false, AcqRel),
    };
    found || stale::<UserDataPool>(id % SLOTS)
}

/// Asks what the id leads to. Not found: counted as a stale call, of slot 0 where no slot ever had such an id.
#[inline(always)]
fn ask(id: usize, mut ask: Ask<'_>) -> bool {
    // A number of the form that `register` makes; others lead nowhere, but not astray.
    if id < SLOTS {
        return stale::<UserDataPool>(0);
    }
    let slot = &TABLE[id % SLOTS];
    // SAFETY: a slot of this pool, of which every listener is a `Carried`.
    unsafe { dispatch::<UserDataPool>(slot, |call, data| call(id, &mut ask, data)) }
}

/// A C call with user data: to the closure of type `F`, or to the fallback of type `D`.
///
/// # Safety
/// `id` is what a [`UserData`] lends, or any other number; the fallback was given to it.
pub(crate) unsafe fn carry<F: 'static, D: Fn() -> R, R>(
    id: usize,
    call: impl FnOnce(&F) -> R,
) -> R {
    let mut answer = MaybeUninit::uninit();
    let mut call = Some(call);
    let answered = ask(
        id,
        Ask::Call(TypeId::of::<F>(), &mut |closure| {
            if let Some(call) = call.take() {
                // SAFETY: of this type, as `Ask::Call` says, and inside.
                answer.write(call(unsafe { &*closure.cast::<F>() }));
            }
        }),
    );
    if answered && call.is_none() {
        // SAFETY: answered, so the closure has been called, and has written.
        return unsafe { answer.assume_init() };
    }
    // SAFETY: of no size, so there is nothing to read; the one that was given is never dropped.
    let fallback = unsafe { NonNull::<D>::dangling().as_ref() };
    boundary::answer_or_abort("ringback::UserData", fallback)
}

/// What user data is passed as: `*mut T` or `*const T`.
pub trait DataPointer: Copy {
    #[doc(hidden)]
    fn id(self) -> usize;
}
impl<T> DataPointer for *mut T {
    fn id(self) -> usize {
        self.addr()
    }
}
impl<T> DataPointer for *const T {
    fn id(self) -> usize {
        self.addr()
    }
}

/// The argument in place `N`, counted from 0.
#[derive(Debug, Clone, Copy)]
pub struct Nth<const N: usize>;

/// The C function type `Self` has its user data in the place `Position`, and the closure `F` takes
/// the rest.
///
/// # Safety
/// `FUNCTION` is a C function of the shape `Self`, that `carry`s its user data to an `F`, or calls the
/// fallback `D`.
#[diagnostic::on_unimplemented(
    message = "this closure does not fit the C function's type and the place of its user data",
    note = "the closure takes all arguments but the `*mut T` or `*const T` in that place, and returns what the C function returns"
)]
pub unsafe trait Carries<Position, F, D> {
    #[doc(hidden)]
    const FUNCTION: *const ();
}

/// As [`Carries`], with user data that `L` finds.
///
/// # Safety
/// As for [`Carries`].
#[diagnostic::on_unimplemented(
    message = "this closure, or the function that finds its user data, does not fit the C function's type",
    note = "both take all arguments; the finder returns the `*mut c_void`, the closure what the C function returns"
)]
pub unsafe trait Finds<L, F, D> {
    #[doc(hidden)]
    const FUNCTION: *const ();
}

/// The place of a C function's last argument.
pub trait LastPlace {
    #[doc(hidden)]
    type Last;
}

impl<P: FnPointer<Abi = C>> UserData<P> {
    /// User data that comes first: `function(data, ..)`.
    ///
    /// # Errors
    /// [`Full`] gives the closure back: 16,384 are in use in this process.
    #[track_caller]
    pub fn first<F, D>(fallback: D, closure: F) -> Result<Self, Full<F>>
    where
        P::Shape: Carries<Nth<0>, F, D>,
        F: Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        Self::nth(Nth::<0>, fallback, closure)
    }

    /// User data that comes last: `function(.., data)`.
    ///
    /// # Errors
    /// [`Full`] gives the closure back: 16,384 are in use in this process.
    #[track_caller]
    pub fn last<F, D>(fallback: D, closure: F) -> Result<Self, Full<F>>
    where
        P::Shape: LastPlace + Carries<<P::Shape as LastPlace>::Last, F, D>,
        F: Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        Self::register(
            <P::Shape as Carries<<P::Shape as LastPlace>::Last, F, D>>::FUNCTION,
            fallback,
            closure,
        )
    }

    /// User data in any place: `UserData::<P>::nth(Nth::<1>, ..)` for `function(_, data, ..)`.
    ///
    /// # Errors
    /// [`Full`] gives the closure back: 16,384 are in use in this process.
    #[track_caller]
    pub fn nth<const N: usize, F, D>(_: Nth<N>, fallback: D, closure: F) -> Result<Self, Full<F>>
    where
        P::Shape: Carries<Nth<N>, F, D>,
        F: Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        Self::register(<P::Shape as Carries<Nth<N>, F, D>>::FUNCTION, fallback, closure)
    }

    /// User data that is found by asking the library: `find` gets the arguments and returns it; like
    /// the fallback it captures nothing. The closure gets all arguments.
    ///
    /// ```
    /// use core::ffi::{c_int, c_void};
    /// use ringback::UserData;
    /// # pub struct Context(*mut c_void, c_int);
    /// # unsafe fn user_data(context: *mut Context) -> *mut c_void { unsafe { (*context).0 } }
    /// # unsafe fn result_int(context: *mut Context, result: c_int) { unsafe { (*context).1 = result } }
    ///
    /// type Function = unsafe extern "C" fn(context: *mut Context, value: c_int);
    /// // Of the library: `user_data(context)`, `result_int(context, result)`.
    /// let factor = 2;
    /// let times = UserData::<Function>::found_by(
    ///     |context, _| unsafe { user_data(context) },
    ///     || (),
    ///     move |context, value| unsafe { result_int(context, factor * value) },
    /// )?;
    /// # let mut context = Context(times.data(), 0);
    /// # unsafe { times.as_fn()(&raw mut context, 21) };
    /// # assert_eq!(context.1, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Full`] gives the closure back: 16,384 are in use in this process.
    #[track_caller]
    pub fn found_by<L, F, D>(find: L, fallback: D, closure: F) -> Result<Self, Full<F>>
    where
        P::Shape: Finds<L, F, D>,
        L: Send + Sync + 'static,
        F: Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        const { assert!(size_of::<L>() == 0, "the finder of user data must not capture anything") };
        mem::forget(find);
        Self::register(<P::Shape as Finds<L, F, D>>::FUNCTION, fallback, closure)
    }

    #[track_caller]
    fn register<F, D>(function: *const (), fallback: D, closure: F) -> Result<Self, Full<F>>
    where
        F: Send + Sync + 'static,
    {
        const { assert!(size_of::<D>() == 0, "the fallback of user data must not capture anything") };
        static SERIAL: AtomicUsize = AtomicUsize::new(1);
        let reserved = match POOL.take() {
            Ok(reserved) => reserved,
            Err(Full { census, .. }) => return Err(Full { listener: closure, census }),
        };
        mem::forget(fallback); // it lives for ever, as late calls may need it
        let serial = SERIAL.fetch_add(1, Relaxed) % (usize::MAX / SLOTS) + 1;
        let id = serial.wrapping_mul(SLOTS) + reserved.slot();
        let fixed = Fixed {
            id,
            closure: TypeId::of::<F>(),
            offset: mem::offset_of!(Carried<F>, closure),
            owned_by_c: AtomicBool::new(false),
        };
        let erased =
            Erased::boxed(Carried { fixed, closure }, Pool::<UserDataPool>::untyped(answer));
        // SAFETY: `F` is `Send + Sync + 'static`, and `answer` takes a `Carried`.
        let registration = unsafe { reserved.open(erased) };
        Ok(UserData { registration, function, id, pointer: PhantomData })
    }

    /// The C function.
    #[must_use]
    pub fn as_fn(&self) -> P {
        const { assert!(size_of::<P>() == size_of::<*const ()>()) };
        // SAFETY: a function pointer, or an `Option` of one, of the shape that `function` has.
        unsafe { transmute_copy(&self.function) }
    }

    /// The user data. It is not an address: nothing may be read through it.
    #[must_use]
    pub fn data(&self) -> *mut c_void {
        ptr::without_provenance_mut(self.id)
    }

    /// Leaves the closure to the foreign side: the function, the user data, and the function that it
    /// calls to end it.
    ///
    /// The closure is dropped by that call, or, if calls are inside then, by the last of them that
    /// leaves. Calling it twice, or with a wrong pointer, is counted as a stale call and does nothing
    /// else.
    #[must_use]
    pub fn into_c(self) -> (P, *mut c_void, unsafe extern "C" fn(*mut c_void)) {
        let owned = ask(self.id, Ask::Own);
        debug_assert!(owned, "a guard's closure is registered");
        let parts = (self.as_fn(), self.data(), destroy as _);
        mem::forget(self);
        parts
    }

    /// Closes the way to the closure at once. Does not wait.
    #[track_caller]
    pub fn retire(self) -> Retired<UserDataPool> {
        self.registration.retire()
    }

    /// Retires and waits until no call is inside: after `Ok` the closure has been dropped.
    ///
    /// # Errors
    /// [`Pending`] says why waiting would be in vain.
    ///
    /// # Blocking
    /// As for [`Registration::unregister`].
    #[track_caller]
    pub fn unregister(self) -> Result<Quiet<UserDataPool>, Pending<UserDataPool>> {
        self.registration.unregister()
    }
}

impl<P> fmt::Debug for UserData<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData").field("slot", &self.registration.slot()).finish()
    }
}

/// The destroy function of every user data that C owns.
///
/// # Safety
/// None is needed: any number is looked up, and those that lead nowhere are counted as stale.
unsafe extern "C" fn destroy(data: *mut c_void) {
    let id = data.addr();
    if !ask(id, Ask::Destroy) {
        return;
    }
    // Ours alone since `Destroy`, which succeeds once: it is what `into_c` has forgotten.
    let index = id % SLOTS;
    if let Some(link) = TABLE[index].current() {
        let lease = Lease { core: &POOL.core, index, link };
        lease.retire(None);
        // SAFETY: the guard that `into_c` has forgotten.
        unsafe { lease.release() };
    }
}
