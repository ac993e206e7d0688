// SPDX-License-Identifier: MIT OR Apache-2.0

//! What vsomeip's dispatcher does with a message: map it, tie it to its request, queue it with every
//! listener that wants it. It runs no listener, waits for nothing but a mailbox that is set up so,
//! and holds no lock while it does.

use crate::mapping::{self, Identity};
use crate::requests::{Found, Received, Sent};
use crate::routing::{Entry, Kind, Table};
use crate::vsomeip::{Application, Error, Header, Message, MessageType, ReturnCode, after, lock};
use bytes::Bytes;
use smallvec::SmallVec;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use up_rust::{UAttributes, UCode, UMessage, UUID};

/// What became of messages; see [`Stats`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) received: AtomicU64,
    pub(crate) unmatched: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) ignored: AtomicU64,
    pub(crate) expired: AtomicU64,
    /// Counted where listeners are called.
    pub(crate) panicked: Arc<AtomicU64>,
}

/// What became of the messages of a transport so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages that vsomeip handed over.
    pub received: u64,
    /// .. that no listener wanted. A request among them was answered with E_UNKNOWN_METHOD.
    pub unmatched: u64,
    /// Deliveries that found a listener's mailbox full, or closing; and requests beyond
    /// [`Options::max_requests`](crate::Options::max_requests).
    pub rejected: u64,
    /// Responses that nobody waited for, or not any more.
    pub late_responses: u64,
    /// Messages of a type that uProtocol does not have.
    pub ignored: u64,
    /// Requests whose time to live ended without a response.
    pub expired_requests: u64,
    /// Calls of listeners that panicked.
    pub panicked: u64,
}

pub(crate) struct Core {
    pub(crate) identity: Identity,
    pub(crate) table: Table,
    pub(crate) sent: Mutex<Sent<Option<Bytes>>>,
    pub(crate) received: Mutex<Received>,
    pub(crate) request_ttl: Duration,
    /// How long one message may wait for room in mailboxes, all of them together; `None` where the
    /// policy waits for nothing.
    pub(crate) hold: Option<Duration>,
    pub(crate) counters: Counters,
    pub(crate) alarm: Alarm,
    pub(crate) application: Weak<Application>,
}

/// When requests are looked through next. Most end later than that, or are answered before, and
/// then nobody is woken for them.
pub(crate) struct Alarm {
    start: Instant,
    /// Nanoseconds after the start.
    set_for: AtomicU64,
    sooner: Notify,
}

/// The longest sleep of whoever keeps the time.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Alarm {
    pub(crate) fn new() -> Self {
        Alarm { start: Instant::now(), set_for: AtomicU64::new(0), sooner: Notify::new() }
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_nanos() as u64
    }

    /// A request ends then: wakes the keeper if that is before it wakes by itself.
    pub(crate) fn no_later_than(&self, until: Instant) {
        if self.nanoseconds(until) < self.set_for.load(SeqCst) {
            self.sooner.notify_one();
        }
    }

    /// Sleeps until then, or until told otherwise. `next` is asked once the alarm is set: a request
    /// that came before is seen there, and one that comes after sees the alarm.
    async fn sleep(&self, next: impl FnOnce() -> Option<Instant>) {
        let latest = Instant::now() + LOOK_EVERY;
        self.set_for.store(self.nanoseconds(latest), SeqCst);
        let until = next().map_or(latest, |next| next.min(latest));
        self.set_for.store(self.nanoseconds(until), SeqCst);
        let _ = tokio::time::timeout_at(until.into(), self.sooner.notified()).await;
    }
}

type Matches = SmallVec<[Arc<Entry>; 4]>;

/// A listener that several of its filters match gets the message once.
fn add(matches: &mut Matches, entry: Arc<Entry>) {
    if !matches.iter().any(|other| other.is_same_listener(&entry)) {
        matches.push(entry);
    }
}

impl Core {
    pub(crate) fn on_message(&self, message: &Message<'_>) {
        self.counters.received.fetch_add(1, Relaxed);
        let header = message.header();
        match MessageType::from_wire(header.message_type) {
            Some(MessageType::Notification) => self.on_event(&header, message.payload()),
            Some(MessageType::Request) => self.on_request(header, message.payload()),
            Some(MessageType::Response | MessageType::Error) => {
                self.on_response(&header, message.payload());
            }
            Some(MessageType::RequestNoReturn) | None => {
                self.counters.ignored.fetch_add(1, Relaxed);
                log::debug!("ignored: {header:?}");
            }
        }
    }

    fn on_event(&self, header: &Header, payload: Bytes) {
        let published = mapping::event(&self.identity, header, payload);
        let mut notification = None;
        let (mut publish, mut notify) = (Matches::new(), Matches::new());
        for entry in self.table.candidates(header.service, header.method) {
            match entry.filter.kind() {
                Kind::Events if self.matches(&entry, &published.attributes) => {
                    add(&mut publish, entry);
                }
                // The wire does not tell a Notification from a Publish. A filter that names the
                // event and has a sink asks for the former.
                Kind::Answers if entry.filter.exact().is_some() => {
                    let message = notification
                        .get_or_insert_with(|| mapping::notification(&self.identity, &published));
                    if self.matches(&entry, &message.attributes) {
                        add(&mut notify, entry);
                    }
                }
                _ => {}
            }
        }
        // One that asks for both gets it once.
        publish.retain(|entry| !notify.iter().any(|other| other.is_same_listener(entry)));
        if publish.is_empty() && notify.is_empty() {
            self.counters.unmatched.fetch_add(1, Relaxed);
        }
        let until = self.until();
        if let Some(message) = notification {
            self.push_all(&notify, message, until);
        }
        self.push_all(&publish, published, until);
    }

    fn on_request(&self, header: Header, payload: Bytes) {
        let ttl = u32::try_from(self.request_ttl.as_millis()).unwrap_or(u32::MAX).max(1);
        let message = mapping::request(&self.identity, &header, ttl, payload);
        let matches = self.matching(header.service, header.method, &message);
        if matches.is_empty() {
            self.counters.unmatched.fetch_add(1, Relaxed);
            // Only where the version is all that is wrong.
            let other_version =
                self.table.candidates(header.service, header.method).iter().any(|entry| {
                    let local = &self.identity.local.authority_name;
                    entry.filter.but_for_version().matches(&message.attributes, local)
                });
            let code = if other_version {
                ReturnCode::WrongInterfaceVersion
            } else {
                ReturnCode::UnknownMethod
            };
            self.refuse(&header, code);
            return;
        }
        let id: UUID = message.attributes.id.clone().unwrap_or_default();
        let until = after(Instant::now(), self.request_ttl);
        let kept = lock(&self.received).insert(&id, header, until);
        if !kept {
            self.counters.rejected.fetch_add(1, Relaxed);
            self.refuse(&header, ReturnCode::NotReady);
            return;
        }
        self.alarm.no_later_than(until);
        // Where nobody had room for it, the client learns that now and not by a time-out.
        if self.push_all(&matches, message, self.until()) == 0
            && lock(&self.received).take(&id).is_ok()
        {
            self.refuse(&header, ReturnCode::NotReady);
        }
    }

    fn on_response(&self, header: &Header, payload: Bytes) {
        let id = u32::from(header.client) << 16 | u32::from(header.session);
        let payload = (!payload.is_empty()).then_some(payload);
        let found = lock(&self.sent).response(id, (mapping::ucode(header.return_code), payload));
        match found {
            Found::Answer(request, (code, payload)) => {
                self.answer(*request, code, payload, self.until());
            }
            Found::Parked | Found::Nobody => {}
        }
    }

    /// Delivers the response to a request of ours; see [`until`](Self::until).
    pub(crate) fn answer(
        &self,
        request: UAttributes,
        code: UCode,
        payload: Option<Bytes>,
        until: Option<Instant>,
    ) {
        let message = mapping::response(request, code, payload);
        let source = message.attributes.source.get_or_default();
        let (service, _) = mapping::service_of(source.ue_id);
        let matches = self.matching(service, source.resource_id as u16, &message);
        if matches.is_empty() {
            self.counters.unmatched.fetch_add(1, Relaxed);
        }
        self.push_all(&matches, message, until);
    }

    fn matches(&self, entry: &Entry, attributes: &UAttributes) -> bool {
        entry.filter.matches(attributes, &self.identity.local.authority_name)
    }

    fn matching(&self, service: u16, method: u16, message: &UMessage) -> Matches {
        let mut matches = Matches::new();
        for entry in self.table.candidates(service, method) {
            if self.matches(&entry, &message.attributes) {
                add(&mut matches, entry);
            }
        }
        matches
    }

    /// When a message that came now waits no longer for room.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.hold.map(|hold| after(Instant::now(), hold))
    }

    /// Queues the message with each of them; answers how many had room.
    fn push_all(&self, to: &[Arc<Entry>], message: UMessage, until: Option<Instant>) -> usize {
        let Some((last, others)) = to.split_last() else { return 0 };
        let room = |entry: &&Arc<Entry>| self.push(entry, message.clone(), until);
        let pushed = others.iter().filter(room).count();
        pushed + usize::from(self.push(last, message, until))
    }

    fn push(&self, entry: &Entry, mut message: UMessage, until: Option<Instant>) -> bool {
        // A listener that names the local authority hears of the other side by that name.
        if let Some(wanted) = &entry.filter.source.authority
            && let Some(source) = message.attributes.as_mut().and_then(|a| a.source.as_mut())
            && source.authority_name != *wanted
        {
            source.authority_name.clone_from(wanted);
        }
        let pushed = entry.push(message, until);
        if !pushed {
            self.counters.rejected.fetch_add(1, Relaxed);
        }
        pushed
    }

    /// Answers a request with an error, from here.
    fn refuse(&self, request: &Header, code: ReturnCode) {
        let Some(application) = self.application.upgrade() else { return };
        let response =
            Header { message_type: MessageType::Error as u8, return_code: code as u8, ..*request };
        match application.send(&response, &[]) {
            Ok(_) | Err(Error::Stopped(_)) => {}
            Err(error) => log::warn!("refusing {request:?}: {error}"),
        }
    }

    /// The next moment at which a request is over.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let sent = lock(&self.sent).next();
        let received = lock(&self.received).next();
        sent.into_iter().chain(received).min()
    }

    /// Ends the requests whose time is over: ours are answered with DEADLINE_EXCEEDED, those of
    /// others with E_TIMEOUT.
    pub(crate) fn expire(&self, now: Instant) {
        let sent = lock(&self.sent).expired(now);
        let until = self.until(); // however many they are
        for request in sent {
            self.counters.expired.fetch_add(1, Relaxed);
            self.answer(request, UCode::DEADLINE_EXCEEDED, None, until);
        }
        let received = lock(&self.received).expired(now);
        for request in received {
            self.counters.expired.fetch_add(1, Relaxed);
            self.refuse(&request, ReturnCode::Timeout);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let Counters { received, unmatched, rejected, ignored, expired, panicked } = &self.counters;
        Stats {
            received: received.load(Relaxed),
            unmatched: unmatched.load(Relaxed),
            rejected: rejected.load(Relaxed),
            late_responses: lock(&self.sent).late(),
            ignored: ignored.load(Relaxed),
            expired_requests: expired.load(Relaxed),
            panicked: panicked.load(Relaxed),
        }
    }
}

/// Ends requests in time, as long as the transport lives. In our runtime, whose one worker keeps the
/// listeners' time as well: where mailboxes are waited for, another thread does that.
pub(crate) async fn keep_time(core: Weak<Core>) {
    loop {
        let Some(strong) = core.upgrade() else { return };
        strong.alarm.sleep(|| strong.next_deadline()).await;
        let now = Instant::now();
        if strong.next_deadline().is_none_or(|next| next > now) {
            continue;
        }
        if strong.hold.is_none() {
            strong.expire(now);
        } else {
            let _ = tokio::task::spawn_blocking(move || strong.expire(now)).await;
        }
    }
}
