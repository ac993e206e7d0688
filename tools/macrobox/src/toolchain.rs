// SPDX-License-Identifier: MIT OR Apache-2.0

//! The toolchain's own server as a second backend: no box, but a second opinion. One library per
//! process; a process that hangs or dies is replaced.

use crate::flat::{Flat, Spans, from_flat, to_flat};
use crate::interrupt::{self, Kept};
use crate::process::send_all;
use crate::scratch;
use crate::{Call, Compiler, Declared, Error, Failure, Kind, Library, Options, Stream};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Speaks to `rust-analyzer-proc-macro-srv`, which ends with the thread that asked it first.
pub struct ToolchainServer {
    program: PathBuf,
    process: Option<Running>,
    timeout: Duration,
    environment: Vec<(String, String)>,
    directory: PathBuf,
}

struct Running {
    child: Child,
    /// Its standard input.
    stdin: UnixStream,
    lines: mpsc::Receiver<String>,
    library: PathBuf,
    /// Its process group, and the folder where it copies libraries to, which it leaves when killed.
    _kept: [Kept; 2],
}

impl ToolchainServer {
    /// The server of `compiler`'s toolchain.
    pub fn new(compiler: &Compiler, timeout: Duration) -> Result<Self, Error> {
        Ok(Self::at(program(compiler)?, timeout))
    }

    /// The server that is `program`.
    pub(crate) fn at(program: PathBuf, timeout: Duration) -> Self {
        ToolchainServer {
            program,
            process: None,
            timeout,
            environment: Vec::new(),
            directory: PathBuf::new(),
        }
    }

    /// What the next macros see: environment and directory of `options`. Its limits and its box mean
    /// nothing here.
    pub fn surround(&mut self, options: &Options) {
        self.environment = options.environment.clone();
        self.directory = options.directory.clone();
    }

    /// The macros of `library`, without their helper attributes, which this server does not tell.
    pub fn list(&mut self, library: &Library) -> Result<Vec<Declared>, Error> {
        self.list_at(library.path())
    }

    pub(crate) fn list_at(&mut self, path: &Path) -> Result<Vec<Declared>, Error> {
        let name = path.display().to_string();
        let answer = self.ask(path, &list_request(path));
        answer.and_then(|answer| listed(&answer)).map_err(|failure| fail(&name, failure))
    }

    /// Expands one call, unprotected but for the time-out.
    pub fn expand(&mut self, library: &Library, call: &Call) -> Result<Stream, Error> {
        // One span for everything: this backend is for comparing tokens.
        let mut spans = Spans::new(vec![0, 0, 0, 1, 0], 0, 0, 0);
        let attributes = call.attribute.as_ref().map(|stream| to_flat(stream, &mut spans));
        let body = to_flat(&call.input, &mut spans);
        let directory = (!self.directory.as_os_str().is_empty()).then_some(&self.directory);
        let request = json!({ "ExpandMacro": {
            "lib": library.path(), "env": self.environment, "current_dir": directory,
            "macro_body": body, "macro_name": call.name, "attributes": attributes,
            "has_global_spans": { "def_site": 0, "call_site": 0, "mixed_site": 0 },
            "span_data_table": spans.into_table(),
        }});
        let answer =
            self.ask(library.path(), &request).map_err(|failure| fail(&call.name, failure))?;
        let result = &answer["ExpandMacroExtended"];
        if let Some(message) = result["Err"].as_str() {
            return Err(fail(&call.name, Failure::Panicked(message.into())));
        }
        let flat: Option<Flat> = serde_json::from_value(result["Ok"]["tree"].clone()).ok();
        let spans = Spans::new(vec![0, 0, 0, 1, 0], 0, 0, 0);
        let stream = flat.and_then(|flat| from_flat(&flat, &spans));
        stream.ok_or_else(|| fail(&call.name, Failure::Malformed))
    }

    fn start(&self, library: PathBuf) -> Result<Running, Error> {
        let failed = || Error::io(format!("starting {}", self.program.display()));
        let (path, folder) = interrupt::temporary_folder().map_err(failed())?;
        let (stdin, theirs) = UnixStream::pair().map_err(failed())?;
        let mut command = Command::new(&self.program);
        command
            .env("TMPDIR", path)
            .env(PERMISSION.0, PERMISSION.1)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let (mut child, group) = interrupt::spawn(&mut command).map_err(failed())?;
        drop(command); // and with it this process's copy of the server's end
        let Some(stdout) = child.stdout.take() else {
            return Err(Error::Cargo("the toolchain server has no pipe".into()));
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let each = BufReader::new(stdout).lines().map_while(Result::ok);
            each.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
        let mut running = Running { child, stdin, lines, library, _kept: [group, folder] };
        let mode = json!({ "SetConfig": { "span_mode": "RustAnalyzer" } });
        let answers = [
            running.ask(&json!({ "ApiVersionCheck": {} }), self.timeout),
            running.ask(&mode, self.timeout),
        ];
        match &answers[0] {
            Ok(version)
                if version["ApiVersionCheck"].as_u64().is_some_and(|number| number >= 6) =>
            {
                Ok(running)
            }
            other => Err(Error::Cargo(format!("the toolchain server answers {other:?}"))),
        }
    }

    /// Asks the process of this library; one that fails to answer is not asked again.
    fn ask(&mut self, library: &Path, request: &Value) -> Result<Value, Failure> {
        let mut running = match self.process.take() {
            Some(running) if running.library == library => running,
            _ => self
                .start(library.to_owned())
                .map_err(|error| Failure::NotRun(error.to_string()))?,
        };
        let answer = running.ask(request, self.timeout)?;
        self.process = Some(running);
        Ok(answer)
    }
}

/// The toolchain's server.
pub(crate) fn program(compiler: &Compiler) -> Result<PathBuf, Error> {
    let program = compiler.sysroot()?.join("libexec/rust-analyzer-proc-macro-srv");
    if !program.exists() {
        let message = format!("this toolchain has no {}: use one of rustup's", program.display());
        return Err(Error::Cargo(message));
    }
    Ok(program)
}

/// Asks for the macros of `library`, in the order of its own list.
pub(crate) fn list_request(library: &Path) -> Value {
    json!({ "ListMacros": { "dylib_path": library } })
}

/// The beginning of its answer, a line.
pub(crate) const LIST_ANSWER: &str = "{\"ListMacros\":";

/// The macros that the server names in its answer.
pub(crate) fn listed(answer: &Value) -> Result<Vec<Declared>, Failure> {
    let listed: Result<Vec<(String, String)>, String> =
        serde_json::from_value(answer["ListMacros"].clone()).map_err(|_| Failure::Malformed)?;
    let kind = |word: &str| match word {
        "CustomDerive" => Kind::Derive,
        "Attr" => Kind::Attribute,
        _ => Kind::Function,
    };
    let each = listed.map_err(Failure::NotRun)?.into_iter();
    Ok(each.map(|(name, word)| Declared { kind: kind(&word), name, helpers: None }).collect())
}

/// The variable without which the server does not run.
pub(crate) const PERMISSION: (&str, &str) = ("RUST_ANALYZER_INTERNALS_DO_NOT_USE", "1");

fn fail(name: &str, failure: Failure) -> Error {
    Error::Macro { name: name.into(), failure, before: Box::default() }
}

impl Running {
    fn ask(&mut self, request: &Value, timeout: Duration) -> Result<Value, Failure> {
        let sent = send_all(&self.stdin, format!("{request}\n").as_bytes());
        sent.map_err(|error| Failure::NotRun(error.to_string()))?;
        match self.lines.recv_timeout(timeout) {
            Ok(line) => serde_json::from_str(&line).map_err(|_| Failure::Malformed),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(Failure::TimedOut(timeout)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(Failure::Exited(
                self.child.try_wait().ok().flatten().and_then(|status| status.code()).unwrap_or(-1),
            )),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The whole group: a forked grandchild would keep the pipe open.
        let group = libc::pid_t::try_from(self.child.id()).unwrap_or(libc::pid_t::MAX);
        // SAFETY: the child was started as the leader of this group and is not reaped yet, so the
        // number is still its own.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        let _ = self.child.wait();
        scratch::sweep(); // of others that were killed
    }
}
