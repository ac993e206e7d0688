// SPDX-License-Identifier: MIT OR Apache-2.0

//! `cargo run --release --manifest-path bench/Cargo.toml -- SUITE`: ringback beside its peers.

mod allocator;
mod caller;
mod companion;
mod compare;
mod contestants;
mod figure;
mod limits;
mod machine;
mod measure;
mod portable;
mod progress;
mod suites;

use std::process::ExitCode;
use suites::{ALL, Suite};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    if let Some(done) = suites::child() {
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, suites @ ..] = &arguments[..]
        && first == "compare"
    {
        return match compare::run(suites) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("compare: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let chosen = match &arguments[..] {
        [name] => ALL.iter().find(|suite| suite.name == name),
        _ => None,
    };
    let Some(suite) = chosen else {
        let names: Vec<&str> = ALL.iter().map(|suite| suite.name).collect();
        eprintln!("give one of these suites: {}; or compare, for all", names.join(", "));
        return ExitCode::from(2);
    };
    match run(suite) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", suite.name);
            ExitCode::FAILURE
        }
    }
}

/// A wrong answer on any thread ends the process, also where another thread waits for that one.
fn end_with_any_thread() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(1);
    }));
}

fn run(suite: &Suite) -> Result<()> {
    end_with_any_thread();
    if portable::BUILT {
        figure::print_raw(&(suite.run)()?);
        return Ok(());
    }
    machine::print(suite.peers)?;
    let mut figures = (suite.run)()?;
    if suite.portable {
        figures.extend(portable::figures(suite.name)?);
    }
    if figures.is_empty() {
        return Ok(()); // a suite with a bench of its own has printed them
    }
    figure::print_table(&figures);
    println!();
    figure::print_lines(suite.name, &figures);
    figure::all_numbers(&figures)
}
