// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which crates a path's first word may mean, by what cargo resolved: renames in Cargo.toml, and crates
//! that hand on what they depend on, as `tokio::main` comes from `tokio-macros`.

use crate::cargo::is_macros;
use cargo_metadata::{Metadata, PackageId, TargetKind};
use std::collections::{BTreeSet, HashMap, HashSet};

/// By a macro crate's name, the names of the dependencies that have it or depend on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(HashMap<String, BTreeSet<String>>);

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
        Names(names)
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
                    || self.0.get(crate_name).is_some_and(|names| names.contains(first))
            }
        }
    }

    /// The first words by which `crate_name` is reached.
    pub(crate) fn ways_to(&self, crate_name: &str) -> String {
        let known = self.0.get(crate_name).into_iter().flatten().map(|name| format!("`{name}::`"));
        let all: Vec<String> = known.collect();
        if all.is_empty() { format!("`{crate_name}::`") } else { all.join(" or ") }
    }
}
