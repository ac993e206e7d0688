// SPDX-License-Identifier: MIT OR Apache-2.0

//! How a transport is set up: vsomeip's JSON, read or generated, and the transport's own options.

mod build;
// It reads more than is used: what a mistake would be in. What is in force is read by `vsomeip`.
#[allow(dead_code)]
mod file;
mod options;

pub(crate) use self::file::File;
pub use self::{
    build::VsomeipConfiguration,
    options::{Options, RuntimeConfig},
};

use crate::ClientId;
use serde::{Deserialize, Deserializer, Serialize};

/// The vsomeip application: its name and client id.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct VsomeipApplicationConfig {
    pub(crate) name: String,
    #[serde(deserialize_with = "number")]
    pub(crate) id: ClientId,
}

impl VsomeipApplicationConfig {
    /// An application of this name and client id. The name must be unique in the process, the id in
    /// the network; by the specification the id is the `ue_id` of the uEntity.
    pub fn new(name: &str, id: ClientId) -> Self {
        VsomeipApplicationConfig { name: name.to_string(), id }
    }
}

/// An id as vsomeip writes it: a string, hexadecimal after `0x`. The peer reads one without `0x` as
/// hexadecimal, too, and vsomeip as decimal; here it is vsomeip's file.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let text = String::deserialize(from)?;
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| {
        let what = format!("{text:?} is no id: write \"0x1234\", a string, from 0x0000 to 0xFFFF");
        serde::de::Error::custom(what)
    })
}
