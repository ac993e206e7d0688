// SPDX-License-Identifier: MIT OR Apache-2.0

//! The transport's own options.

use super::{Given, VsomeipConfiguration};
use crate::Overflow;
use std::path::PathBuf;
use std::time::Duration;
use up_rust::UUri;

/// How many threads run listeners.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeConfig {
    num_threads: u8,
}

impl RuntimeConfig {
    /// So many; 0 is taken as 1.
    pub fn new(num_threads: u8) -> Self {
        RuntimeConfig { num_threads: num_threads.max(1) }
    }

    pub(crate) fn threads(self) -> usize {
        usize::from(self.num_threads)
    }
}

/// Four. A listener belongs to one of them: where it blocks, those on the same thread wait.
impl Default for RuntimeConfig {
    fn default() -> Self {
        RuntimeConfig { num_threads: 4 }
    }
}

/// Everything about a transport that has a default.
///
/// ```
/// # use ringback_vsomeip::{Options, Overflow};
/// # use std::time::Duration;
/// let options = Options::default()
///     .mailbox(1024, Overflow::Block(Duration::from_millis(20)))
///     .max_listeners(5_000)
///     .check_source(true);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(crate) configuration: Given,
    pub(crate) runtime: RuntimeConfig,
    pub(crate) capacity: usize,
    pub(crate) overflow: Overflow,
    pub(crate) max_listeners: usize,
    pub(crate) max_listeners_per_filter: usize,
    pub(crate) max_requests: usize,
    pub(crate) request_ttl: Duration,
    pub(crate) start_timeout: Duration,
    pub(crate) first_send_wait: Duration,
    pub(crate) first_send_subscribers: usize,
    pub(crate) availability_wait: Duration,
    pub(crate) reliable: bool,
    pub(crate) check_source: bool,
    pub(crate) offer_any_version: bool,
    pub(crate) topics: Vec<UUri>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            configuration: Given::Nothing,
            runtime: RuntimeConfig::default(),
            capacity: 16_384,
            overflow: Overflow::DropNewest,
            max_listeners: 10_000,
            max_listeners_per_filter: 256,
            max_requests: 32_768,
            request_ttl: Duration::from_secs(10),
            start_timeout: Duration::from_secs(5),
            first_send_wait: Duration::from_millis(200),
            first_send_subscribers: usize::MAX,
            availability_wait: Duration::from_millis(500),
            reliable: true,
            check_source: false,
            offer_any_version: false,
            topics: Vec::new(),
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        impl Options {$(
            $(#[$doc])*
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = $name;
                self
            }
        )*}
    };
}

setters! {
    /// The threads that run listeners; 4 unless told.
    runtime: RuntimeConfig;
    /// How many listeners may be registered; 10,000 unless told. More: RESOURCE_EXHAUSTED.
    max_listeners: usize;
    /// How many of them with the same filter; 256 unless told.
    max_listeners_per_filter: usize;
    /// How many requests may wait for their responses, on either side; 32,768 unless told, and never
    /// more than 65,535, after which SOME/IP's session ids repeat.
    max_requests: usize;
    /// The time to live of requests that come from the network, since SOME/IP has none; 10 s.
    request_ttl: Duration;
    /// How long a new transport waits for the routing manager; 5 s.
    start_timeout: Duration;
    /// How long after its service was offered the first message of a topic goes out, so that
    /// subscribers that are there already get it; 200 ms.
    ///
    /// vsomeip tells who has subscribed, and nobody who is about to: how many subscribers there are,
    /// and whether one is slow, cannot be known. On one machine it takes them some milliseconds; from
    /// other machines as long as service discovery does (vsomeip's `initial_delay_max` and a repetition
    /// or two, some seconds unless told). A topic that is declared in advance has waited by the time it
    /// is needed.
    first_send_wait: Duration;
    /// How many subscribers the first message of a topic waits for, where that is known: once so many
    /// are attached it waits no longer. Unless told it waits for the whole time.
    /// [`subscribers`](crate::UPTransportVsomeip::subscribers) says what is counted.
    first_send_subscribers: usize;
    /// How long a request waits, at most, for its service to appear; 500 ms, then UNAVAILABLE.
    availability_wait: Duration;
    /// Whether requests leave the machine by TCP (the default) or by UDP.
    reliable: bool;
    /// Whether a message whose source is another uEntity than the transport's is refused with
    /// PERMISSION_DENIED, as the specification asks of everybody but streamers. Off unless told,
    /// since one transport then serves several uEntities.
    check_source: bool;
    /// Whether topics are offered with "any version" (FF) instead of their own, for subscribers that
    /// use the crate `up-transport-vsomeip` 0.6: those never see a topic that has a version. Others
    /// may then not see it. Off unless told.
    offer_any_version: bool;
    /// Topics that are offered from the start, so that the time in which a first message waits for
    /// subscribers (`first_send_wait`) begins at the start.
    topics: Vec<UUri>;
}

impl Options {
    /// The mailbox of each listener: how many messages may wait, at most 16,777,216, and what happens
    /// then; 16,384 and [`Overflow::DropNewest`] unless told.
    pub fn mailbox(mut self, capacity: usize, overflow: Overflow) -> Self {
        self.capacity = capacity.min(1 << 24);
        self.overflow = overflow;
        self
    }

    /// vsomeip's JSON configuration: a file, or a folder of them.
    pub fn configuration(mut self, file: impl Into<PathBuf>) -> Self {
        self.configuration = Given::Files(file.into());
        self
    }

    /// A configuration that is built in code, in place of a file.
    pub fn configuration_in_code(mut self, configuration: VsomeipConfiguration) -> Self {
        self.configuration = Given::Built(configuration);
        self
    }
}
