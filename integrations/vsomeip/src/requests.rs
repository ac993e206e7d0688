// SPDX-License-Identifier: MIT OR Apache-2.0

//! The two caches that tie responses to requests. Pure: the clock is an argument.
//!
//! *Sent*: requests of this uEntity, by the request id that vsomeip gave them. vsomeip tells the id
//! only when `send` returns, and a response can be faster: while a `send` is under way, a response
//! that nobody asked for yet is therefore *parked*, and found when its request is entered. So no lock
//! is held while vsomeip sends.
//!
//! *Received*: requests of others, by the uProtocol id they got here.

use crate::vsomeip::Header;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;
use up_rust::{UAttributes, UCode, UStatus, UUID};

/// A SOME/IP request id, or the bits of a uProtocol one.
type Id = u128;

fn id_of(id: &UUID) -> Id {
    Id::from(id.msb) << 64 | Id::from(id.lsb)
}

/// Session ids repeat after so many requests: a limit above that would be none.
const MOST: usize = 0xFFFF;

/// Entries that are over at some time.
struct Expiring<V> {
    entries: HashMap<Id, (V, Instant)>,
    by_time: BTreeSet<(Instant, Id)>,
}

impl<V> Default for Expiring<V> {
    fn default() -> Self {
        Expiring { entries: HashMap::new(), by_time: BTreeSet::new() }
    }
}

impl<V> Expiring<V> {
    /// Answers what was there.
    fn insert(&mut self, id: Id, value: V, until: Instant) -> Option<V> {
        let old = self.remove(id);
        self.by_time.insert((until, id));
        self.entries.insert(id, (value, until));
        old
    }

    fn remove(&mut self, id: Id) -> Option<V> {
        let (value, until) = self.entries.remove(&id)?;
        self.by_time.remove(&(until, id));
        Some(value)
    }

    fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(until, _)| *until)
    }

    fn expired(&mut self, now: Instant) -> Vec<V> {
        let mut expired = Vec::new();
        while let Some(&(until, id)) = self.by_time.first()
            && until <= now
        {
            expired.extend(self.remove(id));
        }
        expired
    }
}

/// A response as it came: status and payload.
pub(crate) type Answer<P> = (UCode, P);

/// Requests of this uEntity that wait for their responses.
pub(crate) struct Sent<P> {
    waiting: Expiring<UAttributes>,
    /// `send` calls under way.
    sending: usize,
    /// `send` calls that have begun so far.
    begun: u64,
    /// The oldest first.
    parked: VecDeque<Parked<P>>,
    /// Responses that nobody waited for.
    late: u64,
    limit: usize,
}

/// A response that came while something was being sent.
struct Parked<P> {
    id: u32,
    /// How many `send` calls had begun when it came. It answers none that began later, though its
    /// session id may have come round to that.
    begun: u64,
    answer: Answer<P>,
}

/// A `send` that has begun, by its number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Begun(u64);

/// How many responses are parked beside those that are asked for.
const STRAYS: usize = 64;

/// What a response is.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<P> {
    /// The answer to the request with these attributes.
    Answer(Box<UAttributes>, Answer<P>),
    /// It may be the answer to a request that is being sent.
    Parked,
    /// Nobody waits for it: late, or never asked for.
    Nobody,
}

impl<P> Sent<P> {
    /// At most `limit` requests wait at a time, and never more than [`MOST`].
    pub(crate) fn new(limit: usize) -> Self {
        Sent {
            waiting: Expiring::default(),
            sending: 0,
            begun: 0,
            parked: VecDeque::new(),
            late: 0,
            limit: limit.min(MOST),
        }
    }

    /// Before sending; [`Self::sent`] or [`Self::not_sent`] must follow.
    pub(crate) fn begin(&mut self) -> Result<Begun, UStatus> {
        if self.waiting.entries.len() + self.sending >= self.limit {
            let text = format!(
                "{} requests wait for their responses, the limit; send fewer at a time, or raise \
                 Options::max_requests",
                self.limit
            );
            return Err(UStatus::fail_with_code(UCode::RESOURCE_EXHAUSTED, text));
        }
        self.sending += 1;
        self.begun += 1;
        Ok(Begun(self.begun))
    }

    /// After sending. Answers the response, if it was faster, and a request whose id came round again
    /// while it still waited.
    #[allow(clippy::type_complexity)] // two options, taken apart at once
    pub(crate) fn sent(
        &mut self,
        begun: Begun,
        id: u32,
        request: UAttributes,
        until: Instant,
    ) -> (Option<(UAttributes, Answer<P>)>, Option<UAttributes>) {
        let parked = self.parked.iter().position(|it| it.id == id && it.begun >= begun.0);
        let result = match parked.and_then(|at| self.parked.remove(at)) {
            Some(Parked { answer, .. }) => {
                (Some((request, answer)), self.waiting.remove(id.into()))
            }
            None => (None, self.waiting.insert(id.into(), request, until)),
        };
        self.not_sent();
        result
    }

    /// Sending failed, or is over.
    pub(crate) fn not_sent(&mut self) {
        self.sending -= 1;
        if self.sending == 0 {
            self.late += self.parked.len() as u64; // nobody is left who could have asked
            self.parked.clear();
        }
    }

    /// A response came.
    pub(crate) fn response(&mut self, id: u32, answer: Answer<P>) -> Found<P> {
        if let Some(request) = self.waiting.remove(id.into()) {
            return Found::Answer(Box::new(request), answer);
        }
        if self.sending == 0 {
            self.late += 1;
            return Found::Nobody;
        }
        // Bounded by what can be asked for: one response per request that is being sent, and a few
        // strays. A response that is asked for comes last: the oldest is a stray.
        if self.parked.len() >= self.sending + STRAYS && self.parked.pop_front().is_some() {
            self.late += 1;
        }
        self.parked.push_back(Parked { id, begun: self.begun, answer });
        Found::Parked
    }

    /// How many responses nobody waited for so far.
    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.next()
    }

    /// Requests whose time to live is over: their responses will be ignored.
    pub(crate) fn expired(&mut self, now: Instant) -> Vec<UAttributes> {
        self.waiting.expired(now)
    }
}

/// Requests of others that wait to be answered here: their headers, by uProtocol id.
pub(crate) struct Received {
    waiting: Expiring<Header>,
    limit: usize,
}

impl Received {
    /// Keeps at most `limit` requests, with the same cap as [`Sent::new`].
    pub(crate) fn new(limit: usize) -> Self {
        Received { waiting: Expiring::default(), limit: limit.min(MOST) }
    }

    /// Keeps a request; `false` where there are too many.
    pub(crate) fn insert(&mut self, id: &UUID, request: Header, until: Instant) -> bool {
        let room = self.waiting.entries.len() < self.limit;
        if room {
            self.waiting.insert(id_of(id), request, until);
        }
        room
    }

    /// The request that a response answers; it can be answered once.
    pub(crate) fn take(&mut self, id: &UUID) -> Result<Header, UStatus> {
        self.waiting.remove(id_of(id)).ok_or_else(|| {
            let text =
                "no request with this id waits for a response: answered, expired, or unknown";
            UStatus::fail_with_code(UCode::NOT_FOUND, text)
        })
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.next()
    }

    pub(crate) fn expired(&mut self, now: Instant) -> Vec<Header> {
        self.waiting.expired(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request() -> UAttributes {
        UAttributes { id: protobuf::MessageField::some(UUID::build()), ..UAttributes::default() }
    }

    fn later(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_response_finds_its_request_once() {
        let mut sent = Sent::new(10);
        let mine = request();
        let begun = sent.begin().unwrap();
        assert_eq!(sent.sent(begun, 7, mine.clone(), later(1000)), (None, None));
        assert_eq!(sent.response(7, (UCode::OK, 1)), Found::Answer(Box::new(mine), (UCode::OK, 1)));
        assert_eq!(sent.response(7, (UCode::OK, 1)), Found::Nobody);
    }

    #[test]
    fn a_response_may_be_faster_than_send() {
        let mut sent = Sent::new(10);
        let (mine, other) = (request(), request());
        let (first, second) = (sent.begin().unwrap(), sent.begin().unwrap());
        assert_eq!(sent.response(7, (UCode::OK, 1)), Found::Parked);
        assert_eq!(sent.sent(second, 8, other, later(1000)), (None, None));
        let answered = (Some((mine.clone(), (UCode::OK, 1))), None);
        assert_eq!(sent.sent(first, 7, mine, later(1000)), answered);
        assert_eq!(sent.response(9, (UCode::OK, 1)), Found::Nobody, "nothing is being sent");
        assert!(sent.parked.is_empty());
    }

    #[test]
    fn responses_that_nobody_waited_for_are_counted_and_hide_no_other() {
        let mut sent = Sent::new(10);
        assert_eq!(sent.response(1, (UCode::OK, 0)), Found::Nobody);
        assert_eq!(sent.late(), 1);
        let begun = sent.begin().unwrap();
        sent.begin().unwrap();
        for stray in 100..200 {
            assert_eq!(sent.response(stray, (UCode::OK, 0)), Found::Parked);
        }
        assert_eq!(sent.response(7, (UCode::OK, 1)), Found::Parked);
        let mine = request();
        let answered = (Some((mine.clone(), (UCode::OK, 1))), None);
        assert_eq!(sent.sent(begun, 7, mine, later(1000)), answered);
        assert_eq!(sent.late() as usize, 1 + 101 - 2 - STRAYS, "those that there was no room for");
        sent.not_sent();
        assert_eq!(sent.late(), 101, "and in the end all of them");
    }

    #[test]
    fn a_late_response_is_not_the_answer_to_a_later_request_of_the_same_id() {
        let mut sent = Sent::new(10);
        let mine = request();
        sent.begin().unwrap(); // somebody is always sending
        assert_eq!(sent.response(7, (UCode::OK, "late")), Found::Parked);
        let begun = sent.begin().unwrap();
        assert_eq!(sent.response(8, (UCode::OK, "of another")), Found::Parked);
        assert_eq!(sent.sent(begun, 7, mine.clone(), later(1000)), (None, None));
        let answer = (UCode::OK, "in time");
        assert_eq!(sent.response(7, answer), Found::Answer(Box::new(mine), answer));
        sent.not_sent();
        assert_eq!(sent.late(), 2);
    }

    #[test]
    fn requests_expire_in_order_and_their_responses_are_ignored() {
        let mut sent = Sent::<()>::new(10);
        let (first, second) = (request(), request());
        let now = Instant::now();
        for (id, request, after) in [(1, &second, 20), (2, &first, 10)] {
            let begun = sent.begin().unwrap();
            sent.sent(begun, id, request.clone(), now + Duration::from_millis(after));
        }
        assert_eq!(sent.next(), Some(now + Duration::from_millis(10)));
        assert_eq!(sent.expired(now + Duration::from_millis(20)), [first, second]);
        assert_eq!(sent.response(1, (UCode::OK, ())), Found::Nobody);
        assert_eq!(sent.next(), None);
    }

    #[test]
    fn session_ids_come_round() {
        let mut sent = Sent::<()>::new(usize::MAX);
        let old = request();
        let begun = sent.begin().unwrap();
        sent.sent(begun, 1, old.clone(), later(1000));
        for id in 0..200_000_u32 {
            let begun = sent.begin().unwrap();
            let id = id % 0xFFFF + 1;
            let (_, displaced) = sent.sent(begun, id, request(), later(1000));
            assert_eq!(
                displaced,
                (id == 1 && displaced.as_ref() == Some(&old)).then(|| old.clone())
            );
            assert!(matches!(sent.response(id, (UCode::OK, ())), Found::Answer(..)));
        }
        assert!(sent.waiting.entries.is_empty() && sent.waiting.by_time.is_empty());
    }

    #[test]
    fn too_many_are_refused() {
        let mut sent = Sent::<()>::new(1);
        sent.begin().unwrap();
        let error = sent.begin().unwrap_err();
        assert_eq!(error.get_code(), UCode::RESOURCE_EXHAUSTED);
        assert!(error.get_message().contains("raise Options::max_requests"), "{error}");
        sent.not_sent();
        sent.begin().unwrap();
        let mut received = Received::new(1);
        assert!(received.insert(&UUID::build(), Header::default(), later(1)));
        assert!(!received.insert(&UUID::build(), Header::default(), later(1)));
        let mut received = Received::new(usize::MAX);
        let insert = |_: &usize| received.insert(&UUID::build(), Header::default(), later(1));
        assert_eq!((0..0x1_0001).take_while(insert).count(), 0xFFFF);
    }

    #[test]
    fn a_request_is_answered_once() {
        let mut received = Received::new(10);
        let id = UUID::build();
        let header = Header { client: 3, session: 4, ..Header::default() };
        assert!(received.insert(&id, header, later(1000)));
        assert_eq!(received.take(&id).unwrap(), header);
        assert_eq!(received.take(&id).unwrap_err().get_code(), UCode::NOT_FOUND);
    }
}
