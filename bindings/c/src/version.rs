// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which ABI the loaded library speaks.

use crate::RB_ABI;

/// The version of the ABI that the loaded library speaks; see the macro `RB_ABI_MATCHES`.
///
/// Owner: nothing changes hands. Thread: any. Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn rb_abi_version() -> u32 {
    RB_ABI
}
