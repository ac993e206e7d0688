// SPDX-License-Identifier: MIT OR Apache-2.0

//! Asks cargo for packages, their macro crates and where the built libraries lie.

use crate::interrupt;
use crate::library::crate_name;
use crate::names::Names;
use crate::record::{EVERY_CRATE, cargo_program, check_cargo, own_target_folder, run_clean};
use crate::{Compiler, Error, Library};
use cargo_metadata::{
    Message, Metadata, MetadataCommand, Package, Target as CargoTarget, TargetKind,
};
use std::collections::{HashMap, HashSet};
use std::io::{BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Which package, and with which features, as given on the command line.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Selection {
    /// Path to Cargo.toml
    #[arg(long, global = true)]
    pub manifest_path: Option<PathBuf>,
    /// Features to build with, as cargo takes them
    #[arg(long, global = true)]
    pub features: Vec<String>,
    /// Build with all features
    #[arg(long, global = true)]
    pub all_features: bool,
    /// Build without default features
    #[arg(long, global = true)]
    pub no_default_features: bool,
    /// Show the cargo and rustc calls
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What cargo can check: one crate, or all that a lock file needs.
#[derive(Debug, Clone)]
pub struct Target {
    /// The crate's name, as rustc gets it; `*` for all crates of the lock file.
    pub crate_name: String,
    /// Its first file; none for all crates.
    pub(crate) root: PathBuf,
    /// The packages whose crates are checked anew, so that their calls are recorded.
    pub(crate) callers: Vec<String>,
    /// `--package NAME --lib` and so on.
    chosen: Vec<String>,
    /// Where our own builds go.
    pub folder: PathBuf,
    /// What its code calls the macro crates.
    pub(crate) names: Names,
    selection: Selection,
}

pub(crate) fn is_macros(one: &&Package) -> bool {
    one.targets.iter().any(|target| target.kind.contains(&TargetKind::ProcMacro))
}

/// A macro crate that was built.
#[derive(Debug, Clone)]
pub struct MacroCrate {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The built library.
    pub path: PathBuf,
    /// False for a path outside the workspace: its version does not tell what is in it.
    pub pinned: bool,
    /// What cargo calls the package, apart from all others.
    pub id: String,
}

/// A macro crate that the lock file has, whether or not it is built here.
#[derive(Debug, Clone)]
pub struct LockedMacros {
    /// What cargo calls the package, apart from all others.
    pub id: String,
    /// The crate's name, and `@` with its version where the lock file has several.
    pub name: String,
}

impl MacroCrate {
    /// The crate's name, as a path begins with it.
    pub fn crate_name(&self) -> String {
        crate_name(&self.path)
    }

    /// The library, if `compiler` built it.
    pub fn library(&self, compiler: &Compiler) -> Result<Library, Error> {
        Library::open(&self.path, compiler)
    }
}

impl Selection {
    /// What cargo knows of the workspace.
    pub fn metadata(&self) -> Result<Metadata, Error> {
        check_cargo()?;
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo_program());
        if let Some(path) = &self.manifest_path {
            command.manifest_path(path);
        }
        let features = self.features();
        command.other_options(features);
        command.exec().map_err(|error| Error::Cargo(error.to_string()))
    }

    fn features(&self) -> Vec<String> {
        let mut all = Vec::new();
        for features in &self.features {
            all.extend(["--features".to_owned(), features.clone()]);
        }
        all.extend(self.all_features.then(|| "--all-features".to_owned()));
        all.extend(self.no_default_features.then(|| "--no-default-features".to_owned()));
        all
    }

    fn cargo(&self, task: &str, folder: &Path) -> Command {
        let mut command = Command::new(cargo_program());
        command.arg(task).arg("--target-dir").arg(folder);
        if let Some(path) = &self.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        command
    }

    /// Builds what `package` (or the workspace) needs, and finds the macro crates among it: with
    /// the features that cargo gives them in this very build.
    pub fn macro_crates(&self, package: Option<&str>) -> Result<Vec<MacroCrate>, Error> {
        self.named_crates(package).map(|(crates, _)| crates)
    }

    /// The same, with the names by which `package`'s code, or the workspace's, reaches them.
    pub(crate) fn named_crates(
        &self,
        package: Option<&str>,
    ) -> Result<(Vec<MacroCrate>, Names), Error> {
        let metadata = self.metadata()?;
        let mut found = Vec::new();
        let checked = self.artifacts(&metadata, "check", package, &mut found)?;
        // Macro crates that are asked for themselves are only checked by that, not built.
        let asked = metadata.packages.iter().filter(|one| match package {
            Some(name) => one.name.as_str() == name,
            None => metadata.workspace_members.contains(&one.id),
        });
        for own in asked.filter(is_macros) {
            if !found.iter().any(|known| known.package == own.name.as_str()) {
                self.artifacts(&metadata, "build", Some(own.name.as_str()), &mut found)?;
            }
        }
        // A crate that does not compile does not keep its macro crates from being looked at.
        if !checked && found.is_empty() {
            return Err(Error::Cargo("cargo check failed, see above".into()));
        }
        let key = |one: &MacroCrate| (one.package.clone(), one.version.clone());
        found.sort_by_key(key);
        found.dedup_by(|one, other| one.path == other.path);
        Ok((found, Names::of(&metadata, package)))
    }

    /// The macro crates of the lock file that `package` (or the workspace) may ever need: those too that
    /// only its tests need, only another target, or only a feature that is off.
    pub fn locked_macros(&self, package: Option<&str>) -> Result<Vec<LockedMacros>, Error> {
        // Cargo locks for all features, and names none that are off.
        let all = Selection { features: Vec::new(), all_features: true, ..self.clone() };
        let metadata =
            Selection { no_default_features: false, ..all }.metadata().map_err(|error| {
                Error::Cargo(format!("asking for all of the lock file, with all features: {error}"))
            })?;
        let is_asked = |one: &&Package| match package {
            Some(name) => one.name.as_str() == name,
            None => metadata.workspace_members.contains(&one.id),
        };
        let asked = metadata.packages.iter().filter(is_asked).map(|one| &one.id);
        let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
        let nodes: HashMap<_, _> = nodes.iter().map(|node| (&node.id, node)).collect();
        let mut ahead: Vec<_> = asked.collect();
        let mut reached = HashSet::new();
        while let Some(id) = ahead.pop() {
            if reached.insert(id) {
                ahead.extend(nodes.get(id).into_iter().flat_map(|node| &node.dependencies));
            }
        }
        let mut found: Vec<_> = metadata.packages.iter().filter(is_macros).collect();
        found.retain(|one| reached.contains(&one.id));
        let name = |one: &Package| {
            let mut targets = one.targets.iter();
            let macros = targets.find(|target| target.kind.contains(&TargetKind::ProcMacro));
            macros.map_or_else(String::new, |target| target.name.replace('-', "_"))
        };
        let locked = found.iter().map(|one| {
            let own = name(one);
            let is_only = found.iter().filter(|other| name(other) == own).count() == 1;
            let name = if is_only { own } else { format!("{own}@{}", one.version) };
            LockedMacros { id: one.id.repr.clone(), name }
        });
        Ok(locked.collect())
    }

    /// Has the macro crates that `package` (or the workspace) may need built anew.
    pub(crate) fn forget_macro_crates(&self, package: Option<&str>) -> Result<(), Error> {
        let metadata = self.metadata()?;
        let all = || metadata.packages.iter().filter(is_macros);
        let itself = |one: &&Package| package.is_some_and(|name| one.name.as_str() == name);
        let folder = own_target_folder(&metadata);
        let mut clean = self.cargo("clean", &folder);
        let one_only = all().any(|one| itself(&one));
        for one in all().filter(|one| !one_only || itself(one)) {
            clean.args(["--package", &one.id.repr]);
        }
        if all().next().is_some() {
            run_clean(&mut clean, &folder)?;
        }
        Ok(())
    }

    /// Another version of the macro crate `crate_name`, with the features that it has here: `which` is
    /// a folder with its package, or a version in the registry.
    pub fn other_version(&self, crate_name: &str, which: &str) -> Result<MacroCrate, Error> {
        let metadata = self.metadata()?;
        let is_it = |one: &&Package| {
            one.targets.iter().any(|target| target.name.replace('-', "_") == crate_name)
        };
        let own = metadata.packages.iter().filter(is_macros).find(is_it);
        let own = own.ok_or_else(|| Error::Name(format!("no package of `{crate_name}` here")))?;
        let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
        let node = nodes.iter().find(|node| node.id == own.id);
        let features: Vec<&str> =
            node.map_or(Vec::new(), |node| node.features.iter().map(|one| one.as_str()).collect());
        let source = match Path::new(which).join("Cargo.toml").exists() {
            true => {
                let folder = Path::new(which).canonicalize();
                format!("path = {:?}", folder.map_err(Error::io(format!("finding {which}")))?)
            }
            false => format!("version = {:?}", format!("={which}")),
        };
        // A package that needs nothing but this.
        let manifest = format!(
            "[package]\nname = \"macrobox-against\"\nedition = \"2021\"\n[lib]\npath = \"lib.rs\"\n\
             [workspace]\n[dependencies]\n{} = {{ {source}, default-features = false, features = \
             {features:?} }}\n",
            own.name
        );
        let folder = own_target_folder(&metadata).join("against").join(own.name.as_str());
        let path = folder.join("Cargo.toml");
        let _ = std::fs::remove_file(folder.join("Cargo.lock")); // of another version
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&path, manifest))
            .and_then(|()| std::fs::write(folder.join("lib.rs"), ""));
        written.map_err(Error::io(format!("writing {}", path.display())))?;
        let other =
            Selection { manifest_path: Some(path), verbose: self.verbose, ..Selection::default() };
        let built =
            other.macro_crates(None)?.into_iter().find(|one| one.package == own.name.as_str());
        built.ok_or_else(|| Error::Name(format!("{} {which} is no macro crate", own.name)))
    }

    /// Runs cargo and gathers the macro libraries it names; false if it failed.
    fn artifacts(
        &self,
        metadata: &Metadata,
        task: &str,
        package: Option<&str>,
        found: &mut Vec<MacroCrate>,
    ) -> Result<bool, Error> {
        let mut command = self.cargo(task, &own_target_folder(metadata));
        command.arg("--message-format=json-render-diagnostics").args(self.features());
        match package {
            Some(package) => command.args(["--package", package]),
            None => command.arg("--workspace"),
        };
        // On a terminal cargo shows itself what takes long.
        if self.verbose {
            command.arg("-v");
        } else if !std::io::stderr().is_terminal() {
            command.arg("-q");
        }
        let started = interrupt::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let (mut child, _kept) = started.map_err(Error::io(format!("starting cargo {task}")))?;
        if let Some(stdout) = child.stdout.take() {
            for message in Message::parse_stream(BufReader::new(stdout)).flatten() {
                let Message::CompilerArtifact(artifact) = message else { continue };
                if !artifact.target.kind.contains(&TargetKind::ProcMacro) {
                    continue;
                }
                let library = artifact.filenames.iter().find(|name| name.extension() == Some("so"));
                let known = metadata.packages.iter().find(|one| one.id == artifact.package_id);
                if let (Some(library), Some(known)) = (library, known) {
                    found.push(MacroCrate {
                        package: known.name.to_string(),
                        version: known.version.to_string(),
                        path: library.into(),
                        pinned: known.source.is_some()
                            || metadata.workspace_members.contains(&known.id),
                        id: known.id.repr.clone(),
                    });
                }
            }
        }
        Ok(child.wait().map_err(Error::io("waiting for cargo"))?.success())
    }

    /// The target folder's place for our own files.
    pub(crate) fn own_folder(&self) -> Result<PathBuf, Error> {
        Ok(own_target_folder(&self.metadata()?))
    }

    /// The crate to look into: of `package`, or of the package cargo stands in.
    pub fn target(&self, package: Option<&str>, binary: Option<&str>) -> Result<Target, Error> {
        Ok(self.targets(package, binary)?.swap_remove(0))
    }

    /// The same, and after it, unless `binary` was asked for, the package's other binaries.
    pub fn targets(
        &self,
        package: Option<&str>,
        binary: Option<&str>,
    ) -> Result<Vec<Target>, Error> {
        let metadata = self.metadata()?;
        let members = metadata.workspace_packages();
        let chosen: &Package = match package {
            Some(name) => members.iter().copied().find(|one| one.name.as_str() == name),
            None => metadata.root_package().or_else(|| match members[..] {
                [only] => Some(only),
                _ => None,
            }),
        }
        .ok_or_else(|| {
            let names: Vec<&str> = members.iter().map(|one| one.name.as_str()).collect();
            Error::Name(format!("say which package with --package: {}", names.join(", ")))
        })?;
        let is_library = |kind: &TargetKind| {
            use TargetKind::*;
            matches!(kind, Lib | RLib | DyLib | CDyLib | StaticLib | ProcMacro)
        };
        let is_binary = |one: &&CargoTarget| one.kind.contains(&TargetKind::Bin);
        let libraries = chosen.targets.iter().filter(|one| one.kind.iter().any(is_library));
        let binaries = chosen.targets.iter().filter(is_binary);
        let found: Vec<&CargoTarget> = match binary {
            Some(name) => binaries.filter(|one| one.name == name).collect(),
            None => libraries.chain(binaries).collect(),
        };
        if found.is_empty() {
            let each = chosen.targets.iter().filter(is_binary).map(|one| &*one.name);
            let binaries = each.collect::<Vec<_>>().join(", ");
            return Err(Error::Name(match (binary, binaries.is_empty()) {
                (Some(name), false) => {
                    format!("package `{}` has no binary `{name}`, but {binaries}", chosen.name)
                }
                _ => format!("package `{}` has no such library or binary", chosen.name),
            }));
        }
        let (folder, names) =
            (own_target_folder(&metadata), Names::of(&metadata, Some(chosen.name.as_str())));
        let each = found.into_iter().map(|target| {
            let mut what = vec!["--package".to_owned(), chosen.name.to_string()];
            match target.kind.iter().any(is_library) {
                true => what.push("--lib".into()),
                false => what.extend(["--bin".into(), target.name.clone()]),
            }
            Target {
                crate_name: target.name.replace('-', "_"),
                root: target.src_path.clone().into(),
                chosen: what,
                callers: vec![chosen.name.to_string()],
                folder: folder.clone(),
                names: names.clone(),
                selection: self.clone(),
            }
        });
        Ok(each.collect())
    }

    /// All crates of the lock file that `package` (or the workspace) needs: libraries, binaries and
    /// build scripts.
    pub fn every_crate(&self, package: Option<&str>) -> Result<Target, Error> {
        let metadata = self.metadata()?;
        let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
        let macros = metadata.packages.iter().filter(is_macros).map(|one| &one.id);
        // A macro may come re-exported: whoever depends on its crate, however far, may call it.
        let mut reached: HashSet<_> = macros.collect();
        let mut callers = HashSet::new();
        loop {
            let known = callers.len();
            for node in nodes {
                if node.dependencies.iter().any(|id| reached.contains(id)) {
                    reached.insert(&node.id);
                    callers.insert(&node.id);
                }
            }
            if callers.len() == known {
                break;
            }
        }
        Ok(Target {
            crate_name: EVERY_CRATE.into(),
            root: PathBuf::new(),
            chosen: match package {
                Some(name) => vec!["--package".into(), name.into()],
                None => vec!["--workspace".into()],
            },
            callers: callers.into_iter().map(|id| id.repr.clone()).collect(),
            folder: own_target_folder(&metadata),
            names: Names::of(&metadata, package),
            selection: self.clone(),
        })
    }
}

impl Target {
    pub(crate) fn cargo(&self, task: &str) -> Command {
        self.selection.cargo(task, &self.folder)
    }

    pub(crate) fn selection(&self) -> Vec<String> {
        let mut all = self.chosen.clone();
        all.extend(self.selection.features());
        all
    }
}
