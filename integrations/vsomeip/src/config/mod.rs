// SPDX-License-Identifier: MIT OR Apache-2.0

//! How a transport is set up: vsomeip's JSON, read or generated, and the transport's own options.

mod applications;
mod build;
mod check;
mod given;
mod json;
mod keys;
mod options;

pub(crate) use self::{applications::Applications, given::Given};
pub use self::{
    build::VsomeipConfiguration,
    options::{Options, RuntimeConfig},
};

use crate::ClientId;
use serde::{Deserialize, Serialize};

/// The vsomeip application: its name and client id.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct VsomeipApplicationConfig {
    pub(crate) name: String,
    #[serde(deserialize_with = "json::id")]
    pub(crate) id: ClientId,
}

impl VsomeipApplicationConfig {
    /// An application of this name and client id. The name must be unique in the process, the id in
    /// the network; by the specification the id is the `ue_id` of the uEntity.
    pub fn new(name: &str, id: ClientId) -> Self {
        VsomeipApplicationConfig { name: name.to_string(), id }
    }
}
