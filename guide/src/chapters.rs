// SPDX-License-Identifier: MIT OR Apache-2.0

//! The chapters of the guide: every Rust block in them is a documentation test of this crate.

macro_rules! chapters {
    ($($name:ident: $file:literal)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("../../docs/", $file))]
        pub mod $name {}
    )*};
}

chapters! {
    binding: "binding.md"
    c: "c.md"
    compare: "compare.md"
    cpp: "cpp.md"
    csharp: "csharp.md"
    figures: "figures.md"
    from_serenity: "from-serenity.md"
    from_up_transport_vsomeip: "from-up-transport-vsomeip.md"
    hook: "hook.md"
    hook_rules: "hook-rules.md"
    inbound: "inbound.md"
    index: "index.md"
    macrobox: "macrobox.md"
    outbound: "outbound.md"
    overflow: "overflow.md"
    platforms: "platforms.md"
    real_time: "real-time.md"
    vsomeip: "vsomeip.md"
    wrapping: "wrapping.md"
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../bindings/csharp/README.md")]
pub mod csharp_package {}
