// SPDX-License-Identifier: MIT OR Apache-2.0

//! A vsomeip configuration file, as far as this transport needs it. vsomeip itself skips what it
//! does not understand and goes on; here that is an error with the path, the line and the remedy.

use super::VsomeipApplicationConfig;
use super::json::{Count, Id, Milliseconds, remedy};
use crate::{InstanceId, ServiceId};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;
use up_rust::{UCode, UStatus};

/// A service that the file names.
#[derive(Debug, Clone)]
pub(crate) struct ServiceConfig {
    pub(crate) service: ServiceId,
    pub(crate) instance: InstanceId,
}

/// What vsomeip takes for an id that is not given: it picks one.
const UNSET: u16 = 0xFFFF;

/// The parts of the file, as text of which one can tell the line.
#[derive(Deserialize)]
#[serde(expecting = "an object: { \"applications\": [ .. ], .. }")]
struct Raw<'a> {
    #[serde(borrow)]
    applications: Option<&'a RawValue>,
    #[serde(borrow)]
    services: Option<&'a RawValue>,
    #[serde(borrow)]
    servicegroups: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an application: { \"name\": \"my-app\", \"id\": \"0x1234\" }")]
struct Application {
    name: Option<String>,
    id: Option<Id>,
    max_dispatchers: Option<Count>,
    max_dispatch_time: Option<Milliseconds>,
}

#[derive(Deserialize)]
#[serde(expecting = "a service: { \"service\": \"0x1234\", \"instance\": \"0x0001\" }")]
struct Service {
    service: Option<Id>,
    instance: Option<Id>,
}

#[derive(Deserialize)]
#[serde(expecting = "a group of services: { \"services\": [ .. ] }")]
struct Group<'a> {
    #[serde(borrow)]
    services: Option<&'a RawValue>,
}

/// What a file says about this transport.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) application: VsomeipApplicationConfig,
    pub(crate) services: Vec<ServiceConfig>,
    /// Milliseconds.
    pub(crate) max_dispatch_time: Option<u64>,
    /// What the file had better say.
    warnings: Vec<String>,
}

/// The file's text, for errors that name path and line.
struct Text<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Text<'a> {
    fn invalid(&self, line: usize, what: &str) -> UStatus {
        let text = format!("{}:{line}: {what}", self.path.display());
        UStatus::fail_with_code(UCode::INVALID_ARGUMENT, text)
    }

    /// The line on which a part of the text begins.
    fn line(&self, part: &str) -> usize {
        let at = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
    }

    fn parse<T: Deserialize<'a>>(&self, part: &'a str) -> Result<T, UStatus> {
        serde_json::from_str(part).map_err(|error| {
            // The error's text repeats the line, counted from the part's first one.
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            let line = self.line(part) + error.line().saturating_sub(1);
            self.invalid(line, &format!("{what}{}", remedy(&error)))
        })
    }

    /// The elements of a list, each with its line.
    fn list<T: Deserialize<'a>>(
        &self,
        list: Option<&'a RawValue>,
    ) -> Result<Vec<(usize, T)>, UStatus> {
        let Some(list) = list else { return Ok(Vec::new()) };
        let elements: Vec<&RawValue> = self.parse(list.get())?;
        elements
            .into_iter()
            .map(|element| Ok((self.line(element.get()), self.parse(element.get())?)))
            .collect()
    }

    fn services(&self, list: Option<&'a RawValue>) -> Result<Vec<ServiceConfig>, UStatus> {
        let ids = |(line, Service { service, instance })| match (service, instance) {
            (Some(Id(service)), Some(Id(instance))) => Ok(ServiceConfig { service, instance }),
            _ => {
                let what =
                    "a service needs both: \"service\": \"0x1234\", \"instance\": \"0x0001\"";
                Err(self.invalid(line, what))
            }
        };
        self.list::<Service>(list)?.into_iter().map(ids).collect()
    }
}

impl File {
    /// Reads the file; the first application in it is ours.
    ///
    /// # Errors
    /// NOT_FOUND where there is none, INVALID_ARGUMENT where it cannot be used.
    pub(crate) fn read(path: &Path) -> Result<File, UStatus> {
        let bytes = std::fs::read(path).map_err(|error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::NotFound => "name a file, or none: then one is generated",
                std::io::ErrorKind::IsADirectory => "name one file of it",
                std::io::ErrorKind::PermissionDenied => "let this user read it",
                _ => "it must be a file that can be read",
            };
            let code = match error.kind() {
                std::io::ErrorKind::NotFound => UCode::NOT_FOUND,
                _ => UCode::INVALID_ARGUMENT,
            };
            let text = format!("vsomeip configuration file {}: {error}; {remedy}", path.display());
            UStatus::fail_with_code(code, text)
        })?;
        let text = str::from_utf8(&bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Text { path, text: "" }.invalid(line, "not UTF-8; save the file as UTF-8 text")
        })?;
        let file = Self::parse(text.strip_prefix('\u{feff}').unwrap_or(text), path)?;
        file.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        Ok(file)
    }

    fn parse(text: &str, path: &Path) -> Result<File, UStatus> {
        let text = Text { path, text };
        let raw: Raw<'_> = text.parse(text.text)?;
        let applications: Vec<(usize, Application)> = text.list(raw.applications)?;
        let mut services = text.services(raw.services)?;
        for (_, Group { services: more }) in text.list(raw.servicegroups)? {
            let more = text.services(more)?;
            if raw.services.is_none() {
                services.extend(more); // as vsomeip does: one or the other
            }
        }
        let Some((line, first)) = applications.into_iter().next() else {
            let line = raw.applications.map_or(1, |list| text.line(list.get()));
            let what = "\"applications\" names none: add \
                        {\"name\": \"my-app\", \"id\": \"0x1234\", \"max_dispatchers\": \"0\"}";
            return Err(text.invalid(line, what));
        };
        let Some(name) = first.name.filter(|name| !name.is_empty()) else {
            let what = "an application needs a name: add \"name\": \"my-app\"";
            return Err(text.invalid(line, what));
        };
        let warn = |what: &str| format!("{}:{line}: application {name:?} {what}", path.display());
        let mut warnings = Vec::new();
        if first.max_dispatchers != Some(Count(0)) {
            warnings.push(warn(
                "lacks \"max_dispatchers\": \"0\". When a handler is held up for long, vsomeip then \
                 starts a second dispatcher, and order is lost",
            ));
        }
        if first.id.is_none() {
            warnings.push(warn(
                "lacks an id, such as \"id\": \"0x1234\". vsomeip picks one; it should be the uEntity's \
                 ue_id, or Notifications do not find it",
            ));
        }
        let id = first.id.map_or(UNSET, |Id(id)| id);
        Ok(File {
            application: VsomeipApplicationConfig { name, id },
            services,
            max_dispatch_time: first.max_dispatch_time.map(|Milliseconds(time)| time),
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, UStatus> {
        File::parse(text, Path::new("/etc/x.json"))
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
        assert!(file.warnings.is_empty(), "{:?}", file.warnings);
    }

    #[test]
    fn numbers_may_stand_without_quotes() {
        let file = parse(
            r#"{ "routing": "one", "applications": [
                 { "name": "one", "id": 6719, "max_dispatchers": 0, "max_dispatch_time": 250,
                   "threads": 4 } ],
                 "servicegroups": [ { "name": "g", "services": [ { "service": 43981, "instance": 1 } ] } ] }"#,
        )
        .unwrap();
        assert_eq!((file.application.id, file.max_dispatch_time), (0x1A3F, Some(250)));
        assert_eq!((file.services[0].service, file.services[0].instance), (0xABCD, 1));
        assert!(file.warnings.is_empty(), "{:?}", file.warnings);
    }

    /// A file, the line of its mistake, and what the complaint says: what is wrong, and the remedy.
    #[rustfmt::skip]
    const MISTAKES: [(&str, usize, &str, &str); 20] = [
        ("{\n \"applications\": [\n ],\n}", 4, "trailing comma", "take the comma away"),
        ("{\n // mine\n}", 2, "key must be a string", "no comments"),
        ("{\n \"applications\": [\n", 3, "EOF", "is not closed"),
        ("[]\n", 1, "invalid length 0", "\"applications\": [ .. ]"),
        ("\n 5", 2, "invalid type", "\"applications\": [ .. ]"),
        ("{\n \"network\": \"n\"\n}", 1, "names none", "add {\"name\""),
        ("{\n\n \"applications\": []\n}", 3, "names none", "add {\"name\""),
        ("{\n \"applications\":\n {}\n}", 3, "expected a sequence", "write a list"),
        ("{\n \"applications\": [],\n \"applications\": [] }", 3, "duplicate", "keep one"),
        ("{ \"applications\": [\n \"door\" ] }", 2, "invalid type", "{ \"name\": \"my-app\""),
        ("{ \"applications\": [\n {\n \"id\": 1\n } ] }", 2, "needs a name", "add \"name\""),
        ("{ \"applications\": [\n { \"name\": \"\" } ] }", 2, "needs a name", "add \"name\""),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"id\": \"0xFFFFF\"\n\n } ] }", 2, "\"0xFFFFF\"", "\"0x1234\""),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"id\": 65536\n\n } ] }", 2, "`65536`", "or 4660"),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"id\": -1\n\n } ] }", 2, "`-1`", "or 4660"),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"id\": \"0X12\"\n\n } ] }", 2, "\"0X12\"", "a small x"),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"id\": true\n\n } ] }", 2, "`true`", "or 4660"),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"max_dispatch_time\": \"soon\"\n\n } ] }", 2, "\"soon\"", "milliseconds"),
        ("{ \"applications\": [ { \"name\": \"a\",\n \"max_dispatchers\": \"one\"\n\n } ] }", 2, "\"one\"", "a count"),
        ("{ \"services\": [\n { \"service\": 1 } ], \"applications\": [] }", 2, "needs both", "\"instance\""),
    ];

    #[test]
    fn complaints_name_path_line_and_remedy() {
        for (text, line, what, remedy) in MISTAKES {
            let status = parse(text).unwrap_err();
            assert_eq!(status.get_code(), UCode::INVALID_ARGUMENT);
            let complaint = status.get_message();
            assert!(complaint.starts_with(&format!("/etc/x.json:{line}: ")), "{text}\n{complaint}");
            assert!(complaint.contains(what) && complaint.contains(remedy), "{text}\n{complaint}");
        }
    }

    #[test]
    fn a_file_that_had_better_say_more_is_warned_of() {
        let warnings = |more: &str| {
            let application = format!("{{\"name\": \"door\"{more}}}");
            let text = format!("{{ \"routing\": \"door\",\n\"applications\": [\n{application}]}}");
            parse(&text).unwrap().warnings
        };
        for dispatchers in ["", ", \"max_dispatchers\": \"10\"", ", \"max_dispatchers\": 1"] {
            let warnings = warnings(&format!(", \"id\": 1{dispatchers}"));
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].starts_with("/etc/x.json:3: application \"door\""), "{warnings:?}");
            assert!(warnings[0].contains("\"max_dispatchers\": \"0\""), "{warnings:?}");
        }
        let warnings = warnings(", \"max_dispatchers\": \"0\"");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("/etc/x.json:3: ") && warnings[0].contains("\"id\": "));
    }

    #[test]
    fn files_that_cannot_be_read_are_told_with_the_remedy() {
        let complaint = |path: &Path| {
            let status = File::read(path).unwrap_err();
            let message = status.get_message();
            assert!(message.contains(&*path.to_string_lossy()), "{message}");
            (status.get_code(), message)
        };
        let (code, message) = complaint(Path::new("/no/such/file.json"));
        assert_eq!(code, UCode::NOT_FOUND);
        assert!(message.contains("name a file"), "{message}");
        let folder = std::env::temp_dir();
        let (code, message) = complaint(&folder);
        assert_eq!(code, UCode::INVALID_ARGUMENT);
        assert!(message.contains("name one file"), "{message}");

        let path = folder.join(format!("ringback-config-{}.json", std::process::id()));
        std::fs::write(&path, b"{\n \"network\": \"\xE4\" }").unwrap();
        let (code, message) = complaint(&path);
        assert_eq!(code, UCode::INVALID_ARGUMENT);
        assert!(message.contains(".json:2: ") && message.contains("UTF-8"), "{message}");
        std::fs::write(&path, "\u{feff}{ \"applications\": [ { \"name\": \"a\", \"id\": 1 } ] }")
            .unwrap();
        assert_eq!(File::read(&path).unwrap().application.id, 1, "a byte order mark is no mistake");
        std::fs::remove_file(path).unwrap();
    }
}
