// SPDX-License-Identifier: MIT OR Apache-2.0

//! `server`: for rust-analyzer, in place of the toolchain's server. The same protocol, but each
//! expansion is boxed: a hostile macro costs one expansion, is named on stderr, which
//! rust-analyzer logs, and healthy ones go on.

use super::BoxOptions;
use super::session::expander;
use crate::flat::{Flat, Spans, VERSION, from_flat, to_flat};
use crate::library::{Stamp, stamp};
use crate::{Call, Compiler, Declared, Error, Expander, Kind, Library, Source};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The protocol: `json-legacy`, which is the only one spoken here
    #[arg(long, default_value = "json-legacy")]
    format: String,
}

#[derive(Debug, Deserialize)]
struct ExpandMacro {
    lib: PathBuf,
    #[serde(default)]
    env: Vec<(String, String)>,
    current_dir: Option<String>,
    macro_body: Flat,
    macro_name: String,
    attributes: Option<Flat>,
    #[serde(default)]
    has_global_spans: Sites,
    #[serde(default)]
    span_data_table: Vec<u32>,
}

#[derive(Debug, Default, Deserialize)]
struct Sites {
    def_site: u32,
    call_site: u32,
    mixed_site: u32,
}

struct Server {
    compiler: Compiler,
    expander: Expander,
    libraries: HashMap<PathBuf, Known>,
}

/// A library and its macros.
struct Known {
    library: Library,
    macros: Vec<Declared>,
    /// Of the file that it was read from.
    stamp: Stamp,
}

pub(super) fn run(options: &BoxOptions, arguments: &Arguments) -> Result<bool, Error> {
    if arguments.format != "json-legacy" {
        let message =
            format!("the format `{}` is not spoken here: use json-legacy", arguments.format);
        return Err(Error::Name(message));
    }
    let compiler = Compiler::current()?;
    let expander = expander(&compiler, options)?;
    let mut server = Server { compiler, expander, libraries: HashMap::new() };
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(Error::io("reading a request"))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match serde_json::from_str(&line) {
            Ok(request) => server.answer(request),
            Err(error) => return Err(Error::Name(format!("not a request: {error}"))),
        };
        let sent = writeln!(stdout, "{answer}").and_then(|()| stdout.flush());
        sent.map_err(Error::io("sending an answer"))?;
    }
    Ok(true)
}

impl Server {
    fn answer(&mut self, mut request: Value) -> Value {
        if request.get("ApiVersionCheck").is_some() {
            return json!({ "ApiVersionCheck": VERSION });
        }
        if let Some(mode) = request.get("SetConfig") {
            return json!({ "SetConfig": mode });
        }
        if let Some(path) = request["ListMacros"]["dylib_path"].as_str() {
            return match self.list(path.as_ref()) {
                Ok(macros) => json!({ "ListMacros": { "Ok": macros } }),
                Err(error) => json!({ "ListMacros": { "Err": error.to_string() } }),
            };
        }
        let result = match serde_json::from_value(request["ExpandMacro"].take()) {
            Ok(call) => self.expand(call).map_err(|error| error.to_string()),
            Err(error) => Err(format!("not a request that this server knows: {error}")),
        };
        match result {
            Ok(tree) => json!({ "ExpandMacroExtended": { "Ok": tree } }),
            Err(message) => json!({ "ExpandMacroExtended": { "Err": message } }),
        }
    }

    /// The library at `path` with its macros; loaded only if it was not, or is another by now.
    fn known(&mut self, path: &Path) -> Result<(Library, Vec<Declared>), Error> {
        let stamp = stamp(path);
        if let Some(Known { library, macros, .. }) =
            self.libraries.get(path).filter(|known| known.stamp == stamp && stamp.is_some())
        {
            return Ok((library.clone(), macros.clone()));
        }
        let library = Library::open(path, &self.compiler)?;
        let macros = self.expander.list(&library)?;
        let known = Known { library: library.clone(), macros: macros.clone(), stamp };
        self.libraries.insert(path.into(), known);
        Ok((library, macros))
    }

    fn list(&mut self, path: &Path) -> Result<Vec<(String, &'static str)>, Error> {
        let (_, macros) = self.known(path)?;
        let kind = |kind| match kind {
            Kind::Derive => "CustomDerive",
            Kind::Attribute => "Attr",
            Kind::Function => "Bang",
        };
        Ok(macros.into_iter().map(|one| (one.name, kind(one.kind))).collect())
    }

    fn expand(&mut self, given: ExpandMacro) -> Result<Value, Error> {
        let (library, macros) = self.known(&given.lib)?;
        let Sites { def_site, call_site, mixed_site } = given.has_global_spans;
        let mut spans = Spans::new(given.span_data_table, def_site, call_site, mixed_site);
        let damaged = || Error::Name("the request's token tree leads nowhere".into());
        let input = from_flat(&given.macro_body, &spans).ok_or_else(damaged)?;
        let attribute = given.attributes.as_ref().map(|flat| from_flat(flat, &spans));
        let attribute = attribute.map(|stream| stream.ok_or_else(damaged)).transpose()?;
        // Only names are sent. An attribute comes with its arguments if it has any, a derive and a
        // function never; a library may have an attribute and a derive of one name.
        let named = || macros.iter().filter(|one| one.name == given.macro_name);
        let with_arguments = |kind| (kind == Kind::Attribute) == attribute.is_some();
        let known = named().find(|one| with_arguments(one.kind)).or_else(|| named().next());
        let kind = known.map_or(Kind::Function, |one| one.kind);
        let site = crate::Span::site(crate::Hygiene::Call);
        let sources = vec![Source::default()];
        let call = Call { kind, name: given.macro_name, attribute, input, site, sources };
        let options = self.expander.options();
        options.environment = given.env;
        options.directory = given.current_dir.map(PathBuf::from).unwrap_or_default();
        let expansion = self.expander.expand(&library, &call).inspect_err(|error| {
            eprintln!("macrobox: {}: {error}", library.path().display());
        })?;
        let tree = to_flat(&expansion.stream, &mut spans);
        Ok(json!({ "tree": tree, "span_data_table": spans.into_table() }))
    }
}
