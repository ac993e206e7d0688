// SPDX-License-Identifier: MIT OR Apache-2.0

//! The queue of a mailbox: bounded, first in first out, from many producers to one consumer.
//!
//! # State
//! A ring of cells after Dmitry Vyukov's bounded queue, with laps as in crossbeam's `ArrayQueue`:
//! `tail` and `head` are a lap and an index; a cell's stamp says whose turn it is.
//!
//! | stamp | the cell is |
//! |---|---|
//! | `tail` of this lap | free for the producer that claims `tail` |
//! | that `tail + 1` | filled, for the consumer that claims `head` |
//! | `head + one lap` | free again, for the next lap |
//!
//! Cells stand in blocks that are made when a message first reaches them, and are kept.
//!
//! Nobody waits here: a cell that is just being emptied counts as occupied, one that is just being
//! filled as not there yet (its producer wakes the consumer when it is).
//!
//! # Ordering
//! Stamps are stored with Release and read with Acquire: they hand the value over. A fence follows the
//! producer's stamp, and the consumer's `parked` flag, so that either the producer sees the consumer
//! parked, or the consumer's last look sees the message (`super`). Not a swap of the stamp: that would
//! keep the processor from going on until it has the cell's cache line back from the consumer's core.
//! Nothing follows the consumer's stamp: before it looks for blocked producers it executes a fence,
//! once for many messages.

use crate::sync::{AtomicPtr, AtomicUsize, Ordering::*, WatchedCell, fence};
use std::mem::MaybeUninit;
use std::ptr;

/// Cells made at a time.
const BLOCK: usize = if cfg!(ringback_loom) { 2 } else { 32 };

/// A message in its cell, with the time of its arrival (0 where nobody asks for it).
pub(crate) struct Stamped<M> {
    pub(crate) message: M,
    pub(crate) arrived: u64,
}

struct Cell<M> {
    stamp: AtomicUsize,
    value: WatchedCell<MaybeUninit<Stamped<M>>>,
}

/// On a line of its own: producers write one end, the consumer the other.
#[repr(align(64))]
struct End(AtomicUsize);

pub(crate) struct Ring<M> {
    tail: End,
    head: End,
    blocks: Box<[AtomicPtr<Cell<M>>]>,
    capacity: usize,
    one_lap: usize,
    /// Only the consumer takes messages out, so it need not compete for them.
    sole_consumer: bool,
}

// SAFETY: a value is written by the producer that claimed its cell and read by the consumer that
// claimed it afterwards; messages move between threads, so they are `Send`.
unsafe impl<M: Send> Sync for Ring<M> {}
// SAFETY: as above.
unsafe impl<M: Send> Send for Ring<M> {}

impl<M> Ring<M> {
    /// A ring of `capacity` messages, at least 1; with all its memory at once if `preallocated`.
    /// `sole_consumer`: no two threads ever `pop` at the same time.
    pub(crate) fn new(capacity: usize, preallocated: bool, sole_consumer: bool) -> Self {
        let capacity = capacity.max(1);
        let blocks = capacity.div_ceil(BLOCK);
        let ring = Ring {
            tail: End(AtomicUsize::new(0)),
            head: End(AtomicUsize::new(0)),
            blocks: (0..blocks).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
            capacity,
            one_lap: (capacity + 1).next_power_of_two(),
            sole_consumer,
        };
        if preallocated {
            for block in 0..blocks {
                ring.make_block(block);
            }
        }
        ring
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that are allocated for cells now.
    pub(crate) fn allocated_bytes(&self) -> usize {
        let made = self.blocks.iter().filter(|block| !block.load(Relaxed).is_null()).count();
        made * BLOCK * size_of::<Cell<M>>() + size_of_val(&*self.blocks)
    }

    fn make_block(&self, block: usize) -> *mut Cell<M> {
        let first = block * BLOCK;
        let cells: Box<[Cell<M>]> = (first..first + BLOCK)
            .map(|index| Cell {
                stamp: AtomicUsize::new(index), // lap 0: blocks are first reached on it
                value: WatchedCell::new(MaybeUninit::uninit()),
            })
            .collect();
        let made = Box::into_raw(cells).cast::<Cell<M>>();
        match self.blocks[block].compare_exchange(ptr::null_mut(), made, AcqRel, Acquire) {
            Ok(_) => made,
            Err(first) => {
                // SAFETY: just made above, and nobody else knows it.
                drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(made, BLOCK)) });
                first
            }
        }
    }

    #[inline]
    fn cell(&self, index: usize) -> Option<&Cell<M>> {
        let block = self.blocks[index / BLOCK].load(Acquire);
        // SAFETY: a block has BLOCK cells and lives as long as the ring.
        (!block.is_null()).then(|| unsafe { &*block.add(index % BLOCK) })
    }

    #[inline]
    fn cell_or_make(&self, index: usize) -> &Cell<M> {
        // SAFETY: as in `cell`.
        self.cell(index)
            .unwrap_or_else(|| unsafe { &*self.make_block(index / BLOCK).add(index % BLOCK) })
    }

    #[inline]
    fn after(&self, position: usize) -> usize {
        if self.index(position) + 1 < self.capacity {
            position + 1
        } else {
            (position & !(self.one_lap - 1)).wrapping_add(self.one_lap)
        }
    }

    #[inline]
    fn index(&self, position: usize) -> usize {
        position & (self.one_lap - 1)
    }

    /// Appends a message, or gives it back if the ring is full.
    #[inline]
    pub(crate) fn push(&self, value: Stamped<M>) -> Result<(), Stamped<M>> {
        let mut tail = self.tail.0.load(Relaxed);
        loop {
            let cell = self.cell_or_make(self.index(tail));
            let stamp = cell.stamp.load(Acquire);
            if stamp == tail {
                match self.tail.0.compare_exchange_weak(tail, self.after(tail), SeqCst, Relaxed) {
                    Ok(_) => {
                        // SAFETY: claimed; nobody else touches the cell until its stamp changes.
                        cell.value.with_mut(|cell| unsafe { (*cell).write(value) });
                        cell.stamp.store(tail + 1, Release);
                        fence(SeqCst); // against the consumer's, in `Inbox::poll_next`
                        return Ok(());
                    }
                    Err(now) => tail = now,
                }
            } else {
                let now = self.tail.0.load(Relaxed);
                if now == tail {
                    return Err(value); // a lap behind: still occupied
                }
                tail = now;
            }
        }
    }

    /// Takes the oldest message that is there.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Stamped<M>> {
        let mut head = self.head.0.load(Relaxed);
        loop {
            let cell = self.cell(self.index(head))?;
            if cell.stamp.load(Acquire) == head + 1 {
                match self.claim_head(head) {
                    Ok(_) => {
                        // SAFETY: claimed; the producer's stamp says that it is written.
                        let value =
                            cell.value.with_mut(|cell| unsafe { (*cell).assume_init_read() });
                        cell.stamp.store(head.wrapping_add(self.one_lap), Release);
                        return Some(value);
                    }
                    Err(now) => head = now,
                }
            } else {
                let now = self.head.0.load(Relaxed);
                if now == head {
                    return None;
                }
                head = now;
            }
        }
    }

    #[inline]
    fn claim_head(&self, head: usize) -> Result<usize, usize> {
        let after = self.after(head);
        if self.sole_consumer {
            self.head.0.store(after, Release);
            return Ok(head);
        }
        self.head.0.compare_exchange_weak(head, after, SeqCst, Relaxed)
    }

    /// Messages that a position has passed since the beginning; wraps with `usize`.
    fn passed(&self, position: usize) -> usize {
        (position / self.one_lap).wrapping_mul(self.capacity).wrapping_add(self.index(position))
    }

    /// Messages pushed so far.
    #[inline]
    pub(crate) fn pushed(&self) -> usize {
        self.passed(self.tail.0.load(SeqCst))
    }

    /// Messages popped so far.
    pub(crate) fn popped(&self) -> usize {
        self.passed(self.head.0.load(SeqCst))
    }
}

impl<M> Drop for Ring<M> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
        for block in &mut self.blocks {
            let block = block.load(Relaxed);
            if !block.is_null() {
                // SAFETY: made by `make_block`, and nobody uses the ring any more.
                drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(block, BLOCK)) });
            }
        }
    }
}
