// SPDX-License-Identifier: MIT OR Apache-2.0

//! The user's compiler: which it is, where it keeps what, and what it builds for us.

use crate::Error;
use crate::interrupt;
use crate::server_source;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// One rustc, as `rustc -vV` names it.
#[derive(Debug, Clone)]
pub struct Compiler {
    program: PathBuf,
    /// All of `rustc -vV`.
    verbose: String,
}

impl Compiler {
    /// The one that cargo would use: `RUSTC`, or `rustc`, in the current directory.
    pub fn current() -> Result<Self, Error> {
        Self::at(std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from))
    }

    /// The rustc at `program`.
    pub fn at(program: PathBuf) -> Result<Self, Error> {
        let verbose = output(Command::new(&program).arg("-vV"))?;
        Ok(Compiler { program, verbose })
    }

    /// The first line of `rustc -vV`, as macro libraries carry it.
    pub fn version(&self) -> &str {
        self.verbose.lines().next().unwrap_or_default()
    }

    /// The program itself.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Where the toolchain lies.
    pub fn sysroot(&self) -> Result<PathBuf, Error> {
        Ok(output(Command::new(&self.program).args(["--print", "sysroot"]))?.trim().into())
    }

    /// The server for this compiler, built if it was not built before. `progress` hears that it is
    /// being built.
    pub fn server(&self, progress: impl FnOnce()) -> Result<PathBuf, Error> {
        // The child asks clock, environment and random numbers through the server's own functions.
        let export = |name| format!("-Clink-arg=-Wl,--export-dynamic-symbol={name}");
        let arguments = SEEN.map(export);
        self.build("server", server_source::SERVER, &arguments, progress)
    }

    /// The library that records expansions inside this compiler.
    pub(crate) fn tap(&self, progress: impl FnOnce()) -> Result<PathBuf, Error> {
        self.build("tap", server_source::TAP, &["--crate-type=cdylib".into()], progress)
    }

    fn build(
        &self,
        what: &str,
        files: &[(&str, &str)],
        arguments: &[String],
        progress: impl FnOnce(),
    ) -> Result<PathBuf, Error> {
        let mut hasher = DefaultHasher::new();
        (&self.verbose, files, arguments).hash(&mut hasher);
        let folder = cache_folder()?.join(format!("{what}-{:016x}", hasher.finish()));
        let program = folder.join(what);
        // Threads build one after the other; the next finds it built. Processes each build in a
        // folder of their own, and the first is kept.
        static BUILDING: Mutex<()> = Mutex::new(());
        let _building = BUILDING.lock().unwrap_or_else(|held| held.into_inner());
        if program.exists() {
            return Ok(program);
        }
        progress();
        let failed = Error::io(format!("building the {what} in {}", folder.display()));
        sweep(folder.parent().unwrap_or(&folder));
        let name = format!("{what}-{:016x}.building-{}", hasher.finish(), std::process::id());
        let building = folder.with_file_name(name);
        // Removed on every way out but the last, which gives it its name.
        let made = interrupt::folder(&building).and_then(|made| {
            let mut each = files.iter();
            each.try_for_each(|(name, text)| std::fs::write(building.join(name), text))?;
            Ok(made)
        });
        let _building_folder = made.map_err(failed)?;
        // By the bridge as it was to Rust 1.97, or as it is since: what does not fit is told by the
        // compiler, which is no matter of its version alone. The fewer complaints are to the point.
        let mut complaints = Vec::new();
        for form in FORMS {
            let mut command = Command::new(&self.program);
            command
                .args(["--edition=2024", "-Copt-level=3", "-Cpanic=unwind", "-Awarnings"])
                .args(["-Cstrip=debuginfo", "--crate-name", &format!("macrobox_{what}")])
                .args(form)
                .args(arguments)
                .arg("-o")
                .arg(building.join(what))
                .arg(building.join(files[0].0))
                .env("RUSTC_BOOTSTRAP", "1");
            let output = interrupt::output(&mut command).map_err(Error::io("starting rustc"))?;
            if output.status.success() {
                complaints.clear();
                break;
            }
            complaints.push(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        if let Some(output) = complaints.into_iter().min_by_key(String::len) {
            return Err(Error::Build { compiler: self.version().into(), output });
        }
        // Whoever built it at the same time has the same result.
        let _ = std::fs::rename(&building, &folder);
        Ok(program)
    }
}

/// The functions that the server has before the C library's (see `server/seen.rs`).
const SEEN: [&str; 7] = [
    "getenv",
    "secure_getenv",
    "clock_gettime",
    "gettimeofday",
    "timespec_get",
    "time",
    "getrandom",
];

/// How libraries list their macros: with names, or as functions alone (see `server/client.rs`).
const FORMS: [&[&str]; 2] = [&[], &["--cfg", "nameless"]];

/// Removes what interrupted builds left in the cache.
fn sweep(cache: &Path) {
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let builder = name.split_once(".building-").and_then(|(_, id)| id.parse::<u32>().ok());
        if builder.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// `MACROBOX_CACHE`, or the user's cache folder.
fn cache_folder() -> Result<PathBuf, Error> {
    let own = std::env::var_os("MACROBOX_CACHE").map(PathBuf::from);
    let shared = std::env::var_os("XDG_CACHE_HOME").map(|path| Path::new(&path).join("macrobox"));
    let home = std::env::var_os("HOME").map(|path| Path::new(&path).join(".cache/macrobox"));
    own.or(shared).or(home).ok_or_else(|| {
        Error::Cargo("no place for built servers: set MACROBOX_CACHE or HOME".into())
    })
}

/// What `command` prints, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(Error::io(format!("starting {name}")))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Cargo(format!("{name} failed:\n{}", stderr.trim_end())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
