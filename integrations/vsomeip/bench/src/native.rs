// SPDX-License-Identifier: MIT OR Apache-2.0

//! The door to `native.cpp`.

use crate::contestant::{Job, Outcome};

/// As in C++: without the field that only Rust fills in.
#[repr(C)]
#[derive(Default)]
struct NativeOutcome {
    received: u64,
    out_of_order: u64,
    nanoseconds: u64,
    cpu_nanoseconds: u64,
    p50: u64,
    p99: u64,
}

unsafe extern "C" {
    fn native_run(job: *const Job, outcome: *mut NativeOutcome);
}

pub fn run(job: Job) -> Outcome {
    let mut native = NativeOutcome::default();
    // SAFETY: both point at what C++ declares the same, and it keeps neither.
    unsafe { native_run(&job, &mut native) };
    let NativeOutcome { received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99 } = native;
    Outcome { received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99, allocations: 0 }
}
