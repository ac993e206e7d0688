// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which configuration vsomeip goes by, and what it says about an application.
//!
//! vsomeip (3.4) reads one configuration per process: that of the application that is initialised
//! first. What that application was given comes last: `./vsomeip.json` and `./vsomeip` go before it,
//! and `VSOMEIP_CONFIGURATION_<application>`, or else `VSOMEIP_CONFIGURATION`, before those, where it
//! names a file or a folder that is there. An application that is not made by this crate, and was first,
//! is not seen here.

use super::Result;
use serde_json::Value;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where vsomeip looks when it is given nothing; chosen when it was built, and this unless told.
const DEFAULT: [&str; 2] = ["/etc/vsomeip", "/etc/vsomeip.json"];
/// Files whose paths end so are read first, and others only where they leave the routing manager open, or
/// name this application.
const MANDATORY: &str = "vsomeip_std.json,vsomeip_app.json,vsomeip_events.json,vsomeip_plc.json,\
     vsomeip_log.json,vsomeip_security.json,vsomeip_whitelist.json,vsomeip_policy_extensions.json,\
     vsomeip_portcfg.json";
/// What vsomeip takes for a client id that is not given: it picks one.
pub(crate) const UNSET: u16 = 0xFFFF;
const MAX_DISPATCHERS: u64 = 10;
const MAX_DISPATCH_TIME: u64 = 100;

/// A configuration as vsomeip read it.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    sources: Vec<PathBuf>,
    documents: Vec<Value>,
    /// The files that are no JSON, and why not.
    skipped: Vec<(PathBuf, String)>,
}

/// What a configuration says about an application, or vsomeip's default.
#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    /// The client id, where it says one.
    pub(crate) id: Option<u16>,
    pub(crate) max_dispatchers: u64,
    /// How long a handler may take.
    pub(crate) max_dispatch_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            id: None,
            max_dispatchers: MAX_DISPATCHERS,
            max_dispatch_time: Duration::from_millis(MAX_DISPATCH_TIME),
        }
    }
}

/// vsomeip's, as long as the process lives.
static IN_FORCE: Mutex<Option<Arc<Configuration>>> = Mutex::new(None);

/// Initialises an application unless `check` has something against it; answers the configuration that is
/// in force then, and what `init` does.
pub(super) fn fix<R>(
    name: &str,
    given: Option<&Path>,
    check: impl FnOnce(&Configuration) -> Result<()>,
    init: impl FnOnce() -> R,
) -> Result<(Arc<Configuration>, R)> {
    let mut in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(configuration) = in_force.clone() {
        drop(in_force);
        check(&configuration)?;
        return Ok((configuration, init()));
    }
    // The lock is held meanwhile: nobody else may be first.
    let sources = look_up(name, given, |variable| env::var_os(variable), Path::new("."));
    let configuration = Arc::new(Configuration::read(name, sources));
    for (path, error) in &configuration.skipped {
        log::warn!("vsomeip skips {}: {error}", path.display());
    }
    check(&configuration)?; // vsomeip has read none until `init`
    *in_force = Some(Arc::clone(&configuration));
    Ok((configuration, init()))
}

/// Where vsomeip finds its configuration, in the order in which it reads.
fn look_up(
    name: &str,
    given: Option<&Path>,
    environment: impl Fn(&str) -> Option<OsString>,
    here: &Path,
) -> Vec<PathBuf> {
    let [folder, file] = DEFAULT.map(PathBuf::from);
    let (mut file, mut folder) = match given {
        None => (Some(file), Some(folder)),
        Some(given) if given.is_file() => (Some(given.to_owned()), None),
        Some(given) => (None, Some(given.to_owned())),
    };
    let local = here.join("vsomeip.json");
    if local.is_file() {
        file = Some(local);
    }
    let local = here.join("vsomeip");
    if local.is_dir() {
        folder = Some(local);
    }
    let told = environment(&format!("VSOMEIP_CONFIGURATION_{name}"))
        .or_else(|| environment("VSOMEIP_CONFIGURATION"))
        .map(PathBuf::from);
    if let Some(told) = told {
        if told.is_file() {
            (file, folder) = (Some(told), None);
        } else if told.is_dir() {
            (file, folder) = (None, Some(told));
        }
    }
    in_order(file.into_iter().chain(folder).collect())
}

fn files_of(source: &Path) -> Vec<PathBuf> {
    if source.is_file() {
        return vec![source.to_owned()];
    }
    let Ok(entries) = fs::read_dir(source) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    in_order(paths.filter(|path| !path.is_dir()).collect())
}

/// By their bytes, as vsomeip sorts them.
fn in_order(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
    paths
}

/// The files of these sources in the order in which vsomeip reads them: the mandatory ones, then the
/// others.
pub(crate) fn files(sources: &[PathBuf]) -> [Vec<PathBuf>; 2] {
    let mandatory = env::var("VSOMEIP_MANDATORY_CONFIGURATION_FILES");
    let mandatory = mandatory.as_deref().unwrap_or(MANDATORY);
    let files = sources.iter().flat_map(|source| files_of(source));
    let (first, rest) = files.partition(|path| is_mandatory(mandatory, path));
    [first, rest]
}

/// As vsomeip compares: the end of the path with each name of the list. A list of nothing has no name.
fn is_mandatory(list: &str, path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    !list.is_empty() && list.split(',').any(|name| path.ends_with(name.trim().as_bytes()))
}

impl Configuration {
    /// As vsomeip reads these files and folders for the application of this name.
    pub(crate) fn read(name: &str, sources: Vec<PathBuf>) -> Self {
        let [first, rest] = files(&sources);
        let mut configuration = Configuration { sources, ..Configuration::default() };
        configuration.add(first);
        if configuration.routing().is_none_or(|routing| routing == name) {
            configuration.add(rest);
        }
        configuration
    }

    /// What vsomeip skips is skipped here.
    fn add(&mut self, files: Vec<PathBuf>) {
        for path in files {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            match serde_json::from_str(without_mark(&text)) {
                Ok(document) => self.documents.push(document),
                Err(error) => self.skipped.push((path, error.to_string())),
            }
        }
    }

    /// The routing manager, where it is named.
    fn routing(&self) -> Option<&str> {
        self.documents.iter().find_map(|document| {
            let routing = &document["routing"];
            routing.as_str().or_else(|| routing["host"]["name"].as_str())
        })
    }

    /// The network key: applications of one machine that share it find each other.
    pub(crate) fn network(&self) -> String {
        let of = |document: &Value| match &document["network"] {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        self.documents.iter().find_map(of).unwrap_or_else(|| "vsomeip".to_owned())
    }

    fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.documents.iter().filter_map(move |document| document[name].as_array()).flatten()
    }

    /// Whether it says the same as that file or folder.
    pub(crate) fn is(&self, name: &str, path: &Path) -> bool {
        Configuration::read(name, vec![path.to_owned()]).documents == self.documents
    }

    /// What it says about an application; `None` where it does not name it.
    pub(crate) fn settings(&self, name: &str) -> Option<Settings> {
        // The first one counts.
        let application = self.list("applications").find(|entry| entry["name"] == *name)?;
        let setting = |key: &str, default| number(&application[key]).unwrap_or(default);
        let time = setting("max_dispatch_time", MAX_DISPATCH_TIME);
        Some(Settings {
            id: id(&application["id"]).filter(|id| *id != UNSET),
            max_dispatchers: setting("max_dispatchers", MAX_DISPATCHERS),
            max_dispatch_time: Duration::from_millis(time),
        })
    }

    /// The services and instances of this host that it names, by themselves or in groups. One with the
    /// address of another host only says where to find it.
    pub(crate) fn services(&self) -> Vec<(u16, u16)> {
        let mut services = Vec::new();
        for document in &self.documents {
            // One or the other.
            let of = |list: &'_ Value, at| self.local_services(list, at);
            match &document["services"] {
                list @ Value::Array(_) => services.extend(of(list, None)),
                _ => elements(&document["servicegroups"]).for_each(|group| {
                    services.extend(of(&group["services"], group["unicast"].as_str()))
                }),
            }
        }
        services
    }

    /// Those of a list that are not told to be at another address, which is `at` unless they say more.
    fn local_services(&self, list: &Value, at: Option<&str>) -> Vec<(u16, u16)> {
        let here =
            self.documents.iter().find_map(|document| address(document["unicast"].as_str()?));
        let is_here =
            |at: &str| LOCAL.contains(&at) || address(at).is_some_and(|at| Some(at) == here);
        elements(list)
            .filter(|entry| entry["unicast"].as_str().or(at).is_none_or(is_here))
            .filter_map(|entry| Some((id(&entry["service"])?, id(&entry["instance"])?)))
            .collect()
    }
}

/// What vsomeip takes for this host's address, beside that of the configuration.
const LOCAL: [&str; 3] = ["", "local", "127.0.0.1"];

/// A text as vsomeip reads it, without a byte order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// An IP address; that of IPv6 may name its zone, as `fe80::1%eth0`.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        None => text.parse().ok(),
        Some((address, zone)) => {
            address.parse().ok().filter(|address: &IpAddr| address.is_ipv6() && !zone.is_empty())
        }
    }
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn id(value: &Value) -> Option<u16> {
    number(value).and_then(|id| u16::try_from(id).ok())
}

/// A number as vsomeip takes it: in a string or by itself, hexadecimal after `0x`, as far as it goes.
fn number(value: &Value) -> Option<u64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return None,
        other => other.to_string(),
    };
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (&*text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    Some(u64::from_str_radix(&digits[..end], radix).unwrap_or(0))
}

/// Where it came from.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, source) in self.sources.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            match source.starts_with("/proc/self/fd") {
                true => write!(f, "{comma}the one of its first application, which is no file")?,
                false => write!(f, "{comma}{}", source.display())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of files, which is removed in the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = env::temp_dir().join(format!("rb-{}-{name}", std::process::id()));
            for (file, text) in files {
                let path = folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_is_looked_for_where_vsomeip_looks() {
        let folder = Folder::new(
            "look-up",
            &[
                ("given.json", ""),
                ("env.json", ""),
                ("files/a.json", ""),
                ("here/vsomeip.json", ""),
            ],
        );
        let at = |name: &str| folder.0.join(name);
        let (given, told, files, here) =
            (at("given.json"), at("env.json"), at("files"), at("here"));
        let look = |given: Option<&PathBuf>, environment: &[(&str, &PathBuf)], here: &Path| {
            let environment: std::collections::HashMap<_, _> = environment
                .iter()
                .map(|(name, path)| (*name, path.as_os_str().to_owned()))
                .collect();
            look_up(
                "door",
                given.map(PathBuf::as_path),
                |name| environment.get(name).cloned(),
                here,
            )
        };
        let nowhere = Path::new("/nowhere");
        let (all, one) = ("VSOMEIP_CONFIGURATION", "VSOMEIP_CONFIGURATION_door");
        assert_eq!(look(None, &[], nowhere), DEFAULT.map(PathBuf::from));
        assert_eq!(look(Some(&given), &[], nowhere), [given.as_path()]);
        assert_eq!(look(Some(&files), &[], nowhere), [files.as_path()]);
        assert_eq!(look(Some(&given), &[], &here), [here.join("vsomeip.json")], "here goes before");
        assert_eq!(
            look(Some(&given), &[(all, &told)], &here),
            [told.as_path()],
            "then the variable"
        );
        assert_eq!(look(Some(&given), &[(all, &files)], &here), [files.as_path()], "or a folder");
        let both = [(all, &given), (one, &told)];
        assert_eq!(
            look(Some(&files), &both, &here),
            [told.as_path()],
            "the application's own first"
        );
        let gone = at("gone");
        assert_eq!(look(Some(&given), &[(all, &gone)], nowhere), [given.as_path()], "not there");
        let hidden = [(all, &told), (one, &gone)];
        assert_eq!(
            look(Some(&given), &hidden, nowhere),
            [given.as_path()],
            "its own hides the other"
        );
        assert_eq!(look(None, &[], &folder.0.join("files")), DEFAULT.map(PathBuf::from));
    }

    #[test]
    fn settings_go_by_the_name_of_the_application() {
        let first = r#"{ "applications": [
            { "name": "a", "max_dispatch_time": "250", "max_dispatchers": "0" },
            { "name": "b", "max_dispatch_time": 40 },
            { "name": "c", "max_dispatch_time": "soon" } ],
            "services": [ { "service": "0x1111", "instance": 2 }, { "service": "none" } ] }"#;
        let second = r#"{ "applications": [ { "name": "a" }, { "name": "d" } ],
            "servicegroups": [ { "services": [ { "service": 7, "instance": "0x3" } ] } ] }"#;
        let second = format!("\u{feff}{second}"); // a byte order mark
        let folder =
            Folder::new("settings", &[("1.json", first), ("2.json", &second), ("3.json", "{,")]);
        let configuration = Configuration::read("a", vec![folder.0.clone()]);
        let settings = |name: &str| {
            let settings = configuration.settings(name)?;
            Some((settings.max_dispatchers, settings.max_dispatch_time.as_millis()))
        };
        assert_eq!(settings("a"), Some((0, 250)), "the first one counts");
        assert_eq!(settings("b"), Some((10, 40)));
        assert_eq!(settings("c"), Some((10, 0)), "as vsomeip reads it");
        assert_eq!(settings("d"), Some((10, 100)));
        assert_eq!(settings("e"), None);
        assert_eq!(configuration.services(), [(0x1111, 2), (7, 3)]);
        let [(skipped, _)] = &configuration.skipped[..] else { panic!("{configuration:?}") };
        assert_eq!(*skipped, folder.0.join("3.json"));
        assert!(
            configuration.is("a", &folder.0) && !configuration.is("a", &folder.0.join("1.json"))
        );
    }

    #[test]
    fn services_of_other_hosts_are_not_ours() {
        let file = r#"{ "unicast": "10.0.0.1", "services": [
            { "service": 1, "instance": 1 },
            { "service": 2, "instance": 1, "unicast": "10.0.0.2" },
            { "service": 3, "instance": 1, "unicast": "10.0.0.1" },
            { "service": 4, "instance": 1, "unicast": "local" },
            { "service": 5, "instance": 1, "unicast": "127.0.0.1" },
            { "service": 6, "instance": 1, "unicast": "" } ] }"#;
        let groups = r#"{ "unicast": "10.0.0.2", "servicegroups": [
            { "unicast": "10.0.0.2", "services": [
                { "service": 7, "instance": 1 },
                { "service": 8, "instance": 1, "unicast": "10.0.0.1" } ] },
            { "services": [ { "service": 9, "instance": 1 } ] } ] }"#;
        let folder = Folder::new("hosts", &[("1.json", file), ("2.json", groups)]);
        let configuration = Configuration::read("a", vec![folder.0.clone()]);
        let services: Vec<_> =
            configuration.services().iter().map(|(service, _)| *service).collect();
        assert_eq!(services, [1, 3, 4, 5, 6, 8, 9], "the first address counts");
        let nowhere = Configuration::read("a", vec![folder.0.join("2.json")]);
        assert_eq!(nowhere.services(), [(7, 1), (9, 1)]);
    }

    #[test]
    fn an_address_may_name_its_zone() {
        let file = r#"{ "unicast": "fe80::1%eth0", "services": [
            { "service": 1, "instance": 1, "unicast": "fe80::1" },
            { "service": 2, "instance": 1, "unicast": "fe80::2%eth0" } ] }"#;
        let folder = Folder::new("zone", &[("1.json", file)]);
        let configuration = Configuration::read("a", vec![folder.0.clone()]);
        assert_eq!(configuration.services(), [(1, 1)]);
        assert_eq!(address("fe80::1%eth0"), address("fe80::1"));
        assert!(
            ["10.0.0.1%eth0", "fe80::1%", "%eth0", ""].map(address).iter().all(Option::is_none)
        );
    }

    #[test]
    fn mandatory_files_are_known_by_the_end_of_their_paths() {
        let is = |list: &str, path: &str| is_mandatory(list, Path::new(path));
        assert!(is(MANDATORY, "/etc/vsomeip/vsomeip_std.json"));
        assert!(is(MANDATORY, "/etc/vsomeip/my_vsomeip_std.json"), "as vsomeip compares");
        assert!(!is(MANDATORY, "/etc/vsomeip/vsomeip_std.json.old"));
        assert!(is("a.json, b.json", "/etc/b.json") && is("x/b.json", "/etc/x/b.json"));
        assert!(!is("x/b.json", "/etc/b.json") && !is("", "/etc/b.json"));
    }

    #[test]
    fn other_files_are_read_where_the_mandatory_ones_leave_it_open() {
        let routing = |name: &str| format!("{{ \"routing\": \"{name}\" }}");
        let app = r#"{ "applications": [ { "name": "door" } ] }"#;
        for (manager, read) in [("door", true), ("other", false)] {
            let files = [("vsomeip_std.json", &*routing(manager)), ("app.json", app)];
            let folder = Folder::new(manager, &files);
            let configuration = Configuration::read("door", vec![folder.0.clone()]);
            assert_eq!(configuration.settings("door").is_some(), read, "{manager}");
        }
    }
}
