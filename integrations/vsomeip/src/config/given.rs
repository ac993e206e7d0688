// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a transport is given for a configuration.

use super::build::{InMemory, VsomeipConfiguration};
use super::{Applications, VsomeipApplicationConfig};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use up_rust::UStatus;

#[derive(Debug, Clone, Default)]
pub(crate) enum Given {
    /// One is generated.
    #[default]
    Nothing,
    /// A file, or a folder of them.
    Files(PathBuf),
    Built(VsomeipConfiguration),
}

/// Where vsomeip finds it, as long as this lives.
pub(crate) enum Place {
    Files(PathBuf),
    InMemory(InMemory),
}

impl Place {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Place::Files(path) => path,
            Place::InMemory(memory) => &memory.path,
        }
    }
}

impl Given {
    /// Warns of what it had better say of an application.
    ///
    /// # Errors
    /// Its mistakes.
    pub(crate) fn check(&self, name: &str) -> Result<(), UStatus> {
        let applications = match self {
            Given::Nothing => return Ok(()),
            Given::Files(path) => Applications::read(path)?,
            Given::Built(built) => {
                Applications::of(&built.to_json(), Path::new("configuration built in code"))?
            }
        };
        applications.warn_of(name);
        Ok(())
    }

    /// # Errors
    /// No file in memory could be made.
    pub(crate) fn place(&self, application: &VsomeipApplicationConfig) -> io::Result<Place> {
        Ok(match self {
            Given::Nothing => Place::InMemory(VsomeipConfiguration::new(application).in_memory()?),
            Given::Files(path) => Place::Files(path.clone()),
            Given::Built(built) => Place::InMemory(built.in_memory()?),
        })
    }

    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Given::Nothing)
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Given::Nothing => f.write_str("a generated configuration"),
            Given::Files(path) => path.display().fmt(f),
            Given::Built(_) => f.write_str("the configuration built in code"),
        }
    }
}
