//! Asks cargo for packages, their macro crates and where the built libraries lie.

use crate::record::{cargo_program, check_cargo, own_target_folder};
use crate::{Compiler, Error, Library};
use cargo_metadata::{Message, Metadata, MetadataCommand, Package, TargetKind};
use std::io::BufReader;
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

/// One crate that cargo can check.
#[derive(Debug, Clone)]
pub struct Target {
    /// The package's name.
    pub package: String,
    /// The crate's name, as rustc gets it.
    pub crate_name: String,
    /// `--lib`, or `--bin NAME` and so on.
    kind: Vec<String>,
    /// Where our own builds go.
    pub folder: PathBuf,
    /// The workspace's root.
    pub root: PathBuf,
    selection: Selection,
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
}

impl MacroCrate {
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
        let metadata = self.metadata()?;
        let mut found = Vec::new();
        let checked = self.artifacts(&metadata, "check", package, &mut found)?;
        // Macro crates that are asked for themselves are only checked by that, not built.
        let is_macros = |one: &&Package| {
            let mut targets = one.targets.iter();
            targets.any(|target| target.kind.contains(&TargetKind::ProcMacro))
        };
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
        Ok(found)
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
        command.arg(if self.verbose { "-v" } else { "-q" });
        let started = command.stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(Error::io(format!("starting cargo {task}")))?;
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
                    });
                }
            }
        }
        Ok(child.wait().map_err(Error::io("waiting for cargo"))?.success())
    }

    /// The crate to look into: of `package`, or of the package cargo stands in.
    pub fn target(&self, package: Option<&str>, binary: Option<&str>) -> Result<Target, Error> {
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
        let target = chosen.targets.iter().find(|target| match binary {
            Some(name) => target.name == name && target.kind.contains(&TargetKind::Bin),
            None => target.kind.iter().any(is_library),
        });
        let first_binary = || {
            let mut targets = chosen.targets.iter();
            targets.find(|target| binary.is_none() && target.kind.contains(&TargetKind::Bin))
        };
        let target = target.or_else(first_binary).ok_or_else(|| {
            Error::Name(format!("package `{}` has no such library or binary", chosen.name))
        })?;
        let kind = match target.kind.iter().any(is_library) {
            true => vec!["--lib".into()],
            false => vec!["--bin".into(), target.name.clone()],
        };
        Ok(Target {
            package: chosen.name.to_string(),
            crate_name: target.name.replace('-', "_"),
            kind,
            folder: own_target_folder(&metadata),
            root: metadata.workspace_root.clone().into(),
            selection: self.clone(),
        })
    }
}

impl Target {
    pub(crate) fn cargo(&self, task: &str) -> Command {
        self.selection.cargo(task, &self.folder)
    }

    pub(crate) fn selection(&self) -> Vec<String> {
        let mut all = vec!["--package".to_owned(), self.package.clone()];
        all.extend(self.kind.clone());
        all.extend(self.selection.features());
        all
    }

    /// What cargo sets for a compilation of this package, as macros see it.
    pub fn environment(&self) -> Result<(Vec<(String, String)>, PathBuf), Error> {
        let metadata = self.selection.metadata()?;
        let package = metadata.workspace_packages().into_iter();
        let package = package.into_iter().find(|one| one.name.as_str() == self.package);
        let Some(package) = package else { return Ok((Vec::new(), self.root.clone())) };
        let folder = package.manifest_path.parent().map_or(self.root.clone(), PathBuf::from);
        let version = &package.version;
        let pairs = [
            ("CARGO", cargo_program().to_string_lossy().into_owned()),
            ("CARGO_CRATE_NAME", self.crate_name.clone()),
            ("CARGO_MANIFEST_DIR", folder.display().to_string()),
            ("CARGO_MANIFEST_PATH", package.manifest_path.to_string()),
            ("CARGO_PKG_NAME", self.package.clone()),
            ("CARGO_PKG_VERSION", version.to_string()),
            ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
            ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
            ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
            ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
            ("CARGO_PKG_AUTHORS", package.authors.join(":")),
            ("CARGO_PKG_DESCRIPTION", package.description.clone().unwrap_or_default()),
            ("CARGO_PKG_REPOSITORY", package.repository.clone().unwrap_or_default()),
            ("CARGO_PKG_HOMEPAGE", package.homepage.clone().unwrap_or_default()),
            ("CARGO_PKG_LICENSE", package.license.clone().unwrap_or_default()),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value)).to_vec();
        // rustc runs in the workspace's root, and so do its macros.
        Ok((pairs, self.root.clone()))
    }
}
