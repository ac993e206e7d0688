// SPDX-License-Identifier: MIT OR Apache-2.0

//! The applications that a configuration names: of a file, or of the files of a folder.

use super::VsomeipApplicationConfig;
use super::check::Text;
use crate::vsomeip::{configuration_files, without_mark};
use serde_json::value::RawValue;
use std::path::Path;
use up_rust::{UCode, UStatus};

/// An application that a file names.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) config: VsomeipApplicationConfig,
    /// What the file had better say.
    pub(super) warnings: Vec<String>,
}

/// The applications of a configuration that has no mistakes, in the order in which vsomeip reads them.
#[derive(Debug)]
pub(crate) struct Applications {
    pub(super) all: Vec<Application>,
    /// Path and line where one would be.
    pub(super) place: String,
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
        Self::of(without_mark(text), path)
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

    /// Names and ids, for tests.
    #[cfg(test)]
    pub(super) fn ids(&self) -> Vec<(&str, u16)> {
        let config = self.all.iter().map(|application| &application.config);
        config.map(|config| (config.name.as_str(), config.id)).collect()
    }
}

/// Whether a file of a folder is JSON, or is called so.
fn is_meant(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        || std::fs::read_to_string(file)
            .is_ok_and(|text| serde_json::from_str::<&RawValue>(without_mark(&text)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(read.ids(), [("a", 1)], "a byte order mark is no mistake");
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
        assert_eq!(read.ids(), [("v", 5), ("c", 3), ("d", 4)], "the mandatory files first");
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
