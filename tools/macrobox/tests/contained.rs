// SPDX-License-Identifier: MIT OR Apache-2.0

//! Hostile macros harm nobody, and the next healthy one is served.

#[path = "../zoo/cases.rs"]
mod cases;

use cases::Zoo;
use macrobox::background::AsyncExpander;
use macrobox::{Call, Compiler, Error, Expander, Failure, Kind, Library, Options, ToolchainServer};
use std::time::Duration;

#[test]
fn every_hostile_macro_is_contained() {
    let zoo = Zoo::build().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let outcomes = cases::contain(&zoo, scratch.path()).unwrap();
    let escaped: Vec<String> = outcomes
        .iter()
        .filter_map(|one| one.escaped.as_ref().map(|why| format!("{}: {why}", one.name)))
        .collect();
    assert!(outcomes.len() > 20 && escaped.is_empty(), "{}", escaped.join("\n"));
}

#[test]
fn nothing_leaks_from_one_expansion_to_the_next() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "counting", "").unwrap();
    for _ in 0..3 {
        assert_eq!(expander.expand(&zoo.gentle, &call).unwrap().text(), "0");
    }
    // In one process, a static lives on: that is what rustc does, and what `check` looks for.
    let repeated =
        expander.expand_together(&zoo.gentle, &[call.clone(), call.clone(), call]).unwrap();
    let texts: Vec<String> = repeated.into_iter().map(|one| one.unwrap().text()).collect();
    assert_eq!(texts, ["0", "1", "2"]);
    // Nor do the directory and the environment of one reach the next.
    let mut text = |name: &str| {
        let call = Call::from_source(Kind::Function, name, "").unwrap();
        expander.expand(&zoo.gentle, &call).unwrap().text()
    };
    let surroundings = [text("placed"), text("surrounded")];
    text("rearranges");
    assert_eq!([text("placed"), text("surrounded")], surroundings);
}

#[test]
fn what_a_process_printed_is_told_once_and_whole() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = |name, input| Call::from_source(Kind::Function, name, input).unwrap();
    let prints = call("prints", "40000");
    assert_eq!(expander.expand(&zoo.hostile, &prints).unwrap().stderr.len(), 40_000);
    let both = expander.expand_together(&zoo.hostile, &[prints.clone(), prints.clone()]).unwrap();
    let lengths: Vec<usize> = both.into_iter().map(|one| one.unwrap().stderr.len()).collect();
    assert_eq!(lengths, [80_000, 0]);
    // The one that ends the process has it all.
    let all = [prints, call("aborts", "")];
    let Err(Error::Macro { name, before, .. }) = expander.expand_together(&zoo.hostile, &all)
    else {
        panic!("it did not fail");
    };
    assert_eq!((&*name, before.stderr.len()), ("aborts", 40_000));
}

#[test]
fn rules_that_cannot_be_made_are_no_rules() {
    let zoo = Zoo::build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let input = format!("{:?}", mark.display().to_string());
    let call = Call::from_source(Kind::Function, "writes_outside", &input).unwrap();
    let refused = |expander: &mut Expander| {
        let text = expander.expand(&zoo.hostile, &call).unwrap().text();
        assert!(text.contains("PermissionDenied") && !mark.exists(), "{text}");
    };
    refused(&mut expander);
    expander.options().allow.write = vec!["/".into(), "/no/such/folder".into()];
    let error = expander.expand(&zoo.hostile, &call).unwrap_err().to_string();
    assert!(error.contains("`/no/such/folder`") && error.contains("--allow-write"), "{error}");
    // Back to the old ones, of which the new ones may have taken the place.
    expander.options().allow.write.clear();
    refused(&mut expander);
}

#[test]
fn a_watched_child_that_cannot_close_itself_in_says_why() {
    let zoo = Zoo::build().unwrap();
    let mut options = Options::default();
    (options.watch.touches, options.limits.descriptors) = (true, 3);
    let mut expander = Expander::new(&zoo.compiler, options).unwrap();
    let call = Call::from_source(Kind::Function, "echo", "a").unwrap();
    match expander.expand(&zoo.gentle, &call).unwrap_err() {
        Error::Macro { failure: Failure::NotRun(why), .. } => {
            assert!(why.contains("Too many open files"), "{why}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_panic_is_an_error_with_its_message() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "panics", "oh no").unwrap();
    let error = expander.expand(&zoo.gentle, &call).unwrap_err();
    assert_eq!(error.failure(), Some(&Failure::Panicked("on purpose: oh no".into())));
}

/// Says something, depends on something, reads the environment, and ends in the way its input names.
const GIVES_UP: &str = r#"
    #![feature(proc_macro_diagnostic, proc_macro_tracked_env, proc_macro_tracked_path)]
    extern crate proc_macro;
    #[proc_macro]
    pub fn gives_up(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
        let at = proc_macro::Span::call_site();
        proc_macro::Diagnostic::spanned(at, proc_macro::Level::Warning, "about to give up").emit();
        let _ = proc_macro::tracked::env_var("MACROBOX_ZOO");
        let _ = std::env::var("MACROBOX_READ");
        match &*input.to_string() {
            "panics" => panic!("gave up"),
            "aborts" => std::process::abort(),
            "exits" => std::process::exit(3),
            "overflows" => { overflow(&[0; 1024]); }
            _ => loop {},
        }
        input
    }
    fn overflow(below: &[u8]) -> u8 {
        let here = [below[0]; 1024];
        std::hint::black_box(overflow(&here)) + here[1]
    }
"#;

#[test]
fn what_came_before_the_end_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (source, path) = (folder.path().join("lib.rs"), folder.path().join("libgives_up.so"));
    std::fs::write(&source, GIVES_UP).unwrap();
    let mut rustc = std::process::Command::new("rustc");
    rustc.args(["--crate-type=proc-macro", "--edition=2024", "-Awarnings", "-o"]);
    rustc.arg(&path).arg(&source);
    assert!(rustc.env("RUSTC_BOOTSTRAP", "1").status().unwrap().success());
    let compiler = Compiler::current().unwrap();
    let library = Library::open(&path, &compiler).unwrap();
    let mut options = Options::default();
    (options.watch.trace, options.watch.touches) = (true, true);
    let mut expander = Expander::new(&compiler, options).unwrap();
    let hung = Duration::from_secs(3);
    let ends = [
        ("panics", Failure::Panicked("gave up".into())),
        ("aborts", Failure::Crashed(6)),
        ("exits", Failure::Exited(3)),
        ("overflows", Failure::StackOverflow),
        ("hangs", Failure::TimedOut(hung)),
    ];
    let call = |how: &str| Call::from_source(Kind::Function, "gives_up", how).unwrap();
    for (how, expected) in ends {
        if how == "hangs" {
            expander.options().limits.wall_milliseconds = hung.as_millis() as u32;
        }
        let Err(Error::Macro { failure, before, .. }) = expander.expand(&library, &call(how))
        else {
            panic!("{how}: it did not fail");
        };
        assert_eq!(failure, expected);
        assert_eq!(before.diagnostics.len(), 1, "{how}: {before:?}");
        assert_eq!(before.diagnostics[0].message, "about to give up");
        for what in ["env MACROBOX_ZOO", "env MACROBOX_READ"] {
            assert!(before.tracked.iter().any(|one| one == what), "{how}: {before:?}");
        }
        // In order, up to the last.
        let at = |method: &str| before.trace.iter().position(|line| line.starts_with(method));
        assert!(at("emit_diagnostic") < at("track_env_var"), "{how}: {before:?}");
        assert!(at("emit_diagnostic").is_some() && at("ts_to_string").is_some(), "{before:?}");
    }
    // Of several calls in one process, what is said is told apart, and who died is named.
    expander.options().limits.wall_milliseconds = 60_000;
    let Err(Error::Macro { name, failure, before }) =
        expander.expand_together(&library, &[call("panics"), call("aborts"), call("panics")])
    else {
        panic!("it did not fail");
    };
    assert_eq!((&*name, failure), ("gives_up", Failure::Crashed(6)));
    assert_eq!(before.diagnostics.len(), 1, "{before:?}");
    let both = expander.expand_together(&library, &[call("panics"), call("panics")]).unwrap();
    for one in both {
        let Err(Error::Macro { before, .. }) = one else { panic!("it did not fail") };
        assert_eq!(before.diagnostics.len(), 1, "{before:?}");
    }
}

#[test]
fn an_unknown_macro_is_named() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "nowhere", "").unwrap();
    let Err(Error::Macro { name, failure: Failure::NotRun(why), .. }) =
        expander.expand(&zoo.gentle, &call)
    else {
        panic!("an unknown macro was run");
    };
    assert!(name == "nowhere" && why.contains("no macro `nowhere`"), "{why}");
}

#[test]
fn spans_tell_line_column_and_text() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "place", "\n  // grüße\n   größe = 1").unwrap();
    let text = expander.expand(&zoo.gentle, &call).unwrap().text();
    assert_eq!(text, r#""3:4 Some(\"größe\")""#);
}

#[test]
fn the_scratch_folder_goes_with_the_server() {
    let zoo = Zoo::build().unwrap();
    let expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let folder = cases::scratch_folder(&expander);
    assert!(folder.is_dir(), "{folder:?}");
    let server = expander.server_id().unwrap();
    drop(expander);
    assert!(!folder.exists());
    assert!(!std::path::Path::new(&format!("/proc/{server}")).exists());
}

#[test]
fn who_may_start_processes_may_not_start_any_number() {
    let zoo = Zoo::build().unwrap();
    let mut options = cases::strict();
    options.allow.exec = true;
    options.limits.wall_milliseconds = 5_000;
    let mut expander = Expander::new(&zoo.compiler, options).unwrap();
    let call = Call::from_source(Kind::Function, "crowds", "").unwrap();
    let error = expander.expand(&zoo.hostile, &call).unwrap_err();
    assert_eq!(error.failure(), Some(&Failure::TooManyProcesses));
}

#[test]
fn temporary_files_go_into_the_scratch_folder() {
    let zoo = Zoo::build().unwrap();
    let environment = vec![("TMPDIR".into(), "/no-such-folder".into())];
    let options = Options { environment, ..Options::default() };
    let mut expander = Expander::new(&zoo.compiler, options).unwrap();
    let call = Call::from_source(Kind::Function, "scratches", "").unwrap();
    assert_eq!(expander.expand(&zoo.gentle, &call).unwrap().text(), "\"Ok(())\"");
}

/// Wakes the thread that waits for a future.
struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn the_async_expander_needs_no_runtime() {
    let zoo = Zoo::build().unwrap();
    let expander = AsyncExpander::new(&zoo.compiler, cases::strict()).unwrap();
    let call = |name: &str| Call::from_source(Kind::Function, name, "1 + 1").unwrap();
    let hostile = expander.expand(zoo.hostile.clone(), call("segfault"));
    let gentle = expander.expand(zoo.gentle.clone(), call("echo"));
    // Dropped before it is asked for anything: the others do not mind.
    drop(expander.clone().expand(zoo.gentle.clone(), call("echo")));
    assert_eq!(block_on(hostile).unwrap_err().failure(), Some(&Failure::Crashed(11)));
    assert_eq!(block_on(gentle).unwrap().text(), "1 + 1");
}

/// As in a command-line program: who writes to a pipe that nobody reads ends.
fn end_by_broken_pipes() {
    // SAFETY: the default action of a signal.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

#[test]
fn the_toolchain_s_server_may_die_between_two_calls() {
    end_by_broken_pipes();
    let zoo = Zoo::build().unwrap();
    let mut server = ToolchainServer::new(&zoo.compiler, Duration::from_secs(60)).unwrap();
    let call = Call::from_source(Kind::Function, "echo", "a").unwrap();
    server.expand(&zoo.gentle, &call).unwrap();
    let children = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .flatten()
        .map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let children: Vec<String> =
        children.flat_map(|all| all.split(' ').map(String::from).collect::<Vec<_>>()).collect();
    let stat = |id: &str| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let id = children.iter().find(|id| stat(id).contains("(rust-analyzer-p)")).unwrap();
    // SAFETY: the server is not reaped yet, so the number is its own.
    unsafe { libc::kill(id.parse().unwrap(), libc::SIGKILL) };
    while !stat(id).contains(") Z ") {
        std::thread::sleep(Duration::from_millis(1));
    }
    let error = server.expand(&zoo.gentle, &call).unwrap_err();
    assert!(error.failure().is_some(), "{error}");
    assert_eq!(server.expand(&zoo.gentle, &call).unwrap().count(), 1);
}

#[test]
fn a_killed_server_is_started_again() {
    end_by_broken_pipes();
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "echo", "a").unwrap();
    for lost in 0..=Options::default().restarts + 1 {
        let before = expander.server_id();
        if let Some(id) = before {
            // SAFETY: the server is not reaped yet, so the number is its own.
            unsafe { libc::kill(libc::pid_t::try_from(id).unwrap(), libc::SIGKILL) };
        }
        match expander.expand(&zoo.gentle, &call) {
            Ok(expansion) => assert!(expansion.text() == "a" && expander.server_id() != before),
            Err(Error::ServerLost { times, .. }) => {
                assert_eq!((times, lost), (Options::default().restarts + 1, times - 1));
                return;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it was restarted for ever");
}
