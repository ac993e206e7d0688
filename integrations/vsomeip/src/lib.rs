// SPDX-License-Identifier: MIT OR Apache-2.0

//! uProtocol on [COVESA vsomeip](https://github.com/COVESA/vsomeip), that is SOME/IP: an
//! [`up_rust::UTransport`] that keeps order, bounds every queue, and frees nothing too early.
//!
//! It has the public surface of the crate `up-transport-vsomeip` 0.6: rename the dependency and
//! build.
//!
//! ```toml
//! up-transport-vsomeip = { package = "ringback-vsomeip", path = "../ringback/integrations/vsomeip" }
//! ```
//!
//! # Which thread runs what
//! vsomeip's one dispatcher maps a message and queues it in the mailbox of each listener that wants
//! it. Listeners run on a runtime of the transport's own, one message at a time and in order for each
//! filter that they are registered with; they are dropped there, too. The public functions may be
//! awaited on any executor.
//!
//! # Promises
//! * Messages of one sender reach a listener in the order in which they were sent, by each filter that it is
//!   registered with.
//! * When `unregister_listener` has returned, no call of that listener begins. The [`Ending`] that
//!   [`UPTransportVsomeip::retire_listener`] gives proves when the last one is over and the listener
//!   is dropped.
//! * A message never reaches a listener whose filters it does not match. A new listener with the
//!   same filters may get messages that were queued in vsomeip before it came.
//! * A panic in a listener ends that message and nothing else.
//! * When a transport has ended, vsomeip has none of its handlers any more.
//! * Nothing here panics; what is wrong comes back as a status that says the remedy.

mod config;
mod core;
mod mapping;
pub mod raw;
mod requests;
mod routing;
mod running;
mod topics;
mod transport;
pub mod vsomeip;

pub use self::config::{Options, RuntimeConfig, VsomeipApplicationConfig, VsomeipConfiguration};
pub use self::core::Stats;
pub use self::routing::Overflow;
pub use self::vsomeip::{Ending, NotQuiet, Quiet};
pub use ringback::Counts;

use self::config::{Applications, Given};
use self::core::{Core, Counters};
use self::mapping::Identity;
use self::requests::{Received, Sent};
use self::routing::{Lanes, Limits, Table};
use self::running::{OwnRuntime, Running};
use self::topics::Topics;
use self::transport::{event_of, status};
use self::vsomeip::{ANY, Application, Configuration, Target, UNSET};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use up_rust::{UCode, UStatus, UUID, UUri};

/// A `UUri`'s authority name.
pub type AuthorityName = String;
/// A `UUri`'s `ue_id`.
pub type UeId = u32;
/// A vsomeip application's number.
pub type ClientId = u16;
/// A vsomeip application's name.
pub type ApplicationName = String;
/// The id of a uProtocol request.
pub type UProtocolReqId = UUID;
/// The id of a SOME/IP request: client id above, session id below.
pub type SomeIpRequestId = u32;
/// A SOME/IP session id.
pub type SessionId = u16;
/// A SOME/IP service id.
pub type ServiceId = u16;
/// A SOME/IP instance id.
pub type InstanceId = u16;
/// A SOME/IP method id.
pub type MethodId = u16;
/// A SOME/IP event id.
pub type EventId = u16;

/// uProtocol over vsomeip. Dropping it ends the vsomeip application and all listeners, and waits for
/// both: until vsomeip has let go of the last handler, and up to two seconds for listeners that run.
/// Within one of its own listeners it does so in the background.
pub struct UPTransportVsomeip {
    core: Arc<Core>,
    /// Held while a listener comes or goes: the table and what vsomeip is asked for change together.
    changes: Mutex<()>,
    /// Until it is dropped.
    running: Option<Running>,
    options: Options,
    overflow: Overflow,
    limits: Limits,
    /// Services and instances in the configuration.
    services: Vec<(ServiceId, InstanceId)>,
    /// Of a source whose authority SOME/IP does not carry.
    told: Once,
}

impl UPTransportVsomeip {
    /// A transport with a vsomeip configuration, a file or a folder of them, whose first application it
    /// is.
    ///
    /// `uri` is the uEntity's address, with resource 0; `remote_authority_name` that of messages from
    /// the SOME/IP network.
    ///
    /// # Errors
    /// NOT_FOUND or INVALID_ARGUMENT for the configuration, INVALID_ARGUMENT for the name, the address or a
    /// topic, ALREADY_EXISTS where this process has an application of that name, or this machine one of
    /// that client id in the same network, FAILED_PRECONDITION where vsomeip refuses the configuration,
    /// UNAVAILABLE without a routing manager, INTERNAL where vsomeip cannot be loaded or threads are
    /// lacking.
    pub fn new_with_config(
        uri: UUri,
        remote_authority_name: &AuthorityName,
        config_path: &Path,
        runtime_config: Option<RuntimeConfig>,
    ) -> Result<Self, UStatus> {
        let options = Options::default()
            .configuration(config_path)
            .runtime(runtime_config.unwrap_or_default());
        let given = Applications::read(config_path)?;
        let application = given.first()?;
        given.warn_of(&application.name);
        Self::open(application, uri, remote_authority_name, options)
    }

    /// A transport with a configuration generated from the application's name and id, for one
    /// machine. A configuration that vsomeip finds by itself (`VSOMEIP_CONFIGURATION`,
    /// `./vsomeip.json`) goes before it, and so does that of the first application of this process,
    /// since vsomeip reads one configuration per process. Where another one is in force than a transport
    /// was given, or it does not name the application, that is logged as a warning.
    ///
    /// # Errors
    /// As [`new_with_config`](Self::new_with_config).
    pub fn new(
        vsomeip_application_config: VsomeipApplicationConfig,
        uri: UUri,
        remote_authority_name: &AuthorityName,
        runtime_config: Option<RuntimeConfig>,
    ) -> Result<Self, UStatus> {
        let options = Options::default().runtime(runtime_config.unwrap_or_default());
        Self::with_options(vsomeip_application_config, uri, remote_authority_name, options)
    }

    /// A transport with everything said.
    ///
    /// Blocks while the application registers with the routing manager, usually some ten
    /// milliseconds and at most [`Options::start_timeout`].
    ///
    /// # Errors
    /// As [`new_with_config`](Self::new_with_config).
    pub fn with_options(
        application: VsomeipApplicationConfig,
        uri: UUri,
        remote_authority_name: &str,
        options: Options,
    ) -> Result<Self, UStatus> {
        options.configuration.check(&application.name)?;
        Self::open(application, uri, remote_authority_name, options)
    }

    /// .. whose configuration has been read.
    fn open(
        application: VsomeipApplicationConfig,
        uri: UUri,
        remote_authority_name: &str,
        options: Options,
    ) -> Result<Self, UStatus> {
        let invalid = |text: String| status(UCode::INVALID_ARGUMENT, text);
        if u8::try_from(uri.ue_version_major).is_err() {
            let text = "the transport's address: the major version must fit 8 bits";
            return Err(invalid(text.to_owned()));
        }
        uri.verify_rpc_response()
            .map_err(|error| invalid(format!("the transport's address: {error}")))?;
        let events = options.topics.iter().map(event_of).collect::<Result<Vec<_>, _>>()?;
        let (name, given) = (&application.name, &options.configuration);
        let place = given.place(&application).map_err(|error| {
            status(UCode::INTERNAL, format!("no file in memory for the configuration: {error}"))
        })?;
        let told = &application;
        let application = start(name, place.path(), options.start_timeout)?;
        let configuration = application.configuration();
        tell_what_is_in_force(configuration, told, given, place.path());
        let settings = configuration.settings(name).unwrap_or_default();
        let longest = settings.max_dispatch_time / 2;
        let (overflow, hold) = match options.overflow {
            Overflow::Block(time) => (Overflow::Block(time.min(longest)), Some(time.min(longest))),
            other => (other, None),
        };
        let limits = Limits {
            listeners: options.max_listeners,
            listeners_per_filter: options.max_listeners_per_filter,
        };
        let core = Arc::new(Core {
            identity: Identity { local: uri, remote_authority: remote_authority_name.to_owned() },
            table: Table::default(),
            sent: Mutex::new(Sent::new(options.max_requests)),
            received: Mutex::new(Received::new(options.max_requests)),
            request_ttl: options.request_ttl,
            hold,
            counters: Counters::default(),
            alarm: core::Alarm::new(),
            application: Arc::downgrade(&application),
        });
        let no_threads = |error| status(UCode::INTERNAL, format!("no threads: {error}"));
        let runtime = OwnRuntime::start(name).map_err(no_threads)?;
        let lanes = Lanes::start(options.runtime.threads(), name, runtime.handle());
        let lanes = lanes.map_err(no_threads)?;
        runtime.spawn(core::keep_time(Arc::downgrade(&core)));
        let weak = Arc::downgrade(&core);
        let every = Target { service: ANY, instance: ANY, method: ANY };
        let handler = application.on_message(every, move |message| {
            if let Some(core) = weak.upgrade() {
                core.on_message(message);
            }
        });
        let on_message = handler.map_err(|e| status(UCode::INTERNAL, e.to_string()))?;
        let (topics, services) = (Arc::default(), configuration.services());
        let transport = UPTransportVsomeip {
            core,
            changes: Mutex::default(),
            running: Some(Running { application, on_message, topics, lanes, runtime }),
            overflow,
            limits,
            services,
            options,
            told: Once::new(),
        };
        transport.declare(&events)?;
        Ok(transport)
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap_or_else(|| unreachable!())
    }

    fn application(&self) -> &Arc<Application> {
        &self.running().application
    }

    fn topics(&self) -> &Arc<Topics> {
        &self.running().topics
    }

    /// Ends the transport and waits for its end without blocking the executor. Not inside one of its own
    /// listeners, which would be waited for, and left behind: there, drop it.
    pub async fn shutdown(self) {
        let (done, ended) = tokio::sync::oneshot::channel();
        let spawned = vsomeip::spawn("vsomeip-end", move || {
            drop(self);
            let _ = done.send(());
        });
        if spawned.is_ok() {
            let _ = ended.await;
        }
    }
}

impl fmt::Debug for UPTransportVsomeip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("UPTransportVsomeip");
        shown.field("uri", &self.core.identity.local.to_uri(true));
        if let Some(running) = &self.running {
            shown.field("application", &running.application);
        }
        shown.finish_non_exhaustive()
    }
}

impl Drop for UPTransportVsomeip {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end(Arc::clone(&self.core));
        }
    }
}

fn start(name: &str, configuration: &Path, limit: Duration) -> Result<Arc<Application>, UStatus> {
    let application = Application::start(name, Some(configuration), limit).map_err(|error| {
        let code = match &error {
            vsomeip::Error::Name(_) => UCode::INVALID_ARGUMENT,
            vsomeip::Error::NameTaken(_) | vsomeip::Error::IdTaken { .. } => UCode::ALREADY_EXISTS,
            vsomeip::Error::NotRegistered { .. } => UCode::UNAVAILABLE,
            vsomeip::Error::Init(_) => UCode::FAILED_PRECONDITION,
            _ => UCode::INTERNAL,
        };
        status(code, error.to_string())
    })?;
    Ok(Arc::new(application))
}

/// Says where it is not the configuration that the user may think.
fn tell_what_is_in_force(
    in_force: &Configuration,
    application: &VsomeipApplicationConfig,
    given: &Given,
    place: &Path,
) {
    let name = &application.name;
    let other = !given.is_nothing() && !in_force.is(name, place);
    if other {
        log::warn!(
            "application {name:?} does not use {given}: the configuration of this process is {in_force}. \
             vsomeip reads one per process, that of the first application, and VSOMEIP_CONFIGURATION \
             and ./vsomeip.json go before it"
        );
    }
    let settings = in_force.settings(name);
    if let Some(id) = settings.as_ref().and_then(|settings| settings.id)
        && ![id, UNSET].contains(&application.id)
    {
        log::warn!(
            "application {name:?} has the id {id:#06x} in {in_force}, and not {:#06x} as it was told: \
             what the configuration says counts. Say the same in both",
            application.id
        );
    }
    match settings {
        None => log::warn!(
            "application {name:?} is not in this process's configuration, which is {in_force}. So \
             vsomeip chooses its id, and starts a second dispatcher where a handler is held up for \
             long, by which order is lost. Name it there, with its id and \"max_dispatchers\": \"0\""
        ),
        // What was given has been told of when it was read.
        Some(settings) if settings.max_dispatchers != 0 && (given.is_nothing() || other) => {
            log::warn!(
                "application {name:?} lacks \"max_dispatchers\": \"0\" in {in_force}. When a handler \
                 is held up for long, vsomeip then starts a second dispatcher, and order is lost"
            );
        }
        Some(_) => {}
    }
}
