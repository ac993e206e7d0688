// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the mistakes of a vsomeip configuration. vsomeip itself skips what it does not understand and
//! goes on; here that is an error with the path, the line and the remedy. What a configuration says once
//! it is in force is read by [`vsomeip`](crate::vsomeip).

use super::VsomeipApplicationConfig;
use super::json::{Address, Count, Flag, Host, Id, Milliseconds, Port, remedy};
use super::keys::meant;
use crate::vsomeip::configuration_files;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;
use up_rust::{UCode, UStatus};

/// What vsomeip takes for an id that is not given: it picks one.
pub(crate) const UNSET: u16 = 0xFFFF;

/// The parts of a file, as text of which one can tell the line.
#[derive(Deserialize)]
#[serde(expecting = "an object: { \"applications\": [ .. ], .. }")]
struct Raw<'a> {
    #[serde(borrow)]
    applications: Option<&'a RawValue>,
    #[serde(borrow)]
    services: Option<&'a RawValue>,
    #[serde(borrow)]
    servicegroups: Option<&'a RawValue>,
    #[serde(borrow)]
    routing: Option<&'a RawValue>,
    #[serde(borrow, rename = "service-discovery")]
    discovery: Option<&'a RawValue>,
    /// Only whether it is one, here and below.
    #[serde(rename = "unicast")]
    _unicast: Option<Address>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object: { \"enable\": \"true\", \"multicast\": \"224.244.224.245\", .. }")]
struct Discovery {
    #[serde(rename = "enable")]
    _enable: Option<Flag>,
    #[serde(rename = "multicast")]
    _multicast: Option<Address>,
    #[serde(rename = "port")]
    _port: Option<Port>,
}

/// A service's TCP endpoint, where it is more than a port.
#[derive(Deserialize)]
struct Reliable {
    #[serde(rename = "port")]
    _port: Port,
}

#[derive(Deserialize)]
#[serde(expecting = "an application: { \"name\": \"my-app\", \"id\": \"0x1234\" }")]
struct RawApplication {
    name: Option<String>,
    id: Option<Id>,
    max_dispatchers: Option<Count>,
    /// Only whether it is one.
    #[serde(rename = "max_dispatch_time")]
    _max_dispatch_time: Option<Milliseconds>,
}

#[derive(Deserialize)]
#[serde(expecting = "a service: { \"service\": \"0x1234\", \"instance\": \"0x0001\" }")]
struct Service<'a> {
    service: Option<Id>,
    instance: Option<Id>,
    #[serde(borrow)]
    reliable: Option<&'a RawValue>,
    #[serde(rename = "unreliable")]
    _unreliable: Option<Port>,
    #[serde(rename = "unicast")]
    _unicast: Option<Host>,
}

#[derive(Deserialize)]
#[serde(expecting = "a group of services: { \"services\": [ .. ] }")]
struct Group<'a> {
    #[serde(borrow)]
    services: Option<&'a RawValue>,
    #[serde(rename = "unicast")]
    _unicast: Option<Host>,
}

/// An application that a file names.
#[derive(Debug)]
struct Application {
    config: VsomeipApplicationConfig,
    /// What the file had better say.
    warnings: Vec<String>,
}

/// The applications of a configuration that has no mistakes, in the order in which vsomeip reads them.
#[derive(Debug)]
pub(crate) struct Applications {
    all: Vec<Application>,
    /// Path and line where one would be.
    place: String,
}

/// A file's text, for errors that name path and line.
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
        serde_json::from_str(part).map_err(|error| self.mistake(part, &error))
    }

    fn mistake(&self, part: &str, error: &serde_json::Error) -> UStatus {
        // The error's text repeats the line, counted from the part's first one.
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let line = self.line(part) + error.line().saturating_sub(1);
        self.invalid(line, &format!("{what}{}", remedy(error)))
    }

    /// The elements of a list.
    fn list(&self, list: Option<&'a RawValue>) -> Result<Vec<&'a str>, UStatus> {
        let Some(list) = list else { return Ok(Vec::new()) };
        let elements: Vec<&RawValue> = self.parse(list.get())?;
        Ok(elements.into_iter().map(RawValue::get).collect())
    }

    fn check_services(&self, list: Option<&'a RawValue>) -> Result<(), UStatus> {
        for part in self.list(list)? {
            let Service { service, instance, reliable, .. } = self.parse(part)?;
            if service.is_none() || instance.is_none() {
                let what =
                    "a service needs both: \"service\": \"0x1234\", \"instance\": \"0x0001\"";
                return Err(self.invalid(self.line(part), what));
            }
            match reliable.map(RawValue::get) {
                Some(endpoint) if endpoint.starts_with('{') => {
                    let _: Reliable = self.parse(endpoint)?;
                }
                Some(port) => {
                    let _: Port = self.parse(port)?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// vsomeip passes over a key that it does not know. One that is almost one of these is a mistake.
    fn check_keys(&self) -> Result<(), UStatus> {
        // A key with an escape in it is none that anybody has misspelt.
        let keys: BTreeMap<&str, IgnoredAny> = serde_json::from_str(self.text).unwrap_or_default();
        let misspelt = keys.keys().find_map(|key| Some((*key, meant(key)?)));
        misspelt.map_or(Ok(()), |(key, meant)| {
            let what = format!("vsomeip has no key {key:?}; write {meant:?}");
            Err(self.invalid(self.line(key), &what))
        })
    }

    fn check_routing(&self, routing: &RawValue) -> Result<(), UStatus> {
        if routing.get().starts_with(['"', '{']) {
            return Ok(());
        }
        let what = "the routing manager is an application: write its name, \"routing\": \"my-app\"";
        Err(self.invalid(self.line(routing.get()), what))
    }

    fn application(&self, line: usize, raw: RawApplication) -> Result<Application, UStatus> {
        let Some(name) = raw.name.filter(|name| !name.is_empty()) else {
            let what = "an application needs a name: add \"name\": \"my-app\"";
            return Err(self.invalid(line, what));
        };
        let path = self.path.display();
        let warn = |what: &str| format!("{path}:{line}: application {name:?} {what}");
        let mut warnings = Vec::new();
        if raw.max_dispatchers != Some(Count(0)) {
            warnings.push(warn(
                "lacks \"max_dispatchers\": \"0\". When a handler is held up for long, vsomeip then \
                 starts a second dispatcher, and order is lost",
            ));
        }
        if raw.id.is_none() {
            warnings.push(warn(
                "lacks an id, such as \"id\": \"0x1234\". vsomeip picks one; it should be the uEntity's \
                 ue_id, or Notifications do not find it",
            ));
        }
        let id = raw.id.map_or(UNSET, |Id(id)| id);
        Ok(Application { config: VsomeipApplicationConfig { name, id }, warnings })
    }

    fn applications(&self) -> Result<Applications, UStatus> {
        let raw: Raw<'_> = self.parse(self.text)?;
        let mut all: Vec<Application> = Vec::new();
        for part in self.list(raw.applications)? {
            let application = self.application(self.line(part), self.parse(part)?)?;
            let VsomeipApplicationConfig { name, id } = &application.config;
            let mut before = all.iter().map(|other| &other.config);
            if *id != UNSET
                && let Some(other) = before.find(|other| other.id == *id && other.name != *name)
            {
                let what = format!(
                    "application {name:?} has the id {id:#06x} of {:?}, and vsomeip would ignore it: \
                     give it an id of its own",
                    other.name
                );
                return Err(self.invalid(self.line(part), &what));
            }
            all.push(application);
        }
        self.check_services(raw.services)?;
        for part in self.list(raw.servicegroups)? {
            let Group { services, .. } = self.parse(part)?;
            self.check_services(services)?;
        }
        if let Some(discovery) = raw.discovery {
            self.parse::<Discovery>(discovery.get())?;
        }
        raw.routing.map_or(Ok(()), |routing| self.check_routing(routing))?;
        self.check_keys()?;
        let line = raw.applications.map_or(1, |list| self.line(list.get()));
        Ok(Applications { all, place: format!("{}:{line}", self.path.display()) })
    }
}

impl Applications {
    /// Reads a file, or the files of a folder as vsomeip does: it skips those that are no JSON, which
    /// is a mistake where one is called so.
    ///
    /// # Errors
    /// NOT_FOUND where there is none, INVALID_ARGUMENT where it cannot be used.
    pub(crate) fn read(path: &Path) -> Result<Self, UStatus> {
        if !path.is_dir() {
            return Self::read_file(path);
        }
        let mut applications = Applications { all: Vec::new(), place: path.display().to_string() };
        for file in configuration_files(&[path.to_owned()]).concat() {
            match Self::read_file(&file) {
                Ok(more) => applications.all.extend(more.all),
                Err(error) if is_meant(&file) => return Err(error),
                Err(_) => {} // skipped, which is said when this configuration comes into force
            }
        }
        Ok(applications)
    }

    fn read_file(path: &Path) -> Result<Self, UStatus> {
        let bytes = std::fs::read(path).map_err(|error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    "name a file or a folder of files, or none: then one is generated"
                }
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
        Self::of(text.strip_prefix('\u{feff}').unwrap_or(text), path)
    }

    /// Those of a text that came from there.
    ///
    /// # Errors
    /// INVALID_ARGUMENT where it cannot be used.
    pub(crate) fn of(text: &str, path: &Path) -> Result<Self, UStatus> {
        Text { path, text }.applications()
    }

    /// The first one: what a transport is that was told no name.
    ///
    /// # Errors
    /// INVALID_ARGUMENT where there is none.
    pub(crate) fn first(&self) -> Result<VsomeipApplicationConfig, UStatus> {
        let first = self.all.first().map(|application| application.config.clone());
        first.ok_or_else(|| {
            let what = "\"applications\" names none: add \
                        {\"name\": \"my-app\", \"id\": \"0x1234\", \"max_dispatchers\": \"0\"}";
            UStatus::fail_with_code(UCode::INVALID_ARGUMENT, format!("{}: {what}", self.place))
        })
    }

    /// Warns of what the configuration had better say of an application.
    pub(crate) fn warn_of(&self, name: &str) {
        self.warnings(name).iter().for_each(|warning| log::warn!("{warning}"));
    }

    pub(super) fn warnings(&self, name: &str) -> &[String] {
        // The first one counts.
        let named = self.all.iter().find(|application| application.config.name == name);
        named.map_or(&[], |application| &application.warnings)
    }
}

/// Whether a file of a folder is JSON, or is called so.
fn is_meant(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        || std::fs::read_to_string(file)
            .is_ok_and(|text| serde_json::from_str::<&RawValue>(&text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Applications, UStatus> {
        Text { path: Path::new("/etc/x.json"), text }.applications()
    }

    fn ids(applications: &Applications) -> Vec<(&str, u16)> {
        let config = applications.all.iter().map(|application| &application.config);
        config.map(|config| (config.name.as_str(), config.id)).collect()
    }

    #[test]
    fn what_vsomeip_knows_is_read() {
        let read = parse(
            r#"{ "unicast": "127.0.0.1", "applications": [
                 { "name": "one", "id": "0x1A3F", "max_dispatchers": "0", "max_dispatch_time": "250" },
                 { "name": "two", "id": "17" }, { "name": "three" } ],
                 "services": [ { "service": "0xABCD", "instance": "4660", "unreliable": "30509" } ] }"#,
        )
        .unwrap();
        assert_eq!(ids(&read), [("one", 0x1A3F), ("two", 17), ("three", UNSET)]);
        assert_eq!(read.warnings("one"), [""; 0]);
        assert_eq!(read.first().unwrap().id, 0x1A3F);
    }

    #[test]
    fn numbers_may_stand_without_quotes() {
        let read = parse(
            r#"{ "routing": "one", "applications": [
                 { "name": "one", "id": 6719, "max_dispatchers": 0, "max_dispatch_time": 250,
                   "threads": 4 } ],
                 "servicegroups": [ { "name": "g", "services": [ { "service": 43981, "instance": 1 } ] } ] }"#,
        )
        .unwrap();
        assert_eq!(ids(&read), [("one", 0x1A3F)]);
        assert_eq!(read.warnings("one"), [""; 0]);
    }

    /// A file, the line of its mistake, and what the complaint says: what is wrong, and the remedy.
    #[rustfmt::skip]
    const MISTAKES: [(&str, usize, &str, &str); 35] = [
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
        ("{ \"applications\": [ { \"name\": \"a\", \"id\": 16 },\n { \"name\": \"b\", \"id\": \"0x10\" } ] }", 2, "0x0010 of \"a\"", "an id of its own"),
        ("{\n \"unicast\": 5 }", 2, "`5`", "an IP address, as"),
        ("{\n \"unicast\": \"300.1.1.1\" }", 2, "\"300.1.1.1\"", "an IP address, as"),
        ("{\n \"routing\": 7 }", 2, "is an application", "write its name"),
        ("{ \"service-discovery\": {\n \"port\": \"abc\" } }", 2, "\"abc\"", "as \"30490\""),
        ("{ \"service-discovery\": {\n \"enable\": \"yes\" } }", 2, "\"yes\"", "\"true\" or"),
        ("{ \"service-discovery\": {\n\n \"multicast\": \"224.1\" } }", 3, "\"224.1\"", "an IP address, as"),
        ("{ \"service-discovery\":\n true }", 2, "boolean `true`", "an object: {"),
        ("{ \"services\": [ { \"service\": 1, \"instance\": 1,\n \"unreliable\": \"99999\"\n } ] }", 2, "\"99999\"", "as \"30490\""),
        ("{ \"services\": [ { \"service\": 1, \"instance\": 1,\n \"reliable\": -1\n } ] }", 2, "`-1`", "as \"30490\""),
        ("{ \"services\": [ { \"service\": 1, \"instance\": 1, \"reliable\": {\n \"port\": \"x\" } } ] }", 2, "\"x\"", "as \"30490\""),
        ("{ \"services\": [ { \"service\": 1, \"instance\": 1,\n \"unicast\": \"here\" } ] }", 2, "\"here\"", "or \"local\""),
        ("{\n \"aplications\": [] }", 2, "no key \"aplications\"", "write \"applications\""),
        ("{\n \"Routing\": \"a\" }", 2, "no key \"Routing\"", "write \"routing\""),
        ("{ \"applications\": [],\n \"unicsat\": \"\" }", 2, "no key \"unicsat\"", "write \"unicast\""),
    ];

    #[test]
    fn complaints_name_path_line_and_remedy() {
        for (text, line, what, remedy) in MISTAKES {
            let status = parse(text).and_then(|read| read.first()).unwrap_err();
            assert_eq!(status.get_code(), UCode::INVALID_ARGUMENT);
            let complaint = status.get_message();
            assert!(complaint.starts_with(&format!("/etc/x.json:{line}: ")), "{text}\n{complaint}");
            assert!(complaint.contains(what) && complaint.contains(remedy), "{text}\n{complaint}");
        }
    }

    #[test]
    fn a_file_that_had_better_say_more_is_warned_of() {
        let warnings = |more: &str| {
            let others = "{\"name\": \"first\"}";
            let ours = format!("{{\"name\": \"door\"{more}}}");
            let text = format!("{{ \"applications\": [\n{others},\n{ours}]}}");
            parse(&text).unwrap().warnings("door").to_vec()
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
            let status = Applications::read(path).unwrap_err();
            let message = status.get_message();
            assert!(message.contains(&*path.to_string_lossy()), "{message}");
            (status.get_code(), message)
        };
        let (code, message) = complaint(Path::new("/no/such/file.json"));
        assert_eq!(code, UCode::NOT_FOUND);
        assert!(message.contains("name a file"), "{message}");
        let (code, message) = complaint(Path::new("/dev/null/x.json"));
        assert_eq!(code, UCode::INVALID_ARGUMENT);
        assert!(message.contains("can be read"), "{message}");

        let path = std::env::temp_dir().join(format!("rb-config-{}.json", std::process::id()));
        std::fs::write(&path, b"{\n \"network\": \"\xE4\" }").unwrap();
        let (code, message) = complaint(&path);
        assert_eq!(code, UCode::INVALID_ARGUMENT);
        assert!(message.contains(".json:2: ") && message.contains("UTF-8"), "{message}");
        std::fs::write(&path, "\u{feff}{ \"applications\": [ { \"name\": \"a\", \"id\": 1 } ] }")
            .unwrap();
        let read = Applications::read(&path).unwrap();
        assert_eq!(ids(&read), [("a", 1)], "a byte order mark is no mistake");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_folder_is_read_as_vsomeip_reads_it() {
        let folder = std::env::temp_dir().join(format!("rb-folder-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a.json")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("README", "of this folder");
        write("b.json", "{ \"network\": \"n\" }");
        let none = Applications::read(&folder).unwrap().first().unwrap_err();
        assert_eq!(none.get_code(), UCode::INVALID_ARGUMENT);
        assert!(none.get_message().starts_with(&*folder.to_string_lossy()), "{none}");

        write("c.json", "{ \"applications\": [ { \"name\": \"c\", \"id\": 3 } ] }");
        write("d.conf", "{ \"applications\": [ { \"name\": \"d\", \"id\": 4 } ] }");
        write("vsomeip_app.json", "{ \"applications\": [ { \"name\": \"v\", \"id\": 5 } ] }");
        let read = Applications::read(&folder).unwrap();
        assert_eq!(ids(&read), [("v", 5), ("c", 3), ("d", 4)], "the mandatory files first");
        assert_eq!(read.first().unwrap().name, "v");
        assert_eq!(read.warnings("c").len(), 1);

        for (name, text) in [("f.json", "{\n,}"), ("e.conf", "{ \"services\":\n5 }")] {
            write(name, text);
            let mistake = Applications::read(&folder).unwrap_err().get_message();
            assert!(mistake.contains(&format!("/{name}:2: ")), "{mistake}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
