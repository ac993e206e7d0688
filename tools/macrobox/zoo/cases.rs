//! Each hostile macro with what containing it means. Included by the tests and by the bench.

use macrobox::cargo::Selection;
use macrobox::{Call, Compiler, Error, Expander, Failure, Kind, Library, Options};
use std::path::{Path, PathBuf};

/// The zoo's libraries, built by cargo.
pub struct Zoo {
    pub compiler: Compiler,
    pub gentle: Library,
    pub hostile: Library,
    pub constructed: Library,
}

impl Zoo {
    pub fn build() -> Result<Zoo, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = folder.ancestors().find(|up| up.join("zoo").exists()).unwrap_or(folder);
        let selection = Selection {
            manifest_path: Some(folder.join("zoo/Cargo.toml")),
            ..Selection::default()
        };
        let compiler = Compiler::current()?;
        let library = |package: &str| {
            let crates = selection.macro_crates(Some(package))?;
            let own = crates.iter().find(|one| one.package == package);
            own.ok_or_else(|| Error::Name(format!("{package} was not built")))?.library(&compiler)
        };
        let (gentle, hostile) = (library("zoo-gentle")?, library("zoo-hostile")?);
        let constructed = library("zoo-constructed")?;
        Ok(Zoo { gentle, hostile, constructed, compiler })
    }
}

/// What must come of a hostile call.
#[derive(Clone, Copy)]
enum Then {
    /// It fails in this way.
    Fails(fn(&Failure) -> bool),
    /// It goes on, and says this of what it tried.
    Says(&'static str),
}
use Then::{Fails, Says};

/// Name, input (`MARK`: a file outside, `PORT`: someone listening), outcome.
const CASES: &[(&str, &str, Then)] = &[
    ("segfault", "", Fails(|failure| *failure == Failure::Crashed(11))),
    ("aborts", "", Fails(|failure| *failure == Failure::Crashed(6))),
    (
        "odd_panic",
        "",
        Fails(|failure| matches!(failure, Failure::Panicked(_) | Failure::Crashed(_))),
    ),
    ("stack_overflow", "", Fails(|failure| *failure == Failure::StackOverflow)),
    ("endless", "", Fails(|failure| matches!(failure, Failure::TimedOut(_) | Failure::OutOfTime))),
    ("sleeps", "", Fails(|failure| matches!(failure, Failure::TimedOut(_)))),
    ("memory", "", Fails(|failure| *failure == Failure::OutOfMemory(512 << 20))),
    ("fork_bomb", "", Says("(64, -1)")),
    ("exits", "", Fails(|failure| *failure == Failure::Exited(0))),
    ("exits_quietly", "", Fails(|failure| *failure == Failure::Exited(0))),
    ("forges", "", Says("printed")),
    (
        "forges_everywhere",
        "",
        Fails(|failure| matches!(failure, Failure::Malformed | Failure::TimedOut(_))),
    ),
    ("forges_much", "", Fails(|failure| *failure == Failure::Malformed)),
    ("forges_count", "", Fails(|failure| *failure == Failure::Malformed)),
    ("forges_counts", "", Fails(|failure| *failure == Failure::Malformed)),
    ("forges_notes", "", Fails(|failure| *failure == Failure::Malformed)),
    ("forges_calls", "", Fails(|failure| *failure == Failure::Malformed)),
    ("forges_nothing", "", Fails(|failure| *failure == Failure::Malformed)),
    ("forges_depth", "", Fails(|failure| matches!(failure, Failure::TooDeep(_)))),
    ("forges_groups", "", Fails(|failure| matches!(failure, Failure::TooDeep(_)))),
    ("forges_weak", "", Fails(|failure| matches!(failure, Failure::NotRun(_)))),
    ("reads_stdin", "", Says("Ok(\\\"\\\")")),
    ("reads_environ", "", Says("\"[]\"")),
    ("hidden_file", "", Says("\"-1\"")),
    ("closes_all", "", Fails(|failure| *failure == Failure::Exited(0))),
    ("kills_parent", "", Says("[-1, -1]")),
    ("writes_outside", "MARK", Says("PermissionDenied")),
    ("changes_mode", "MARK", Says("-1")),
    ("reaches_out", "MARK", Says("\"[]\"")),
    ("opens_socket", "PORT", Says("Err(PermissionDenied)")),
    ("executes", "MARK", Says("Err(PermissionDenied)")),
    ("leaves_thread", "", Says("left")),
    ("nests", "", Says("nested")),
    (
        "huge_output",
        "",
        Fails(|failure| matches!(failure, Failure::TooMuchOutput(_) | Failure::OutOfMemory(_))),
    ),
    ("huge_stdout", "", Fails(|failure| *failure == Failure::TooMuchOutput(16 << 20))),
    ("exit_handler", "", Says("0")),
    (
        "signal_handler",
        "",
        Fails(|failure| matches!(failure, Failure::TimedOut(_) | Failure::OutOfTime)),
    ),
];

/// One case: its name, and why it was not contained.
pub struct Outcome {
    pub name: String,
    pub escaped: Option<String>,
}

/// Milliseconds for macros that end by something else, on a busy machine too.
const LONG: u32 = 60_000;
/// Milliseconds for macros that only the clock ends.
const SHORT: u32 = 1_000;
const ENDLESS: [&str; 4] = ["endless", "sleeps", "forges_everywhere", "signal_handler"];

/// Options under which misbehaving ends.
pub fn strict() -> Options {
    let mut options = Options::default();
    options.limits.wall_milliseconds = LONG;
    options.limits.cpu_seconds = LONG / 1_000;
    options.limits.memory = 512 << 20;
    options.limits.output = 16 << 20;
    options
}

/// Runs every case on one server, with a healthy macro after each.
pub fn contain(zoo: &Zoo, scratch: &Path) -> Result<Vec<Outcome>, Error> {
    let mark = scratch.join("mark");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(Error::io("listening"))?;
    let port = listener.local_addr().map_err(Error::io("listening"))?.port().to_string();
    let mut options = strict();
    options.environment = vec![("MACROBOX_ZOO_MARK".into(), mark.display().to_string())];
    let mut expander = Expander::new(&zoo.compiler, options)?;
    let server = expander.server_id();
    let mut outcomes = Vec::new();
    let mut note = |name: &str, escaped| outcomes.push(Outcome { name: name.into(), escaped });
    for (name, input, then) in CASES {
        let mode = prepare(name, &mark);
        let input = match *input {
            "MARK" => format!("{:?}", mark.display().to_string()),
            "PORT" => format!("{port:?}"),
            other => other.to_owned(),
        };
        let call = Call::from_source(Kind::Function, name, &input)?;
        let wall = if ENDLESS.contains(name) { SHORT } else { LONG };
        expander.options().limits.wall_milliseconds = wall;
        // As large as a forged answer may be in use.
        let usual = if name.starts_with("forges_") { Options::default() } else { strict() };
        expander.options().limits.output = usual.limits.output;
        let result = expander.expand(&zoo.hostile, &call);
        let escaped = judge(*then, &result)
            .or_else(|| harmed(&mark, mode))
            .or_else(bloated)
            .or_else(|| unhealthy(&mut expander, zoo, server));
        note(name, escaped);
    }
    // The constructor and the destructor run outside any macro.
    let call = Call::from_source(Kind::Function, "echo_constructed", "1 + 1")?;
    let result = expander.expand(&zoo.constructed, &call);
    let escaped = match &result {
        Ok(expansion) if expansion.text() != "1 + 1" => Some(format!("gave {}", expansion.text())),
        Ok(expansion) if !expansion.stderr.contains("constructor: no socket") => {
            Some("the constructor got a socket, or never ran".into())
        }
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    let escaped = escaped.or_else(|| harmed(&mark, None));
    note("constructor and destructor", escaped.or_else(|| unhealthy(&mut expander, zoo, server)));
    let scratch = scratch_folder(&expander);
    let filled = scratch.read_dir().map_or(0, Iterator::count);
    drop(expander);
    let left = (filled > 0 || scratch.exists()).then(|| format!("{} stays", scratch.display()));
    note("scratch folder", left);
    Ok(outcomes)
}

/// Where the expander's macros may write.
pub fn scratch_folder(expander: &Expander) -> PathBuf {
    let enforced = expander.enforced().join("\n");
    let folder = enforced.split_once("only below ").and_then(|(_, rest)| rest.split(' ').next());
    folder.expect("a kernel with landlock").into()
}

/// For what attacks a file, one whose mode can be looked at; for the others no file.
fn prepare(name: &str, mark: &PathBuf) -> Option<u32> {
    let _ = std::fs::remove_file(mark);
    ["changes_mode", "reaches_out"].contains(&name).then(|| {
        std::fs::write(mark, "").expect("a file in our own folder");
        file_mode(mark)
    })
}

fn file_mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).map_or(0, |known| known.permissions().mode())
}

fn judge(then: Then, result: &Result<macrobox::Expansion, Error>) -> Option<String> {
    match (then, result) {
        (Fails(expected), Err(error)) if error.failure().is_some_and(expected) => None,
        (Says(expected), Ok(expansion)) if expansion.text().contains(expected) => None,
        (_, Ok(expansion)) => {
            Some(format!("went on and said {}", expansion.text().get(..200).unwrap_or("little")))
        }
        (_, Err(error)) => Some(format!("failed otherwise: {error}")),
    }
}

/// The file outside: written, or its mode changed?
fn harmed(mark: &Path, mode: Option<u32>) -> Option<String> {
    match mode {
        None => mark.exists().then(|| "a file outside was written".into()),
        Some(mode) => (file_mode(mark) != mode).then(|| "a mode was changed".into()),
    }
}

/// Did an answer make this very process take far more memory than the answer has?
fn bloated() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?;
    let kilobytes: u64 = peak.split_whitespace().next()?.parse().ok()?;
    (kilobytes > 3 << 20).then(|| format!("this process took {kilobytes} kB"))
}

/// The next healthy macro, on the same server.
fn unhealthy(expander: &mut Expander, zoo: &Zoo, server: Option<u32>) -> Option<String> {
    let call = Call::from_source(Kind::Function, "echo", "still here").ok()?;
    // Its own time, not what a hostile one was given: a busy machine is not the macro's harm.
    expander.options().limits.wall_milliseconds = LONG;
    match expander.expand(&zoo.gentle, &call) {
        Ok(expansion) if expansion.text() != "still here" => {
            Some("a healthy macro suffered".into())
        }
        Ok(_) if expander.server_id() != server => Some("the server had to be restarted".into()),
        Ok(_) => None,
        Err(error) => Some(format!("the next healthy macro failed: {error}")),
    }
}
