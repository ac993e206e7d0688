//! A user's crate: real macros, called in every way that a name can take.

#![allow(dead_code)]

use serde::Deserialize as Read;
use std::collections::HashMap;

/// A documented type, with "quotes" and a back\slash, and non-ASCII: grüße.
#[derive(Debug, Clone, serde::Serialize, Read)]
#[serde(rename_all = "camelCase")]
pub struct Point<'a, T: Clone = i32>
where
    T: PartialEq,
{
    /// The first.
    first: T,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second: Option<&'a str>,
    r#type: u8,
    #[cfg(any())]
    gone: NoSuchType,
    name_of_the_thing: HashMap<String, Vec<(i8, f64)>>,
}

#[derive(serde::Serialize, serde::Deserialize, PartialEq, Eq, Hash)]
#[serde(tag = "kind", content = "value")]
pub enum Shape {
    Unit,
    Tuple(i32, String),
    Struct { width: u32, height: u32 },
}

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{0} is not {max}, and {{}} stays", max = i32::MAX)]
    Range(i64),
    #[error(transparent)]
    Other(#[from] std::fmt::Error),
}

#[derive(clap::Parser)]
#[command(version, about = "real")]
pub struct Arguments {
    /// How often
    #[arg(short, long, default_value_t = 3)]
    times: u8,
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
pub enum Task {
    /// Adds
    Add { name: Option<String> },
    Remove,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Colour {
    Red,
    #[value(name = "GREEN")]
    Green,
}

#[async_trait::async_trait]
pub trait Store {
    async fn get(&self, key: &str) -> Option<Vec<u8>>;
    async fn put<'a>(&mut self, key: &'a str, value: &'a [u8]) -> Result<(), Fault>
    where
        'a: 'a,
    {
        let _ = (key, value);
        Ok(())
    }
}

pub struct Memory(HashMap<String, Vec<u8>>);

#[async_trait::async_trait]
impl Store for Memory {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }
}

#[tokio::main(flavor = "current_thread")]
pub async fn start() -> i32 {
    let sum = tokio::join!(async { 1 }, async { 2 });
    tokio::select! {
        value = async { sum.0 + sum.1 } => value,
        _ = tokio::time::sleep(std::time::Duration::from_secs(1)) => 0,
    }
}

/// Calls made by another macro, with groups that no source text has.
macro_rules! typed {
    ($name:ident, $type:ty, $value:expr) => {
        #[derive(serde::Serialize)]
        pub struct $name($type);
        pub fn made() -> i32 {
            zoo_gentle::echo!($value * 2)
        }
    };
}
typed!(Typed, Vec<Option<i32>>, 1 + 2);

ringback::callback_pool! {
    pub static ON_EVENT: Pool<unsafe extern "C" fn(code: i32) -> i32, 64>;
    fallback = -1;
}

zoo_gentle::echo! {
    /// every literal
    pub const ALL: (u8, char, i64, f64, &str, &str, &[u8], &[u8], &std::ffi::CStr, u16) = (
        b'\n', '\u{41}', -0x7f_i64, 1e-3_f64, "a\tb", r#"raw "str""#, b"bytes", br"raw\bytes", c"c",
        0b1010_u16,
    );
    pub fn pair(t: ((i32, f64), u8)) -> f64 { 'l: { break 'l }; t.0.1 }
}

ringback::callback_type! {
    /// Told whether the door is open.
    pub struct OnDoor: fn(open: bool) -> i32
}

ringback::callback_type! {
    pub struct OnWork: async fn(code: i32) -> i32
}

#[ringback::hook]
pub async fn describe(value: u64, name: &str) -> String {
    format!("{name} of {value}")
}

/// With a slot, a named lifetime and a result that borrows.
#[ringback::hook(slot)]
pub async fn first<'a, T: Sync>(words: &'a [T], _: &str) -> Option<&'a T> {
    words.first()
}

pub fn stored() -> fn(u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
    ringback::hook::hook!(async move |value: u64| -> u64 { value * 2 })
}
