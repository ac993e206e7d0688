// SPDX-License-Identifier: MIT OR Apache-2.0

//! The queue of a mailbox that coalesces: a message takes the place of a queued one with its key.
//!
//! Under a short lock, since a queued message is exchanged in its place. The key is computed before,
//! and whatever is dropped is dropped after; under the lock are a look-up and a few moves. Now and then a
//! new key finds the map full of what removed keys have left. The map then tidies itself: in place if at
//! least half of it is unused, which takes a look at every place; else by growing, which a preallocated map,
//! with room for twice the capacity, never has to.

use super::ring::Stamped;
use std::collections::{HashMap, VecDeque};

pub(crate) struct Keyed<M> {
    queue: VecDeque<(u64, Stamped<M>)>,
    /// Where the message with this key is: a position since the beginning.
    places: HashMap<u64, u64>,
    /// The largest capacity that the map has told of: what removed keys leave counts against it.
    room: usize,
    capacity: usize,
    pub(crate) pushed: u64,
    pub(crate) popped: u64,
}

pub(crate) enum Pushed<M> {
    Queued,
    /// It took this one's place.
    InPlaceOf(Stamped<M>),
    Full(Stamped<M>),
}

impl<M> Keyed<M> {
    pub(crate) fn new(capacity: usize, preallocated: bool) -> Self {
        let capacity = capacity.max(1);
        let ready = if preallocated { capacity } else { 0 };
        let places = HashMap::with_capacity(2 * ready); // so it is never tidied by growing
        Keyed {
            queue: VecDeque::with_capacity(ready),
            room: places.capacity(),
            places,
            capacity,
            pushed: 0,
            popped: 0,
        }
    }

    pub(crate) fn push(&mut self, key: u64, value: Stamped<M>) -> Pushed<M> {
        if let Some(place) = self.places.get(&key) {
            let (_, queued) = &mut self.queue[(place - self.popped) as usize];
            self.pushed += 1;
            return Pushed::InPlaceOf(std::mem::replace(queued, value));
        }
        if self.queue.len() == self.capacity {
            return Pushed::Full(value);
        }
        // Counted from the queue's own front, which coalescing does not move.
        self.places.insert(key, self.popped + self.queue.len() as u64);
        self.room = self.room.max(self.places.capacity());
        self.queue.push_back((key, value));
        self.pushed += 1;
        Pushed::Queued
    }

    pub(crate) fn pop(&mut self) -> Option<Stamped<M>> {
        let (key, value) = self.queue.pop_front()?;
        self.places.remove(&key);
        self.popped += 1;
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn allocated_bytes(&self) -> usize {
        // The map has a power of two of places, of which it fills 7 in 8, and a byte more for each.
        let places = (self.room * 8 / 7).next_power_of_two();
        let places = if self.room == 0 { 0 } else { places * (size_of::<(u64, u64)>() + 1) };
        self.queue.capacity() * size_of::<(u64, Stamped<M>)>() + places
    }
}
