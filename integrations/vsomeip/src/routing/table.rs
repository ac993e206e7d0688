// SPDX-License-Identifier: MIT OR Apache-2.0

//! All listeners of a transport, by what they want.
//!
//! # State
//! Exact filters are found by service and method, the others are tried one by one. The lock is held
//! to look entries up and to change the table; never while a message is queued, nor while a listener
//! runs or is dropped.

use super::{Entry, Filter};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use up_rust::{UCode, UListener, UStatus};

/// How many listeners there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) listeners: usize,
    pub(crate) listeners_per_filter: usize,
}

type Few<T> = SmallVec<[T; 4]>;

#[derive(Default)]
struct Inner {
    exact: HashMap<(u16, u16), Vec<Arc<Entry>>>,
    rest: Vec<Arc<Entry>>,
    count: usize,
}

#[derive(Default)]
pub(crate) struct Table(RwLock<Inner>);

/// What became of a registration.
pub(crate) enum Registered<T> {
    /// It is new; the task delivers its messages.
    New(Arc<Entry>, T),
    /// The same listener has the same filter already.
    Already,
}

impl Inner {
    /// Where entries of this filter are, among others.
    fn of(&self, filter: &Filter) -> &[Arc<Entry>] {
        match filter.exact() {
            Some(key) => self.exact.get(&key).map_or(&[], Vec::as_slice),
            None => &self.rest,
        }
    }

    fn among(&mut self, filter: &Filter) -> &mut Vec<Arc<Entry>> {
        match filter.exact() {
            Some(key) => self.exact.entry(key).or_default(),
            None => &mut self.rest,
        }
    }
}

impl Table {
    /// Adds a listener unless it is there; `open` makes its entry and delivery.
    pub(crate) fn insert<T>(
        &self,
        filter: Filter,
        listener: Arc<dyn UListener>,
        limits: Limits,
        open: impl FnOnce(Filter, Arc<dyn UListener>) -> (Arc<Entry>, T),
    ) -> Result<Registered<T>, UStatus> {
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let count = inner.count;
        let same = inner.of(&filter).iter().filter(|entry| entry.filter == filter);
        let (mut of_filter, mut already) = (0, false);
        for entry in same {
            of_filter += 1;
            already |= entry.is(&listener);
        }
        if already {
            return Ok(Registered::Already);
        }
        let full = |what: &str, limit: usize, option: &str| {
            let text = format!(
                "{limit} listeners are registered {what}, which is the limit; unregister some, or raise \
                 Options::{option}"
            );
            Err(UStatus::fail_with_code(UCode::RESOURCE_EXHAUSTED, text))
        };
        if count >= limits.listeners {
            return full("with this transport", limits.listeners, "max_listeners");
        }
        if of_filter >= limits.listeners_per_filter {
            return full(
                "for this filter",
                limits.listeners_per_filter,
                "max_listeners_per_filter",
            );
        }
        let (entry, task) = open(filter, listener);
        inner.among(&entry.filter).push(Arc::clone(&entry));
        inner.count += 1;
        Ok(Registered::New(entry, task))
    }

    /// Takes a listener out.
    pub(crate) fn remove(
        &self,
        filter: &Filter,
        listener: &Arc<dyn UListener>,
    ) -> Option<Arc<Entry>> {
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let entries = inner.among(filter);
        let at = entries.iter().position(|entry| entry.filter == *filter && entry.is(listener));
        let entry = at.map(|at| entries.remove(at));
        // Not left behind, or the table would grow with every topic there ever was.
        if entries.is_empty()
            && let Some(key) = filter.exact()
        {
            inner.exact.remove(&key);
        }
        inner.count -= usize::from(entry.is_some());
        entry
    }

    /// Takes all of them out.
    pub(crate) fn clear(&self) -> Vec<Arc<Entry>> {
        let inner = std::mem::take(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner));
        inner.exact.into_values().flatten().chain(inner.rest).collect()
    }

    /// The entry of a listener.
    pub(crate) fn find(
        &self,
        filter: &Filter,
        listener: &Arc<dyn UListener>,
    ) -> Option<Arc<Entry>> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        inner.of(filter).iter().find(|entry| entry.filter == *filter && entry.is(listener)).cloned()
    }

    /// Who may want a message of this service and method; each filter has yet to be asked.
    pub(crate) fn candidates(&self, service: u16, method: u16) -> Few<Arc<Entry>> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let exact = inner.exact.get(&(service, method)).map_or(&[][..], Vec::as_slice);
        exact.iter().chain(&inner.rest).cloned().collect()
    }
}
