// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can go wrong with vsomeip.

use super::load::LoadError;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Why an application could not be made, or a call into vsomeip failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The library is not there, or not the one this program was built for.
    Load(LoadError),
    /// No application can have this name: it is empty, or has a NUL in it.
    Name(String),
    /// This process has an application of that name already.
    NameTaken(String),
    /// Another application of this machine has the client id, in this process or another.
    IdTaken {
        /// The application's name.
        name: String,
        /// The id that the configuration gives it.
        id: u16,
        /// The local socket of whoever has it.
        socket: PathBuf,
    },
    /// vsomeip did not accept the configuration; it has logged why.
    Init(String),
    /// The routing manager did not register the application in time.
    NotRegistered {
        /// The application's name.
        name: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The application of this name has been stopped, or the process is ending.
    Stopped(String),
    /// A C++ exception, by its text.
    Exception(String),
    /// No thread could be started.
    Thread(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Load(error) => error.fmt(f),
            Error::Name(name) => {
                write!(
                    f,
                    "no vsomeip application can be named {name:?}: give it a name without NUL"
                )
            }
            Error::NameTaken(name) => {
                write!(
                    f,
                    "this process already has a vsomeip application named {name:?}: give each a name \
                     of its own, or end the other one first"
                )
            }
            Error::IdTaken { name, id, socket } => write!(
                f,
                "another application has the client id {id:#06x} of {name:?}, in this process or \
                 another: its socket is {}. Give each application of this machine an \"id\" of its \
                 own in the configuration, start each once, or use another \"network\"",
                socket.display()
            ),
            Error::Init(name) => write!(
                f,
                "vsomeip refused the configuration of {name:?}; its log says why. Often another \
                 process of this network is the routing manager already"
            ),
            Error::NotRegistered { name, waited } => write!(
                f,
                "no routing manager registered {name:?} within {waited:?}: is the one that the \
                 configuration names running, and in the same \"network\"?"
            ),
            Error::Stopped(name) => {
                write!(f, "the vsomeip application {name:?} has been stopped, or the process ends")
            }
            Error::Exception(text) => write!(f, "vsomeip: {text}"),
            Error::Thread(error) => write!(f, "no thread for vsomeip: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<cxx::Exception> for Error {
    fn from(exception: cxx::Exception) -> Self {
        Error::Exception(exception.what().to_owned())
    }
}

/// A result of vsomeip.
pub type Result<T, E = Error> = std::result::Result<T, E>;
