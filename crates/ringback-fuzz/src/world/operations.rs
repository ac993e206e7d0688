// SPDX-License-Identifier: MIT OR Apache-2.0

//! Each operation but the call: on the pool, and on the model.

use super::guards::{How, Waited};
use super::*;

/// The number of one that fits, counted round from `which`.
fn pick<T>(all: &[T], which: u8, fits: impl Fn(&T) -> bool) -> Option<usize> {
    let fitting: Vec<usize> = (0..all.len()).filter(|&i| fits(&all[i])).collect();
    (!fitting.is_empty()).then(|| fitting[usize::from(which) % fitting.len()])
}

impl<S: Tested> State<S> {
    pub(super) fn answer_of(&self, id: Id, argument: i32) -> i32 {
        match self.model.listeners[id].kind {
            Kind::Static => answer_of(STATIC, argument),
            _ => answer_of(id, argument),
        }
    }

    /// Each listener is dropped when the model says, and once.
    pub(super) fn check_drops(&self) {
        for (id, listener) in self.model.listeners.iter().enumerate() {
            if listener.kind != Kind::Static {
                let expected = usize::from(listener.is_dropped());
                assert_eq!(
                    self.drops[id].load(SeqCst),
                    expected,
                    "drops of {id}: {:?}",
                    self.model.listeners
                );
            }
        }
    }

    /// For the next listener.
    fn token(&self) -> Token {
        Token { id: self.model.listeners.len(), drops: Arc::new(AtomicUsize::new(0)) }
    }

    /// The model has a listener more.
    fn added(&mut self, id: Id, drops: Arc<AtomicUsize>, guard: Guard<S>) {
        assert_eq!(self.drops.len(), id);
        self.drops.push(drops);
        self.guards.push((id, guard));
    }

    pub(super) fn apply(&mut self, pool: &'static Pool<S>, operation: Operation) {
        match operation {
            Operation::Call(_) => unreachable!("done elsewhere"),
            Operation::Register { kind } => self.register(pool, kind),
            Operation::Reserve => self.reserve(pool),
            Operation::Bind { which, exclusive } => self.bind(which, exclusive),
            Operation::DropReserved { which } => {
                if let Some(i) = pick(&self.reserved, which, |_| true) {
                    let reserved = self.reserved.remove(i);
                    self.model.unpin(reserved.slot());
                }
            }
            Operation::Park { slot, argument } => self.park(pool, slot, argument),
            Operation::Release { which, panics } => self.let_leave(which, panics),
            Operation::Replace { which, keep } => self.replace(which, keep),
            Operation::Retire { which } => {
                if let Some(i) = pick(&self.guards, which, |(_, guard)| guard.is_registration()) {
                    let (id, guard) = self.guards.remove(i);
                    self.guards.push((id, guard.retire()));
                    self.model.retire(id, Closed::ByLine);
                }
            }
            Operation::RetireAll => self.retire_all(),
            Operation::RetireByHandle { which } => {
                if let Some(i) = pick(&self.handles, which, |_| true) {
                    let handle = &self.handles[i];
                    assert_eq!(handle.retire(), self.model.close(handle.slot(), Closed::ByLine));
                }
            }
            Operation::DropHandle { which } => {
                if let Some(i) = pick(&self.handles, which, |_| true) {
                    let handle = self.handles.remove(i);
                    self.model.unpin(handle.slot());
                }
            }
            Operation::Unregister { which } => {
                if let Some(i) = pick(&self.guards, which, |(_, guard)| guard.is_registration()) {
                    let (id, guard) = self.guards.remove(i);
                    self.guards.push((id, guard.retire()));
                    self.model.retire(id, Closed::ByLine);
                    self.wait(self.guards.len() - 1, How::Wait);
                }
            }
            Operation::DropGuard { which } => {
                if let Some(i) = pick(&self.guards, which, |_| true) {
                    let (id, guard) = self.guards.remove(i);
                    drop(guard);
                    self.model.release(id);
                }
            }
            Operation::Wait { which } => self.wait_for_one(which, How::Wait),
            Operation::TryWait { which } => self.wait_for_one(which, How::Try),
            Operation::WaitTimeout { which } => self.wait_for_one(which, How::Timeout),
            Operation::Poll { which } => self.wait_for_one(which, How::Poll),
            Operation::ConfirmQuiet { which } => self.confirm_quiet(which),
            Operation::ConfirmPointer { slot } => {
                let index = self.slots[usize::from(slot) % self.slots.len()];
                let pointer = pool.thunk(index).expect("a slot of the pool");
                let expected = self.model.confirm_pointer(index).map_err(Some);
                assert_eq!(pool.confirm_forgotten(pointer).map_err(|error| error.state), expected);
            }
            Operation::LibraryRegisters { summand } => library::with(|it| it.register(summand)),
            Operation::LibraryUnregisters => library::with(library::Library::unregister),
            Operation::LibraryIsUnloaded => library::with(library::Library::unload),
            Operation::LibraryIsCalled { argument } => library::with(|it| it.call(argument)),
        }
    }

    fn register(&mut self, pool: &'static Pool<S>, kind: Kind) {
        static STATIC_LISTENER: Static = static_listener;
        let token = self.token();
        let drops = token.drops.clone();
        let mut kept = None;
        /// No slot is free, says the error, and gives the listener back.
        fn full<L>(error: Full<L>) {
            assert_eq!(error.census.free, 0);
        }
        let guard = match kind {
            Kind::Shared => {
                let listener: Shared = Box::new(move |x| token.answer(x));
                pool.register(listener).map(Guard::Registration).map_err(full)
            }
            Kind::Exclusive => {
                let listener: Exclusive = Box::new(move |x| token.answer(x));
                pool.register_mut(listener).map(Guard::Registration).map_err(full)
            }
            Kind::Once => {
                let listener: Once = Box::new(move |x| token.answer(x));
                pool.register_once(listener).map(Guard::Registration).map_err(full)
            }
            Kind::Local => {
                let listener: Local = Box::new(move |x| token.answer(x));
                pool.register_local(listener).map(Guard::LocalRegistration).map_err(full)
            }
            Kind::Static => {
                pool.register_static(&STATIC_LISTENER).map(Guard::Registration).map_err(full)
            }
            Kind::WithHandle => {
                let make = |me: Handle| -> Shared {
                    kept = Some(me.clone());
                    Box::new(move |x| {
                        let _ = &me;
                        token.answer(x)
                    })
                };
                pool.register_with(make).map(Guard::Registration).map_err(full)
            }
        };
        let Some(slot) = self.model.take() else {
            assert!(guard.is_err(), "a full pool had a slot");
            let back = usize::from(kind != Kind::WithHandle && kind != Kind::Static);
            assert!(drops.load(SeqCst) >= back, "the listener did not come back");
            return;
        };
        let id = self.model.open(slot, kind);
        let Ok(guard) = guard else { panic!("slot {slot} is free, but the pool was full") };
        let (index, function) = match &guard {
            Guard::Registration(it) => (it.slot(), it.as_fn()),
            Guard::LocalRegistration(it) => (it.slot(), it.as_fn()),
            _ => unreachable!("made above"),
        };
        assert_eq!((index, pool.lookup(function)), (slot, Some(slot)));
        self.added(id, drops, guard);
        if let Some(handle) = kept {
            assert_eq!(handle.slot(), slot);
            self.handles.push(handle);
            self.model.pin(slot);
        }
    }

    fn reserve(&mut self, pool: &'static Pool<S>) {
        match (pool.reserve(), self.model.take()) {
            (Ok(reserved), Some(slot)) => {
                assert_eq!(reserved.slot(), slot);
                self.reserved.push(reserved);
            }
            (Err(_), None) => {}
            (seen, expected) => panic!("{seen:?} instead of {expected:?}"),
        }
    }

    fn bind(&mut self, which: u8, exclusive: bool) {
        let Some(i) = pick(&self.reserved, which, |_| true) else { return };
        let reserved = self.reserved.remove(i);
        let token = self.token();
        let drops = token.drops.clone();
        let kind = if exclusive { Kind::Exclusive } else { Kind::Shared };
        let id = self.model.open(reserved.slot(), kind);
        let registration = if exclusive {
            reserved.bind_mut(Box::new(move |x| token.answer(x)) as Exclusive)
        } else {
            reserved.bind(Box::new(move |x| token.answer(x)) as Shared)
        };
        self.added(id, drops, Guard::Registration(registration));
    }

    fn park(&mut self, pool: &'static Pool<S>, slot: u8, argument: i32) {
        if self.parked.len() == 3 {
            return;
        }
        let index = self.slots[usize::from(slot) % self.slots.len()];
        let function = pool.thunk(index).expect("a slot of the pool");
        let thread = self.idle.pop().unwrap_or_else(Foreign::new);
        let meets = self.model.call(index, false);
        match (thread.call(function, argument), meets) {
            (Event::Entered(told), Meets::Listener(id, way)) => {
                assert!(told.is_none_or(|told| told == id), "{told:?} instead of {id}");
                self.parked.push(Parked { thread, id, way, argument });
            }
            (Event::Answered(answer), Meets::Nobody(expected)) => {
                assert_eq!(answer, expected, "of slot {index}");
                self.idle.push(thread);
            }
            (Event::Entered(told), Meets::Nobody(_)) => panic!("entered {told:?} in slot {index}"),
            (Event::Answered(answer), Meets::Listener(id, _)) => {
                panic!("slot {index} did not reach listener {id}: {answer}")
            }
        }
    }

    fn let_leave(&mut self, which: u8, panics: bool) {
        let Some(i) = pick(&self.parked, which, |_| true) else { return };
        let Parked { thread, id, way, argument } = self.parked.remove(i);
        let answer = thread.leave(panics);
        self.model.leave(id, way, false, panics);
        let expected = if panics { ON_PANIC } else { self.answer_of(id, argument) };
        assert_eq!(answer, expected, "of listener {id}");
        self.idle.push(thread);
    }

    fn replace(&mut self, which: u8, keep: bool) {
        let Some(i) = pick(&self.guards, which, |(_, guard)| guard.is_registration()) else {
            return;
        };
        let token = self.token();
        let drops = token.drops.clone();
        let (old, guard) = &mut self.guards[i];
        let old = *old;
        let (kind, retired) = match guard {
            Guard::Registration(registration) => {
                let listener: Shared = Box::new(move |x| token.answer(x));
                (Kind::Shared, registration.replace(listener).ok().map(Guard::Retired))
            }
            Guard::LocalRegistration(registration) => {
                let listener: Local = Box::new(move |x| token.answer(x));
                (Kind::Local, registration.replace(listener).ok().map(Guard::LocalRetired))
            }
            _ => unreachable!("picked a registration"),
        };
        match (retired, self.model.replace(old, kind)) {
            (Some(retired), Some(new)) => {
                self.guards[i].0 = new;
                self.drops.push(drops);
                if keep {
                    self.guards.push((old, retired));
                } else {
                    drop(retired);
                    self.model.release(old);
                }
            }
            (None, None) => assert_eq!(drops.load(SeqCst), 1, "the listener did not come back"),
            (_, expected) => panic!("replacing {old}: not as expected, {expected:?}"),
        }
    }

    fn retire_all(&mut self) {
        let (open, rest) = std::mem::take(&mut self.guards)
            .into_iter()
            .partition(|(_, guard)| matches!(guard, Guard::Registration(_)));
        self.guards = rest;
        let mut ids = Vec::new();
        let registrations = Vec::into_iter(open).filter_map(|(id, guard)| match guard {
            Guard::Registration(registration) => {
                ids.push(id);
                Some(registration)
            }
            _ => None,
        });
        let retired = retire_all(registrations).into_vec();
        for (id, retired) in ids.into_iter().zip(retired) {
            self.model.retire(id, Closed::ByLine);
            self.guards.push((id, Guard::Retired(retired)));
        }
    }

    fn wait_for_one(&mut self, which: u8, how: How) {
        if let Some(i) = pick(&self.guards, which, |(_, guard)| guard.is_retired()) {
            self.wait(i, how);
        }
    }

    /// Waits, but never for what only this thread could bring about.
    fn wait(&mut self, i: usize, how: How) {
        let (id, guard) = self.guards.remove(i);
        let listener = &self.model.listeners[id];
        let how = match how {
            How::Wait if !listener.is_quiet() && listener.inside == 0 => How::Timeout,
            how => how,
        };
        let expected = match how {
            _ if listener.is_quiet() => Waited::Quiet,
            How::Wait => Waited::StillInside,
            How::Try | How::Timeout => Waited::NotYet,
            How::Poll => Waited::Dropped,
        };
        let (seen, left) = guard.wait(how);
        assert_eq!(seen, expected, "waiting for listener {id}");
        match left {
            Some(guard) => self.guards.push((id, guard)),
            None => self.model.release(id),
        }
    }

    fn confirm_quiet(&mut self, which: u8) {
        let Some(i) = pick(&self.guards, which, |(_, guard)| guard.is_proof()) else { return };
        let (id, guard) = self.guards.remove(i);
        guard.confirm();
        self.model.confirm_by_proof(id);
        self.model.release(id);
    }
}
