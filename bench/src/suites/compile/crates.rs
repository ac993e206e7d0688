// SPDX-License-Identifier: MIT OR Apache-2.0

//! Throw-away crates, and how their builds are measured.

use crate::{Result, portable};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Instant, SystemTime};

/// How a crate makes its functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By a ringback pool.
    Pool,
    /// One function per slot in its source, as a procedural macro of the classic kind writes them.
    Generated,
}

/// One crate on the disk.
pub struct Crate {
    manifest: PathBuf,
    source: PathBuf,
    pub program: PathBuf,
    pub slots: usize,
}

/// What a build took.
pub struct Built {
    pub seconds: f64,
    /// Peak resident memory of the largest process of the build.
    pub mib: f64,
}

/// Where crates are made and built.
pub struct Workshop {
    folder: PathBuf,
    target: PathBuf,
    opened: SystemTime,
}

/// The library under test.
const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates");

impl Workshop {
    pub fn open() -> Result<Workshop> {
        let folder = portable::cache()?.join("compile");
        let target = folder.join("target");
        Ok(Workshop { folder, target, opened: SystemTime::now() })
    }

    /// Writes a crate.
    pub fn write(&self, kind: Kind, slots: usize) -> Result<Crate> {
        let name = match kind {
            Kind::Pool => format!("pool-{slots}"),
            Kind::Generated => format!("generated-{slots}"),
        };
        let folder = self.folder.join(&name);
        fs::create_dir_all(folder.join("src"))?;
        let made = Crate {
            manifest: folder.join("Cargo.toml"),
            source: folder.join("src/main.rs"),
            program: self.target.join("release").join(&name),
            slots,
        };
        fs::write(&made.manifest, manifest(&name))?;
        // The versions with which the bench was built, so that nothing is fetched.
        fs::write(folder.join("Cargo.lock"), include_str!("../../../Cargo.lock"))?;
        fs::write(
            &made.source,
            match kind {
                Kind::Pool => pool_source(slots),
                Kind::Generated => generated_source(slots),
            },
        )?;
        Ok(made)
    }

    /// Builds a crate after touching its source, then runs it as a check. The first build of all
    /// also builds what the crates depend on.
    pub fn build(&self, one: &Crate) -> Result<Built> {
        let source = fs::read(&one.source)?;
        fs::write(&one.source, source)?;
        let built = self.run(self.cargo(&one.manifest, &self.target))?;
        let output = Command::new(&one.program).output()?;
        if output.stdout != b"42 0\n" {
            let program = one.program.display();
            return Err(format!("{program} was built but answers wrongly: {output:?}").into());
        }
        Ok(built)
    }

    /// Seconds to build ringback and what it depends on in an empty target folder.
    pub fn build_dependency_from_nothing(&self, dependent: &Crate) -> Result<f64> {
        let target = self.folder.join("cold-target");
        match fs::remove_dir_all(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut cargo = self.cargo(&dependent.manifest, &target);
        cargo.args(["--package", "ringback"]);
        let seconds = self.run(cargo)?.seconds;
        if !has_rlib(&target)? {
            return Err("ringback was not built".into());
        }
        Ok(seconds)
    }

    /// Runs a build to its end, and asks the kernel what it took.
    fn run(&self, mut cargo: Command) -> Result<Built> {
        let messages = self.folder.join("messages");
        let begin = Instant::now();
        let child = cargo.stdin(Stdio::null()).stderr(File::create(&messages)?).spawn()?;
        let (status, peak_kib) = wait(&child)?;
        let seconds = begin.elapsed().as_secs_f64();
        if status != 0 {
            return Err(format!("{cargo:?} failed:\n{}", fs::read_to_string(messages)?).into());
        }
        if newest(Path::new(LIBRARY))? > self.opened {
            return Err("a file of the library changed under the measurement; run again".into());
        }
        Ok(Built { seconds, mib: peak_kib as f64 / 1024.0 })
    }

    fn cargo(&self, manifest: &Path, target: &Path) -> Command {
        let mut cargo = portable::cargo();
        cargo.args(["build", "--quiet", "--release", "--manifest-path"]).arg(manifest);
        cargo.arg("--target-dir").arg(target);
        cargo
    }
}

fn has_rlib(target: &Path) -> Result<bool> {
    for entry in fs::read_dir(target.join("release/deps"))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("libringback-") && name.ends_with(".rlib") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the last change was made to anything in a folder.
fn newest(folder: &Path) -> Result<SystemTime> {
    let mut latest = fs::metadata(folder)?.modified()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        let time = if is_folder { newest(&entry.path())? } else { entry.metadata()?.modified()? };
        latest = latest.max(time);
    }
    Ok(latest)
}

/// The status of a child and its `ru_maxrss`: that of the largest process among the child (cargo)
/// and all its descendants that were waited for (rustc, the linker).
fn wait(child: &Child) -> Result<(libc::c_int, libc::c_long)> {
    let pid = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    // SAFETY: a structure of integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: our own child, which nobody else waits for; both pointers are to live variables.
        if unsafe { libc::wait4(pid, &mut status, 0, &mut usage) } == pid {
            return Ok((status, usage.ru_maxrss));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
}

fn manifest(name: &str) -> String {
    let ringback = format!("{LIBRARY}/ringback");
    format!(
        "[package]\n\
         name = \"{name}\"\n\
         version = \"0.1.0\"\n\
         edition = \"2024\"\n\
         [workspace]\n\
         [dependencies]\n\
         ringback = {{ path = {ringback:?} }}\n"
    )
}

/// What every program does: register one listener that multiplies by a number which the compiler
/// does not know, call it as C would, and call the last slot, which has no listener.
const MAIN: &str = "
fn main() {
    let factor = std::env::args().count() as u64 + 6;
    let function = std::hint::black_box(register(move |argument| argument.wrapping_mul(factor)));
    let last = std::hint::black_box(last());
    println!(\"{} {}\", function(6), last(6));
}
";

fn pool_source(slots: usize) -> String {
    format!(
        "ringback::callback_pool! {{
    static POOL: Pool<extern \"C\" fn(u64) -> u64, {slots}>;
    fallback = 0;
}}
fn register(listener: impl Fn(u64) -> u64 + Send + Sync + 'static) -> extern \"C\" fn(u64) -> u64 {{
    let registration = POOL.register(listener).unwrap();
    let function = registration.as_fn();
    std::mem::forget(registration);
    function
}}
fn last() -> extern \"C\" fn(u64) -> u64 {{
    POOL.thunk({slots} - 1).unwrap()
}}
{MAIN}"
    )
}

/// The shape of `vsomeip-proc-macro`: functions that call one shared function with their number,
/// a match from number to function, a registry from number to listener.
fn generated_source(slots: usize) -> String {
    use std::fmt::Write;
    let mut source = String::from(
        "use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, RwLock};

type Listener = Arc<dyn Fn(u64) -> u64 + Send + Sync>;
static LISTENERS: LazyLock<RwLock<HashMap<usize, Listener>>> = LazyLock::new(Default::default);

fn call(slot: usize, argument: u64) -> u64 {
    let listener = LISTENERS.read().unwrap().get(&slot).cloned();
    listener.map_or(0, |listener| listener(argument))
}
",
    );
    let mut arms = String::new();
    for slot in 0..slots {
        let _ = writeln!(
            source,
            "extern \"C\" fn slot_{slot}(argument: u64) -> u64 {{ call({slot}, argument) }}"
        );
        let _ = writeln!(arms, "        {slot} => slot_{slot},");
    }
    let _ = write!(
        source,
        "fn function(slot: usize) -> extern \"C\" fn(u64) -> u64 {{
    match slot {{
{arms}        _ => panic!(\"no such slot\"),
    }}
}}
static FREE: LazyLock<RwLock<HashSet<usize>>> = LazyLock::new(|| RwLock::new((0..{slots}).collect()));

fn register(listener: impl Fn(u64) -> u64 + Send + Sync + 'static) -> extern \"C\" fn(u64) -> u64 {{
    let mut free = FREE.write().unwrap();
    let slot = *free.iter().find(|slot| **slot != {slots} - 1).unwrap();
    free.remove(&slot);
    LISTENERS.write().unwrap().insert(slot, Arc::new(listener));
    function(slot)
}}
fn last() -> extern \"C\" fn(u64) -> u64 {{
    function(std::hint::black_box({slots} - 1))
}}
{MAIN}"
    );
    source
}
