// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the four small examples share: a transport from a configuration file, or for this machine.
#![allow(dead_code, unreachable_pub)] // every example uses a part of this

use ringback_vsomeip::{Options, UPTransportVsomeip, VsomeipApplicationConfig};
use std::fmt;
use std::time::Duration;
use up_rust::UUri;

pub type Outcome<T = ()> = Result<T, Failure>;

/// What went wrong; `main` prints its text and nothing around it.
pub struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(error.to_string())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub const TOPIC: &str = "//vehicle/1111/1/8001";
/// For one uEntity: hello_subscriber.
pub const NOTE: &str = "//vehicle/1111/1/8002";
pub const SUBSCRIBER: &str = "//vehicle/3333/1/0";
pub const METHOD: &str = "//vehicle/2222/1/7";

/// `[--config FILE] [--count N]`, on top of what an example is called.
pub struct Arguments {
    config: Option<String>,
    /// Ends after so many messages; 0: never.
    pub count: u64,
}

impl Arguments {
    pub fn parse() -> Outcome<Self> {
        let mut arguments = Arguments { config: None, count: 0 };
        let mut given = std::env::args().skip(1);
        while let Some(name) = given.next() {
            let value = given.next().ok_or("usage: [--config FILE] [--count N]")?;
            match name.as_str() {
                "--config" => arguments.config = Some(value),
                "--count" => arguments.count = value.parse()?,
                _ => return Err("usage: [--config FILE] [--count N]".into()),
            }
        }
        Ok(arguments)
    }

    /// The transport of `//vehicle/<entity>/1/0`.
    pub fn transport(&self, name: &str, entity: u32) -> Outcome<UPTransportVsomeip> {
        let _ = env_logger::try_init();
        let local = UUri::try_from_parts("vehicle", entity, 1, 0)?;
        let application = VsomeipApplicationConfig::new(name, entity as u16);
        let options = Options::default().start_timeout(Duration::from_secs(10));
        let options = match &self.config {
            Some(file) => options.configuration(file),
            None => options,
        };
        Ok(UPTransportVsomeip::with_options(application, local, "vehicle", options)?)
    }
}
