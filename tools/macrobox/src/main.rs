//! `cargo macrobox`.

fn main() -> std::process::ExitCode {
    macrobox::cli::main()
}
