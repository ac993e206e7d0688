// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the mistakes of a vsomeip configuration. vsomeip itself skips what it does not understand and
//! goes on; here that is an error with the path, the line and the remedy. What a configuration says once
//! it is in force is read by [`vsomeip`](crate::vsomeip).

use super::VsomeipApplicationConfig;
use super::applications::{Application, Applications};
use super::json::{Address, Count, Flag, Host, Id, Milliseconds, Port, remedy};
use super::keys::meant;
use crate::vsomeip::UNSET;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use up_rust::{UCode, UStatus};

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

/// A file's text, for errors that name path and line.
pub(super) struct Text<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

/// A key of a file: borrowed from its text, unless it has an escape in it.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Text<'a> {
    pub(super) fn invalid(&self, line: usize, what: &str) -> UStatus {
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
        let keys: BTreeMap<Key<'_>, IgnoredAny> = self.parse(self.text)?;
        let misspelt = keys.keys().find_map(|Key(key)| match key {
            Cow::Borrowed(key) => Some((*key, meant(key)?)),
            Cow::Owned(_) => None, // nobody misspells with an escape
        });
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

    /// # Errors
    /// Its mistakes.
    pub(super) fn applications(&self) -> Result<Applications, UStatus> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Applications, UStatus> {
        Applications::of(text, Path::new("/etc/x.json"))
    }

    #[test]
    fn what_vsomeip_knows_is_read() {
        let read = parse(
            r#"{ "unicast": "fe80::1%eth0", "applications": [
                 { "name": "one", "id": "0x1A3F", "max_dispatchers": "0", "max_dispatch_time": "250" },
                 { "name": "two", "id": "17" }, { "name": "three" } ],
                 "services": [ { "service": "0xABCD", "instance": "4660", "unreliable": "30509" } ] }"#,
        )
        .unwrap();
        assert_eq!(read.ids(), [("one", 0x1A3F), ("two", 17), ("three", UNSET)]);
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
        assert_eq!(read.ids(), [("one", 0x1A3F)]);
        assert_eq!(read.warnings("one"), [""; 0]);
    }

    /// A file, the line of its mistake, and what the complaint says: what is wrong, and the remedy.
    #[rustfmt::skip]
    const MISTAKES: [(&str, usize, &str, &str); 36] = [
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
        ("{ \"services\": [ { \"service\": 1, \"instance\": 1, \"reliable\":\n {} } ] }", 2, "missing field `port`", "add it, as \"port\": \"30509\""),
        ("{ \"services\": [ { \"service\": 1, \"instance\": 1,\n \"unicast\": \"here\" } ] }", 2, "\"here\"", "or \"local\""),
        ("{\n \"aplications\": [] }", 2, "no key \"aplications\"", "write \"applications\""),
        ("{\n \"Routing\": \"a\" }", 2, "no key \"Routing\"", "write \"routing\""),
        ("{ \"\\u0078\": 1, \"applications\": [],\n \"unicsat\": \"\" }", 2, "no key \"unicsat\"", "write \"unicast\""),
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
}
