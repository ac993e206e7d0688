//! The same sequences at each run; more of them: `cargo run --release -p ringback-fuzz -- SEEDS`.
#![allow(missing_docs, reason = "a test")]
#![cfg(target_os = "linux")]

use ringback_fuzz::{bytes_of_seed, run};

#[test]
fn what_a_thousand_seeds_say_is_done_as_the_model_says() {
    let operations: usize = (0..1000).map(|seed| run(&bytes_of_seed(seed))).sum();
    assert!(operations > 20_000, "the seeds say little: {operations} operations");
}
