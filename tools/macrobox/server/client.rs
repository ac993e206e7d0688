// SPDX-License-Identifier: MIT OR Apache-2.0

//! A library's macros, in the two forms in which compilers list them.
//!
//! To Rust 1.97 an entry tells name and kind. Later ones are functions alone (`--cfg nameless`): there
//! the tool has the toolchain read the names, which stand in the library's metadata in the same order.

use crate::message::{Declared, Kind};
use proc_macro::bridge::client::Client;
use proc_macro::bridge::{PanicMessage, server};

#[cfg(nameless)]
pub use proc_macro::bridge::client::Client as Entry;
#[cfg(not(nameless))]
pub use proc_macro::bridge::client::ProcMacro as Entry;

#[cfg(not(nameless))]
pub type One = Client<proc_macro::TokenStream, proc_macro::TokenStream>;
#[cfg(not(nameless))]
pub type Two = Client<(proc_macro::TokenStream, proc_macro::TokenStream), proc_macro::TokenStream>;
#[cfg(nameless)]
pub type One = Client;
#[cfg(nameless)]
pub type Two = Client;

/// What the compiler calls.
#[derive(Clone, Copy)]
pub enum Function {
    /// Takes an item, or what stands between a call's delimiters.
    One(One),
    /// Takes an attribute's arguments, and the item.
    Two(Two),
}

/// One macro of a library.
#[derive(Clone)]
pub struct Macro {
    pub declared: Declared,
    pub function: Function,
}

/// The macros of `library`. `known` are their names, where the library does not list them.
#[cfg(not(nameless))]
pub fn macros(library: &[Entry], _known: &[Declared]) -> Result<Vec<Macro>, String> {
    let each = library.iter().map(|one| {
        let (kind, name, helpers, function) = match *one {
            Entry::CustomDerive { trait_name, attributes, client } => {
                (Kind::Derive, trait_name, attributes, Function::One(client))
            }
            Entry::Attr { name, client } => (Kind::Attribute, name, &[][..], Function::Two(client)),
            Entry::Bang { name, client } => (Kind::Function, name, &[][..], Function::One(client)),
        };
        let helpers = Some(helpers.iter().map(|name| (*name).to_owned()).collect());
        Macro { declared: Declared { kind, name: name.to_owned(), helpers }, function }
    });
    Ok(each.collect())
}

/// The macros of `library`. `known` are their names, where the library does not list them.
#[cfg(nameless)]
pub fn macros(library: &[Entry], known: &[Declared]) -> Result<Vec<Macro>, String> {
    let (here, named) = (library.len(), known.len());
    if here != named {
        return Err(format!("the library has {here} macros, and its metadata names {named}"));
    }
    let each = library.iter().zip(known).map(|(client, declared)| {
        let function = match declared.kind {
            Kind::Attribute => Function::Two(*client),
            Kind::Derive | Kind::Function => Function::One(*client),
        };
        Macro { declared: declared.clone(), function }
    });
    Ok(each.collect())
}

impl Function {
    /// Calls it; `server` answers what it asks.
    pub fn run<S>(
        self,
        server: S,
        attribute: Option<S::TokenStream>,
        input: S::TokenStream,
    ) -> Result<S::TokenStream, PanicMessage>
    where
        S: server::Server,
    {
        let attribute = attribute.unwrap_or_default();
        let strategy = &server::SAME_THREAD;
        match self {
            #[cfg(not(nameless))]
            Function::One(client) => client.run(strategy, server, input, false),
            #[cfg(not(nameless))]
            Function::Two(client) => client.run(strategy, server, attribute, input, false),
            #[cfg(nameless)]
            Function::One(client) => client.run1(strategy, server, input, false),
            #[cfg(nameless)]
            Function::Two(client) => client.run2(strategy, server, attribute, input, false),
        }
    }

    /// `entry`, of which this is the function, with `one` or `two` in its place.
    pub fn replaced(self, entry: &Entry, one: One, two: Two) -> Entry {
        match (self, *entry) {
            #[cfg(not(nameless))]
            (_, Entry::CustomDerive { trait_name, attributes, .. }) => {
                Entry::CustomDerive { trait_name, attributes, client: one }
            }
            #[cfg(not(nameless))]
            (_, Entry::Attr { name, .. }) => Entry::Attr { name, client: two },
            #[cfg(not(nameless))]
            (_, Entry::Bang { name, .. }) => Entry::Bang { name, client: one },
            #[cfg(nameless)]
            (Function::One(_), _) => one,
            #[cfg(nameless)]
            (Function::Two(_), _) => two,
        }
    }
}
