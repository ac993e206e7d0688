// SPDX-License-Identifier: MIT OR Apache-2.0

//! vsomeip's configuration, made in code.

use super::VsomeipApplicationConfig;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;

/// A vsomeip configuration for
/// [`Options::configuration_in_code`](super::Options::configuration_in_code), or for a file: what
/// vsomeip's JSON knows most often, and [`set`](Self::set) for the rest.
///
/// Every application in it gets one dispatcher (`"max_dispatchers": "0"`), which keeps order.
///
/// ```
/// # use ringback_vsomeip::{VsomeipApplicationConfig, VsomeipConfiguration};
/// let json = VsomeipConfiguration::new(&VsomeipApplicationConfig::new("door", 0x1234))
///     .network("body")
///     .unicast([10, 0, 0, 1].into())
///     .service(0x1111, 1, None, Some(30509))
///     .to_json();
/// assert!(json.contains("\"max_dispatchers\": \"0\""));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct VsomeipConfiguration(Map<String, Value>);

impl VsomeipConfiguration {
    /// A configuration with this application, which logs warnings to the console. Service discovery
    /// is left on, since vsomeip delivers no events without, not even on one machine; it announces
    /// nothing that has no port.
    pub fn new(application: &VsomeipApplicationConfig) -> Self {
        let mut map = Map::new();
        map.insert("applications".into(), json!([]));
        map.insert("logging".into(), json!({ "level": "warning", "console": "true" }));
        VsomeipConfiguration(map).application(application)
    }

    /// Another application of this process: vsomeip reads one configuration per process.
    pub fn application(mut self, application: &VsomeipApplicationConfig) -> Self {
        let entry = json!({
            "name": application.name,
            "id": format!("{:#06x}", application.id),
            "max_dispatchers": "0",
        });
        self.push("applications", entry);
        self
    }

    fn push(&mut self, list: &str, entry: Value) {
        match self.0.entry(list).or_insert_with(|| json!([])) {
            Value::Array(entries) => entries.push(entry),
            other => *other = json!([entry]),
        }
    }

    /// The network key: applications of one machine that share it find each other.
    pub fn network(self, key: &str) -> Self {
        self.set("network", json!(key))
    }

    /// The application that is the routing manager; else the first one to start.
    pub fn routing(self, name: &str) -> Self {
        self.set("routing", json!(name))
    }

    /// The address of this machine, for others.
    pub fn unicast(self, address: IpAddr) -> Self {
        self.set("unicast", json!(address.to_string()))
    }

    /// Finds services on other machines, by this multicast address and port.
    pub fn service_discovery(self, multicast: IpAddr, port: u16) -> Self {
        let discovery = json!({
            "enable": "true",
            "multicast": multicast.to_string(),
            "port": port.to_string(),
            "protocol": "udp",
        });
        self.set("service-discovery", discovery)
    }

    /// A service that other machines can use, by TCP (`reliable`) or UDP on these ports.
    pub fn service(
        mut self,
        service: u16,
        instance: u16,
        reliable: Option<u16>,
        unreliable: Option<u16>,
    ) -> Self {
        let mut entry = Map::new();
        entry.insert("service".into(), json!(format!("{service:#06x}")));
        entry.insert("instance".into(), json!(format!("{instance:#06x}")));
        if let Some(port) = reliable {
            let port = json!({ "port": port.to_string(), "enable-magic-cookies": "false" });
            entry.insert("reliable".into(), port);
        }
        if let Some(port) = unreliable {
            entry.insert("unreliable".into(), json!(port.to_string()));
        }
        self.push("services", Value::Object(entry));
        self
    }

    /// Anything else that vsomeip's documentation knows. Values are strings there, numbers too.
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.0.insert(key.into(), value);
        self
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        format!("{:#}", Value::Object(self.0.clone()))
    }

    /// A file in memory, for as long as the guard lives; vsomeip reads it while an application is
    /// made.
    pub(crate) fn in_memory(&self) -> io::Result<InMemory> {
        // SAFETY: a name that ends with 0; the new descriptor is owned by the file.
        let mut file = unsafe {
            let descriptor = libc::memfd_create(c"vsomeip.json".as_ptr(), libc::MFD_CLOEXEC);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        file.write_all(self.to_json().as_bytes())?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd()).into();
        Ok(InMemory { _file: file, path })
    }
}

/// A file in memory.
pub(crate) struct InMemory {
    _file: File,
    pub(crate) path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_configuration_is_one_that_we_read() {
        let configuration = VsomeipConfiguration::new(&VsomeipApplicationConfig::new("a", 0x12))
            .service(0x1111, 2, Some(1), Some(2))
            .network("n");
        let memory = configuration.in_memory().unwrap();
        let applications = super::super::Applications::read(&memory.path).unwrap();
        let first = applications.first().unwrap();
        assert_eq!((first.name.as_str(), first.id), ("a", 0x12));
        assert_eq!(applications.warnings("a"), [""; 0]);
        let read = crate::vsomeip::Configuration::read("a", vec![memory.path.clone()]);
        assert_eq!(read.services(), [(0x1111, 2)]);
    }
}
