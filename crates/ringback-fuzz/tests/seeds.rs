// SPDX-License-Identifier: MIT OR Apache-2.0

//! The same sequences at each run: of fixed seeds, and those by which libFuzzer once reached every branch
//! that it knows (`corpus.hex`, one in each line). More of them: `cargo run --release -p ringback-fuzz -- SEEDS`,
//! `ci/fuzz.sh`.
#![allow(missing_docs, reason = "a test")]
#![cfg(target_os = "linux")]

use ringback_fuzz::{bytes_of_seed, run};

#[test]
fn what_a_thousand_seeds_say_is_done_as_the_model_says() {
    let operations: usize = (0..1000).map(|seed| run(&bytes_of_seed(seed))).sum();
    assert!(operations > 20_000, "the seeds say little: {operations} operations");
}

#[test]
fn what_the_fuzzer_found_is_done_as_the_model_says() {
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    let lines = include_str!("../corpus.hex").lines();
    let sequences: Vec<Vec<u8>> =
        lines.map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect();
    let operations: usize = sequences.iter().map(|bytes| run(bytes)).sum();
    assert!(operations > sequences.len(), "they say little: {operations} operations");
}
