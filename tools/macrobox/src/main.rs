// SPDX-License-Identifier: MIT OR Apache-2.0

//! `cargo macrobox`.

fn main() -> std::process::ExitCode {
    macrobox::cli::main()
}
