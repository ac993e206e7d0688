// SPDX-License-Identifier: MIT OR Apache-2.0

//! Built with `--cfg fuzzing`: libFuzzer's program (see `ci/fuzz.sh`). Else runs seeds, or files that
//! libFuzzer left: `cargo run --release -p ringback-fuzz -- 100000`, `.. -- FILE..`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ringback_fuzz::run(bytes);
});

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut operations = 0;
    if let [number] = &arguments[..]
        && let Ok(seeds) = number.parse::<u64>()
    {
        for seed in 0..seeds {
            operations += ringback_fuzz::run(&ringback_fuzz::bytes_of_seed(seed));
        }
        println!("{seeds} seeds, {operations} operations, each as the model says");
        return std::process::ExitCode::SUCCESS;
    }
    if arguments.is_empty() {
        eprintln!("usage: ringback-fuzz SEEDS | FILE..");
        return std::process::ExitCode::from(2);
    }
    for file in &arguments {
        match std::fs::read(file) {
            Ok(bytes) => operations += ringback_fuzz::run(&bytes),
            Err(error) => {
                eprintln!("{file}: {error}");
                return std::process::ExitCode::FAILURE;
            }
        }
    }
    println!("{} files, {operations} operations, each as the model says", arguments.len());
    std::process::ExitCode::SUCCESS
}
