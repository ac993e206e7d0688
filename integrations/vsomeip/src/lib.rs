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
//! it. Listeners run on a runtime of the transport's own, one message at a time and in order each;
//! they are dropped there, too. The public functions may be awaited on any executor.
//!
//! # Promises
//! * Messages of one sender reach a listener in the order in which they were sent.
//! * When `unregister_listener` has returned, no call of that listener begins. The [`Ending`] that
//!   [`UPTransportVsomeip::retire_listener`] gives proves when the last one is over and the listener
//!   is dropped.
//! * A message never reaches a listener whose filters it does not match. A new listener with the
//!   same filters may get messages that were queued in vsomeip before it came.
//! * A panic in a listener ends that message and nothing else.
//! * Nothing here panics; what is wrong comes back as a status that says the remedy.

mod config;
mod core;
mod mapping;
pub mod raw;
mod requests;
mod routing;
mod topics;
mod transport;
pub mod vsomeip;

pub use self::config::{Options, RuntimeConfig, VsomeipApplicationConfig, VsomeipConfiguration};
pub use self::core::Stats;
pub use self::routing::Overflow;
pub use self::vsomeip::{Ending, NotQuiet, Quiet};

use self::config::{File, ServiceConfig};
use self::core::{Core, Counters};
use self::mapping::Identity;
use self::requests::{Received, Sent};
use self::routing::{Lanes, Limits, Table};
use self::topics::Topics;
use self::transport::status;
use self::vsomeip::{ANY, Application, Handler, Target};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
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

/// vsomeip's own default for the time after which it takes a handler for stuck.
const MAX_DISPATCH_TIME: Duration = Duration::from_millis(100);
/// How long the end of a transport waits for listeners that run.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// uProtocol over vsomeip. Dropping it ends all its listeners and the vsomeip application, and waits
/// for both, up to two seconds for listeners; within one of its own listeners it does so in the
/// background.
pub struct UPTransportVsomeip {
    core: Arc<Core>,
    application: Option<Arc<Application>>,
    on_message: Option<Handler>,
    topics: Arc<Topics>,
    /// Keeps time and drives the tokio parts of listeners.
    runtime: Option<Runtime>,
    lanes: Option<Lanes>,
    options: Options,
    overflow: Overflow,
    limits: Limits,
    services: Vec<ServiceConfig>,
}

impl UPTransportVsomeip {
    /// A transport with a vsomeip configuration file, whose first application it is.
    ///
    /// `uri` is the uEntity's address, with resource 0; `remote_authority_name` that of messages from
    /// the SOME/IP network.
    ///
    /// # Errors
    /// NOT_FOUND or INVALID_ARGUMENT for the file, INVALID_ARGUMENT for the address, ALREADY_EXISTS
    /// where this process has an application of that name, UNAVAILABLE without a routing manager.
    pub fn new_with_config(
        uri: UUri,
        remote_authority_name: &AuthorityName,
        config_path: &Path,
        runtime_config: Option<RuntimeConfig>,
    ) -> Result<Self, UStatus> {
        let options = Options::default()
            .configuration(config_path)
            .runtime(runtime_config.unwrap_or_default());
        let application = File::read(config_path)?.application;
        Self::with_options(application, uri, remote_authority_name, options)
    }

    /// A transport with a configuration generated from the application's name and id, for one
    /// machine. A configuration that vsomeip finds by itself (`VSOMEIP_CONFIGURATION`,
    /// `./vsomeip.json`) goes before it.
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
        let invalid = |text: String| status(UCode::INVALID_ARGUMENT, text);
        if u8::try_from(uri.ue_version_major).is_err() {
            let text = "the transport's address: the major version must fit 8 bits";
            return Err(invalid(text.to_owned()));
        }
        uri.verify_rpc_response()
            .map_err(|error| invalid(format!("the transport's address: {error}")))?;
        let file = options.configuration.as_deref().map(File::read).transpose()?;
        // vsomeip goes by the environment first.
        let environment = std::env::var_os("VSOMEIP_CONFIGURATION").map(PathBuf::from);
        let in_force = match environment.filter(|path| path.is_file()).map(|path| File::read(&path))
        {
            Some(Err(error)) => {
                log::warn!("VSOMEIP_CONFIGURATION: {}", error.get_message());
                None
            }
            Some(Ok(file)) => file.max_dispatch_time,
            None => file.as_ref().and_then(|file| file.max_dispatch_time),
        };
        let dispatch_time = in_force.map_or(MAX_DISPATCH_TIME, Duration::from_millis);
        let overflow = match options.overflow {
            Overflow::Block(time) => Overflow::Block(time.min(dispatch_time / 2)),
            other => other,
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
            counters: Counters::default(),
            alarm: core::Alarm::new(),
            application: OnceLock::new(),
        });
        let no_threads = |error| status(UCode::INTERNAL, format!("no threads: {error}"));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("up-{}", application.name))
            .enable_all()
            .build()
            .map_err(no_threads)?;
        let threads = options.runtime.threads();
        let lanes =
            Lanes::start(threads, &application.name, runtime.handle()).map_err(no_threads)?;
        runtime.spawn(core::keep_time(Arc::downgrade(&core)));
        let mut transport = UPTransportVsomeip {
            core,
            application: None,
            on_message: None,
            topics: Arc::default(),
            runtime: Some(runtime),
            lanes: Some(lanes),
            overflow,
            limits,
            services: file.map(|file| file.services).unwrap_or_default(),
            options,
        };
        transport.start(&application)?;
        Ok(transport)
    }

    fn start(&mut self, config: &VsomeipApplicationConfig) -> Result<(), UStatus> {
        let generated = match &self.options.configuration {
            Some(_) => None,
            None => Some(VsomeipConfiguration::new(config).in_memory().map_err(|error| {
                status(UCode::INTERNAL, format!("no file in memory for the configuration: {error}"))
            })?),
        };
        let path = generated.as_ref().map(|memory| memory.path.as_path());
        let path = path.or(self.options.configuration.as_deref());
        let application = Application::start(&config.name, path, self.options.start_timeout)
            .map_err(|error| {
                let code = match &error {
                    vsomeip::Error::NameTaken(_) => UCode::ALREADY_EXISTS,
                    vsomeip::Error::NotRegistered { .. } => UCode::UNAVAILABLE,
                    vsomeip::Error::Init(_) => UCode::FAILED_PRECONDITION,
                    _ => UCode::INTERNAL,
                };
                status(code, error.to_string())
            })?;
        let application = Arc::new(application);
        // Set once, here.
        let _ = self.core.application.set(Arc::downgrade(&application));
        let core = Arc::downgrade(&self.core);
        let every = Target { service: ANY, instance: ANY, method: ANY };
        let handler = application.on_message(every, move |message| {
            if let Some(core) = core.upgrade() {
                core.on_message(message);
            }
        });
        self.on_message = Some(handler.map_err(|e| status(UCode::INTERNAL, e.to_string()))?);
        self.application = Some(application);
        let events: Result<Vec<_>, _> =
            self.options.topics.iter().map(mapping::target_of).collect();
        self.declare(events?)?;
        Ok(())
    }

    /// Both are there from the end of `with_options` until the transport is dropped.
    fn application(&self) -> &Arc<Application> {
        self.application.as_ref().unwrap_or_else(|| unreachable!())
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap_or_else(|| unreachable!())
    }

    fn lanes(&self) -> &Lanes {
        self.lanes.as_ref().unwrap_or_else(|| unreachable!())
    }

    /// Ends the transport and waits for its end without blocking the executor.
    pub async fn shutdown(self) {
        let (done, ended) = tokio::sync::oneshot::channel();
        let spawned = std::thread::Builder::new().name("vsomeip-end".into()).spawn(move || {
            drop(self);
            let _ = done.send(());
        });
        if spawned.is_ok() {
            let _ = ended.await;
        }
    }
}

impl Drop for UPTransportVsomeip {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let lanes = self.lanes.take();
        let here = tokio::runtime::Handle::try_current().map(|handle| handle.id());
        let in_own_listener = lanes.as_ref().is_some_and(Lanes::is_here)
            || here.is_ok_and(|id| id == runtime.handle().id());
        let (application, on_message) = (self.application.take(), self.on_message.take());
        let (core, topics) = (Arc::clone(&self.core), std::mem::take(&mut self.topics));
        // A thread of its own: blocking and dropping a runtime are not allowed everywhere.
        let end = std::thread::Builder::new().name("vsomeip-end".into()).spawn(move || {
            let until = Instant::now() + SHUTDOWN;
            // No message comes in any more once the application has stopped.
            drop(application);
            drop((on_message, topics));
            let entries = core.table.clear();
            entries.iter().for_each(|entry| entry.close());
            let endings: Vec<_> =
                entries.into_iter().map(|entry| Ending::new(Arc::clone(&entry.gate))).collect();
            for ending in endings {
                let left = until.saturating_duration_since(Instant::now());
                if ending.wait_timeout(left).is_err() {
                    log::warn!("a listener still runs while its transport ends; it is left behind");
                }
            }
            drop(lanes);
            runtime.shutdown_timeout(until.saturating_duration_since(Instant::now()));
        });
        if let Ok(end) = end
            && !in_own_listener
            && !vsomeip::handler::must_not_wait()
        {
            let _ = end.join();
        }
    }
}
