// SPDX-License-Identifier: MIT OR Apache-2.0

//! What ringback promises, and what it does not.
//!
//! # Calls that come in, through pools
//!
//! 1. **A listener is never dropped while a call is inside it, and never called after its quiet has
//!    been proved.** A call announces itself in a cell of its thread before it looks at the slot a
//!    second time; the retirer closes the slot, executes a barrier and only then reads the cells.
//!    *Source: P1202 (asymmetric fences), membarrier(2). Attacked by the loom models, the sanitizers,
//!    `tests/stress.rs`.*
//! 2. **Retiring closes the slot at once; [`unregister`] and [`wait`] prove quiet.** There is a form
//!    with a time limit and one to `.await` that needs no runtime. Inside the listener itself the
//!    answer is [`StillInside`]; a circle of blocking waits between ringback's own listeners is found and
//!    answered [`WouldDeadlock`]. A circle of futures, or through a lock of yours or of the foreign
//!    library, is not seen and ends only by the time limit. Dropping a guard waits for no call. *`tests/quiet.rs`.*
//! 3. **A stale call never reaches another listener** under `reuse = never` and
//!    `after_confirmation`; under `oldest_first` not before every other free slot was used. Stale
//!    calls are counted and answered with the fallback; [`describe`] says whose the pointer was, since
//!    when it is free, and who retired it. What a bare C pointer cannot prove: that the foreign side
//!    has forgotten it. That is yours to [confirm], from the foreign library's own rules.
//! 4. **A full pool is a typed error** ([`Full`]) that says how many slots are live, quarantined and
//!    free, and at which lines they were taken. Nothing leaks, and the listener comes back.
//! 5. **A panic in a listener never unwinds into C.** It is caught, counted, reported to the
//!    [`Observer`] and to `tracing`, and answered with `on_panic`; the slot stays usable. A pool may
//!    choose to abort, or for `C-unwind` functions to propagate. That of an async listener, whose caller
//!    was answered before, is counted by its mailbox ([`Counts`]), whatever `on_panic` says.
//!    What cannot be caught: a *C++ exception* that foreign code throws through a listener aborts the
//!    process, as Rust does with any foreign exception; `longjmp` over a listener leaves it recorded
//!    as inside for ever, so it is never dropped (and a scope never ends); with `panic = "abort"` a
//!    panic ends the process after the default message.
//! 6. **No lock of ringback is held while user or foreign code runs**: listeners, destructors, wakers,
//!    observers. One exception: while a thread forks, those of the pools are, and handlers that others
//!    gave to `pthread_atfork` *before* ringback run then: they must not register or wait. *`tests/quiet.rs`:
//!    `a_destructor_may_register_retire_and_call`.*
//! 7. **Re-entry and concurrency of an `FnMut`, and calls of a thread-bound listener from another
//!    thread, are detected and answered by policy.** Neither is undefined behaviour.
//! 8. **No executable memory is ever made**, and every thunk of the assembler table is a landing pad for
//!    indirect-branch protection (in the generated table it is one where the compiler is asked for
//!    that, by a flag that is unstable). *The suite runs where `mmap(PROT_EXEC)` is refused:
//!    `tests/no_executable_memory.rs`.*
//! 9. **Async delivery is in order per listener, bounded, and every message is accounted for**, exactly
//!    once quiet: see [`Counts`]. *`tests/asynchronous`.*
//! 10. **No thread of the foreign library ever runs an executor.** Nothing blocks it, unless the
//!     overflow policy is [`Block`], and then at most so long; a mailbox that coalesces takes a short
//!     lock.
//! 11. **After start, dispatch takes no lock and allocates nothing**, also in a thread's first call:
//!     it finds its record in a reserve (64 threads at once, more by [`reserve_threads`]), or is
//!     counted in the slot. [`attach_thread`] prepares a real-time thread. A slot takes
//!     [`BYTES_PER_SLOT`], a thread at most [`BYTES_PER_THREAD`]. What does allocate: a panic; the
//!     observer, if yours does; a mailbox, for each block of 32 messages when it is first reached,
//!     unless it is [preallocated]; and a shared library's thread-local storage, which the C library
//!     may set up in the first call, as it may its block of `pthread` keys beyond the first 32
//!     ([`attach_thread`] has both done before). And the last call out of a
//!     retired listener drops it on that thread, frees its memory and wakes who waits; with
//!     [`register_static`] nothing is dropped, and nothing freed but the few bytes by which somebody
//!     waits, if somebody does. *`tests/realtime.rs`: the allocator aborts after
//!     start. `bench -- realtime`: not one atomic read-modify-write instruction
//!     in ten million calls.*
//!
//! # Callbacks with user data
//! 12. **What foreign code gives is released exactly once**, on the thread that drops the last clone or
//!     where [`adopt_and_post`] posts it; also if it is never adopted. It is called only while it is
//!     held. *Source: the rules of [`abi`](crate::abi). Attacked by the loom model of the count,
//!     `tests/outbound/adopted.rs`, the storm in `bench`.*
//! 13. **What foreign code is given lives as long as it holds a reference**, and until a call that
//!     releases the last one has ended. *`tests/outbound/made.rs`.*
//! 14. **Malformed structs, statuses, errors and completions are errors, never undefined behaviour**, as
//!     far as the struct can tell: that its functions keep their side is theirs. *Tested with null,
//!     garbage, wrong sizes, and foreign sides that complete twice or never.*
//! 15. **No panic and no foreign exception crosses**: each arrives on the other side as an error with its
//!     text. *`bindings/cpp/tests`, `bindings/csharp/tests`.*
//! 16. **A closure behind [`UserData`](crate::UserData) is reached by its own pointer only**: whatever
//!     number stands in the place of its `void *`, and however late (on 32 bits, not later than 262,143
//!     registrations). *`tests/outbound/user_data.rs`.*
//! 17. **A [`Tracked`](crate::Tracked) slot is used again only when the last copy is gone**, and the token
//!     that says so takes no lock and runs no destructor of yours. *`tests/tracked.rs`.*
//! 18. **A task is completed once**, cancelled when its future is dropped, and dropped on its own
//!     executor. *`tests/outbound/tasks.rs`.*
//!
//! # If `membarrier(2)` is refused
//! At start: real fences take its place, and [`protection`](crate::protection) says so. Later, by a
//! sandbox installed after the first registration: quiet can no longer be proved, so nothing is freed;
//! it is counted, reported, and answered [`Unprovable`]. Choose [`Protection::Fence`] in
//! [`init`](crate::init) where such a sandbox is planned.
//!
//! [`unregister`]: crate::Registration::unregister
//! [`wait`]: crate::Retired::wait
//! [`StillInside`]: crate::Pending::StillInside
//! [`WouldDeadlock`]: crate::Pending::WouldDeadlock
//! [`Unprovable`]: crate::Pending::Unprovable
//! [`describe`]: crate::Pool::describe
//! [confirm]: crate::Quiet::confirm_forgotten
//! [`Full`]: crate::Full
//! [`Observer`]: crate::Observer
//! [`Counts`]: crate::Counts
//! [`Block`]: crate::OverflowPolicy::Block
//! [`reserve_threads`]: crate::reserve_threads
//! [`attach_thread`]: crate::attach_thread
//! [`register_static`]: crate::Pool::register_static
//! [`BYTES_PER_SLOT`]: crate::BYTES_PER_SLOT
//! [`BYTES_PER_THREAD`]: crate::BYTES_PER_THREAD
//! [preallocated]: crate::Mailbox::preallocated
//! [`adopt_and_post`]: crate::Callback::adopt_and_post
//! [`Protection::Fence`]: crate::Protection::Fence
