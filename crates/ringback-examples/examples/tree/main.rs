// SPDX-License-Identifier: MIT OR Apache-2.0

//! Walks a directory with glibc's `nftw`, which gives its callback no user data, and adds up what is
//! there: `cargo run --release --example tree -- DIR`.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod summary;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod walk;

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let root = arguments.next().unwrap_or_else(|| ".".into());
    if arguments.next().is_some() || root.is_empty() {
        eprintln!("tree: give one directory, or none for this one: tree [DIR]");
        return ExitCode::from(2);
    }

    let mut summary = summary::Summary::default();
    let walked = walk::walk(&root, |found| summary.add(&found));
    let root = root.display();
    if let Err(error) = walked {
        eprintln!("tree: {root}: {error}; give a directory that exists and may be read");
        return ExitCode::FAILURE;
    }
    print!("{summary}");
    match summary.unreadable() {
        0 => ExitCode::SUCCESS,
        places => {
            eprintln!("tree: {places} places below {root} cannot be read; run as a user who may");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() -> ExitCode {
    eprintln!("tree: this system has no glibc; run the example qsort");
    ExitCode::from(2)
}
