// SPDX-License-Identifier: MIT OR Apache-2.0

//! Values of vsomeip's JSON. vsomeip takes each of them as text, so a number may stand with quotes or
//! without; what is no such value is told with the line it stands on.

use crate::vsomeip::address;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::net::IpAddr;

/// A value that vsomeip reads from text: what it is, for the error, and how it is read.
struct Scalar<T> {
    what: &'static str,
    read: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        let text = if value { "true" } else { "false" };
        (self.read)(text).ok_or_else(|| E::invalid_type(Unexpected::Bool(value), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        (self.read)(&number.to_string())
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Err(E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// An id as vsomeip reads it: hexadecimal after `0x`, else decimal. The peer reads one without `0x` as
/// hexadecimal, too; here it is vsomeip's file. (After `0X` vsomeip would read 0.)
pub(super) fn id<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    from.deserialize_any(Scalar {
        what: "an id from 0 to 65535: write \"0x1234\", with a small x, or 4660",
        read: |text| match text.strip_prefix("0x") {
            Some(digits) if !digits.starts_with('+') => u16::from_str_radix(digits, 16).ok(),
            Some(_) => None,
            None => text.parse().ok(),
        },
    })
}

macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $what:literal, $read:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) struct $name(pub(super) $type);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let read: fn(&str) -> Option<$type> = $read;
                from.deserialize_any(Scalar { what: $what, read }).map($name)
            }
        }
    )*};
}

scalars! {
    /// A time in milliseconds.
    Milliseconds(u64) = "a number of milliseconds, as \"100\" or 100", |text| text.parse().ok();
    /// How many.
    Count(u64) = "a count, as \"0\" or 0", |text| text.parse().ok();
    /// vsomeip reads a port to the first character that is no digit, and takes what is left for none.
    Port(u16) = "a port from 0 to 65535, as \"30490\" or 30490", |text| text.parse().ok();
    Address(IpAddr) = "an IP address, as \"10.0.0.1\"", address;
    /// What vsomeip takes for the address of a service's host.
    Host(()) = "an IP address, as \"10.0.0.1\", or \"local\"",
        |text| (["", "local"].contains(&text) || address(text).is_some()).then_some(());
    /// vsomeip takes whatever is not "true" for false.
    Flag(bool) = "\"true\" or \"false\"", |text| text.parse().ok();
}

/// An [`id`] that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(pub(super) u16);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        id(from).map(Id)
    }
}

/// What to do about a mistake that serde_json tells of.
pub(super) fn remedy(error: &serde_json::Error) -> &'static str {
    use serde_json::error::Category;
    let what = error.to_string();
    match error.classify() {
        Category::Eof => "; a bracket, a brace or a quote is not closed",
        Category::Syntax if what.starts_with("trailing comma") => "; take the comma away",
        Category::Syntax => {
            "; JSON has no comments, no comma after the last element, and double quotes around names \
             and texts"
        }
        Category::Data if what.contains("expected a sequence") => "; write a list: [ .., .. ]",
        Category::Data if what.starts_with("missing field `port`") => {
            "; add it, as \"port\": \"30509\""
        }
        Category::Data if what.starts_with("duplicate field") => "; keep one of them",
        Category::Data | Category::Io => "",
    }
}
