// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a macro is called: by cargo, whose word for a path's first word counts (renames in Cargo.toml,
//! and crates that hand on what they depend on, as `tokio::main` comes from `tokio-macros`), and by the
//! compiler, who met each name of a crate that was recorded, whatever `use .. as` gave it.

use crate::cargo::is_macros;
use crate::library::crate_name;
use crate::{Kind, Record, Recording};
use cargo_metadata::{Metadata, PackageId, TargetKind};
use std::collections::{BTreeSet, HashMap, HashSet};

#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// By a macro crate's name, the names of the dependencies that have it or depend on it.
    crates: HashMap<String, BTreeSet<String>>,
    called: HashSet<Called>,
}

/// A macro, and a path by which the compiler found it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Called {
    path: String,
    pub kind: Kind,
    /// Its own name.
    pub name: String,
    /// The file that it is in.
    pub library: String,
}

impl Names {
    /// For the code of `package`, or of all members of the workspace.
    pub(crate) fn of(metadata: &Metadata, package: Option<&str>) -> Names {
        let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
        let by_id: HashMap<&PackageId, _> = nodes.iter().map(|node| (&node.id, node)).collect();
        let mut macros = HashMap::new();
        for one in metadata.packages.iter().filter(is_macros) {
            for target in
                one.targets.iter().filter(|target| target.kind.contains(&TargetKind::ProcMacro))
            {
                macros.insert(&one.id, target.name.replace('-', "_"));
            }
        }
        let is_chosen = |id: &PackageId| match package {
            Some(name) => {
                metadata.packages.iter().any(|one| one.id == *id && one.name.as_str() == name)
            }
            None => metadata.workspace_members.contains(id),
        };
        let mut names: HashMap<String, BTreeSet<String>> = HashMap::new();
        for dependency in
            nodes.iter().filter(|node| is_chosen(&node.id)).flat_map(|node| &node.deps)
        {
            let mut reached = HashSet::from([&dependency.pkg]);
            let mut left = vec![&dependency.pkg];
            while let Some(id) = left.pop() {
                if let Some(name) = macros.get(id) {
                    names.entry(name.clone()).or_default().insert(dependency.name.clone());
                }
                let below = by_id.get(id).into_iter().flat_map(|node| &node.dependencies);
                left.extend(below.filter(|id| reached.insert(id)));
            }
        }
        Names { crates: names, called: HashSet::new() }
    }

    /// Adds by what names `recording`'s macros were called.
    pub(crate) fn learn(&mut self, recording: &Recording) {
        self.called.extend(recording.paths().map(|(record, path)| Called {
            path: path.into(),
            kind: record.kind,
            name: record.name.clone(),
            library: record.library.clone(),
        }));
    }

    /// What the compiler found by `path`, or by a longer one that ends so.
    pub(crate) fn called(&self, path: &str) -> impl Iterator<Item = &Called> {
        let path = path.strip_prefix("::").unwrap_or(path);
        self.called.iter().filter(move |one| {
            let before = one.path.strip_suffix(path);
            before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
        })
    }

    /// The last words of all paths by which the compiler found a macro of `crate_name`.
    pub(crate) fn words(&self, kind: Kind, name: &str, crate_name: &str) -> HashSet<String> {
        let is_it = |one: &&Called| {
            (one.kind, &*one.name) == (kind, name) && one.crate_name() == crate_name
        };
        let last = |one: &Called| one.path.rsplit("::").next().unwrap_or_default().to_owned();
        self.called.iter().filter(is_it).map(last).collect()
    }

    /// Is `record` a call of the macro that `wanted` names: `NAME`, `CRATE::NAME`, a path as the crate
    /// has it, or `*`?
    pub(crate) fn is_named(&self, record: &Record, wanted: &str) -> bool {
        let name = wanted.rsplit("::").next().unwrap_or_default();
        let is_own = (name == "*" || record.name == name)
            && self.leads_to(wanted, &crate_name(record.library.as_ref()));
        is_own
            || self.called(wanted).any(|one| {
                (one.kind, &one.name, &one.library) == (record.kind, &record.name, &record.library)
            })
    }

    /// Can `path` mean something of the macro crate `crate_name`? One word can, wherever it was
    /// imported from; of a longer path the first must be the crate's name, or a dependency's that
    /// has it.
    pub(crate) fn leads_to(&self, path: &str, crate_name: &str) -> bool {
        let path = path.strip_prefix("::").unwrap_or(path);
        match path.split_once("::") {
            None => true,
            Some((first, _)) => {
                first == crate_name
                    || self.crates.get(crate_name).is_some_and(|names| names.contains(first))
            }
        }
    }

    /// The first words by which `crate_name` is reached.
    pub(crate) fn ways_to(&self, crate_name: &str) -> String {
        let known =
            self.crates.get(crate_name).into_iter().flatten().map(|name| format!("`{name}::`"));
        let all: Vec<String> = known.collect();
        if all.is_empty() { format!("`{crate_name}::`") } else { all.join(" or ") }
    }
}

impl Called {
    /// As a path begins with it.
    pub(crate) fn crate_name(&self) -> String {
        crate_name(self.library.as_ref())
    }
}
