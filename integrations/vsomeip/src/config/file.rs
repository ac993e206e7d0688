// SPDX-License-Identifier: MIT OR Apache-2.0

//! A vsomeip configuration file, as far as this transport needs it. vsomeip itself skips what it
//! does not understand and goes on; here that is an error with the path, the line and the remedy.

use super::{VsomeipApplicationConfig, number};
use crate::{InstanceId, ServiceId};
use serde::Deserialize;
use std::path::Path;
use up_rust::{UCode, UStatus};

/// A service that the file names.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ServiceConfig {
    #[serde(deserialize_with = "number")]
    pub(crate) service: ServiceId,
    #[serde(deserialize_with = "number")]
    pub(crate) instance: InstanceId,
}

#[derive(Debug, Deserialize)]
struct Application {
    #[serde(flatten)]
    config: VsomeipApplicationConfig,
    max_dispatchers: Option<String>,
    max_dispatch_time: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Raw {
    #[serde(default)]
    applications: Vec<Application>,
    #[serde(default)]
    services: Vec<ServiceConfig>,
}

/// What a file says about this transport.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) application: VsomeipApplicationConfig,
    pub(crate) services: Vec<ServiceConfig>,
    /// Milliseconds.
    pub(crate) max_dispatch_time: Option<u64>,
    /// What the file had better say.
    warning: Option<String>,
}

impl File {
    /// Reads the file; the first application in it is ours.
    ///
    /// # Errors
    /// NOT_FOUND where there is none, INVALID_ARGUMENT where it cannot be used.
    pub(crate) fn read(path: &Path) -> Result<File, UStatus> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let code = match error.kind() {
                std::io::ErrorKind::NotFound => UCode::NOT_FOUND,
                _ => UCode::INVALID_ARGUMENT,
            };
            let text = format!("vsomeip configuration file {}: {error}", path.display());
            UStatus::fail_with_code(code, text)
        })?;
        let file = Self::parse(&text, path)?;
        if let Some(warning) = &file.warning {
            log::warn!("{warning}");
        }
        Ok(file)
    }

    fn parse(text: &str, path: &Path) -> Result<File, UStatus> {
        let invalid = |line: usize, what: String| {
            let text = format!("{}:{line}: {what}", path.display());
            UStatus::fail_with_code(UCode::INVALID_ARGUMENT, text)
        };
        let raw: Raw = serde_json::from_str(text).map_err(|error| {
            // The text repeats the line; it is in front already.
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default().to_owned();
            let remedy = match error.classify() {
                serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
                    "; JSON has no comments and no comma after the last element"
                }
                _ => "",
            };
            invalid(error.line(), format!("{what}{remedy}"))
        })?;
        let line =
            |key: &str| text.lines().position(|line| line.contains(key)).map_or(1, |at| at + 1);
        let Some(first) = raw.applications.into_iter().next() else {
            let what = "\"applications\" names none: add \
                        {\"name\": \"my-app\", \"id\": \"0x1234\", \"max_dispatchers\": \"0\"}";
            return Err(invalid(line("\"applications\""), what.to_owned()));
        };
        if first.config.name.is_empty() {
            return Err(invalid(line("\"name\""), "an application needs a name".to_owned()));
        }
        let warning = (first.max_dispatchers.as_deref() != Some("0")).then(|| {
            format!(
                "{}:{}: application {:?} lacks \"max_dispatchers\": \"0\". When a handler is held up \
                 for long, vsomeip then starts a second dispatcher, and order is lost",
                path.display(),
                line(&format!("\"{}\"", first.config.name)),
                first.config.name
            )
        });
        let time = first.max_dispatch_time.as_deref().map(|time| {
            time.parse::<u64>().map_err(|_| {
                let what = format!("max_dispatch_time {time:?} is no number of milliseconds");
                invalid(line("\"max_dispatch_time\""), what)
            })
        });
        Ok(File {
            application: first.config,
            services: raw.services,
            max_dispatch_time: time.transpose()?,
            warning,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, UStatus> {
        File::parse(text, Path::new("/etc/x.json"))
    }

    fn complaint(text: &str) -> String {
        let status = parse(text).unwrap_err();
        assert_eq!(status.get_code(), UCode::INVALID_ARGUMENT);
        status.get_message()
    }

    #[test]
    fn what_vsomeip_knows_is_read() {
        let file = parse(
            r#"{ "unicast": "127.0.0.1", "applications": [
                 { "name": "one", "id": "0x1A3F", "max_dispatchers": "0", "max_dispatch_time": "250" },
                 { "name": "two", "id": "17" } ],
                 "services": [ { "service": "0xABCD", "instance": "4660", "unreliable": "30509" } ] }"#,
        )
        .unwrap();
        assert_eq!((file.application.name.as_str(), file.application.id), ("one", 0x1A3F));
        assert_eq!(file.max_dispatch_time, Some(250));
        assert_eq!((file.services[0].service, file.services[0].instance), (0xABCD, 0x1234));
    }

    #[test]
    fn complaints_name_path_line_and_remedy() {
        let comma = complaint("{\n \"applications\": [\n ],\n}");
        assert!(comma.starts_with("/etc/x.json:4: ") && comma.contains("comma after"), "{comma}");
        let none = complaint("{\n \"applications\": []\n}");
        assert!(none.starts_with("/etc/x.json:2: ") && none.contains("\"name\": "), "{none}");
        let id = complaint("{\n\"applications\": [\n{\"name\": \"a\",\n\"id\": \"0xFFFFF\"}]}");
        assert!(id.starts_with("/etc/x.json:") && id.contains("0x1234"), "{id}");
        let time = complaint(
            "{\"applications\": [{\"name\": \"a\", \"id\": \"1\",\n\"max_dispatch_time\": \"soon\"}]}",
        );
        assert!(time.starts_with("/etc/x.json:2: ") && time.contains("milliseconds"), "{time}");
    }

    #[test]
    fn a_file_that_allows_a_second_dispatcher_is_warned_of() {
        let warning = |dispatchers: &str| {
            let application = format!("{{\"name\": \"door\", \"id\": \"1\"{dispatchers}}}");
            parse(&format!("{{\n\"applications\": [\n{application}]}}")).unwrap().warning
        };
        for dispatchers in ["", ", \"max_dispatchers\": \"10\""] {
            let text = warning(dispatchers).unwrap();
            assert!(text.starts_with("/etc/x.json:3: application \"door\""), "{text}");
            assert!(text.contains("\"max_dispatchers\": \"0\""), "the remedy: {text}");
        }
        assert_eq!(warning(", \"max_dispatchers\": \"0\""), None);
    }

    #[test]
    fn a_file_that_is_not_there_is_not_found() {
        let status = File::read(Path::new("/no/such/file.json")).unwrap_err();
        assert_eq!(status.get_code(), UCode::NOT_FOUND);
        assert!(status.get_message().contains("/no/such/file.json"));
    }
}
