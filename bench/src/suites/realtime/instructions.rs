// SPDX-License-Identifier: MIT OR Apache-2.0

//! Instructions per call, counted by callgrind: no clock, so no noise.

use super::child::Job;
use super::one;
use crate::Result;
use crate::figure::Figure;
use crate::figure::Limit::{AtMost, None as NoLimit};
use crate::portable::cache;
use std::collections::HashMap;
use std::process::Command;

/// The C function that calls; its own instructions are not counted.
const CALLER: &str = "bench_call";
const CALLS: u64 = 1_000_000;
const WATCHED_CALLS: u64 = 10_000_000;

pub fn figures() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut per_call = HashMap::new();
    for name in ["hazard", "fence", "counter", "closure_ffi", "libffi"] {
        let calls = if name == "hazard" { WATCHED_CALLS } else { CALLS };
        let profile = Profile::take(name, calls)?;
        per_call.insert(name, profile.instructions as f64 / calls as f64);
        if name == "hazard" {
            let meaning =
                "atomic read-modify-write instructions in 10 million calls: no lock without";
            let value = one(profile.locked()? as f64);
            figures.push(Figure::new("locks_after_start", value, AtMost(0.0), meaning));
        }
    }
    let limit = AtMost(2.0 * per_call["closure_ffi"]);
    for (name, limit, meaning) in [
        ("hazard", limit, "instructions per call; the limit is twice closure-ffi's"),
        ("fence", NoLimit, "the same after init(Protection::Fence): two of them full fences"),
        ("counter", NoLimit, "the same with protection = counter"),
        ("closure_ffi", NoLimit, "closure-ffi's, which protects nothing"),
        ("libffi", NoLimit, "libffi's"),
    ] {
        let name_of_figure = format!("instructions_per_call.{name}");
        figures.push(Figure::new(&name_of_figure, one(per_call[name]), limit, meaning));
    }
    Ok(figures)
}

/// How often each instruction below the caller was executed.
struct Profile {
    instructions: u64,
    /// By address as callgrind sees it, for code of this program.
    executed: HashMap<u64, u64>,
    /// Where callgrind saw the caller begin.
    caller: u64,
}

impl Profile {
    fn take(name: &'static str, calls: u64) -> Result<Profile> {
        let file = cache()?.join(format!("callgrind.{name}"));
        std::fs::create_dir_all(cache()?)?;
        let wrapper: Vec<String> = [
            "valgrind",
            "--tool=callgrind",
            "--quiet",
            "--dump-instr=yes",
            "--compress-pos=no",
            "--compress-strings=no",
            &format!("--toggle-collect={CALLER}"),
            &format!("--callgrind-out-file={}", file.display()),
        ]
        .map(String::from)
        .into();
        let status = Job::Calls(name, calls).command(&wrapper)?.status();
        match status {
            Ok(status) if status.success() => Profile::read(&std::fs::read_to_string(file)?),
            Ok(status) => Err(format!("callgrind on {name}: {status}").into()),
            Err(error) => {
                Err(format!("valgrind (install the package of that name): {error}").into())
            }
        }
    }

    /// The format is described in the manual of callgrind, chapter "Format Specification".
    fn read(text: &str) -> Result<Profile> {
        let mut profile = Profile { instructions: 0, executed: HashMap::new(), caller: u64::MAX };
        let (mut in_caller, mut in_program, mut inclusive) = (false, false, false);
        let program = std::env::current_exe()?;
        for line in text.lines() {
            if let Some(object) = line.strip_prefix("ob=") {
                in_program = std::path::Path::new(object) == program;
            } else if let Some(function) = line.strip_prefix("fn=") {
                in_caller = function == CALLER;
            } else if line.starts_with("calls=") {
                inclusive = true; // the next line is the callee's
            } else if let Some(rest) = line.strip_prefix("0x") {
                if std::mem::take(&mut inclusive) {
                    continue;
                }
                let mut fields = rest.split(' ');
                let address = u64::from_str_radix(fields.next().unwrap_or_default(), 16)?;
                let cost: u64 =
                    fields.nth(1).ok_or("a line of callgrind without a cost")?.parse()?;
                if in_caller {
                    profile.caller = profile.caller.min(address);
                    continue;
                }
                profile.instructions += cost;
                if in_program {
                    *profile.executed.entry(address).or_default() += cost;
                }
            }
        }
        if profile.caller == u64::MAX || profile.instructions == 0 {
            return Err("callgrind saw no calls".into());
        }
        Ok(profile)
    }

    /// Executed instructions of this program that read, change and write memory in one.
    fn locked(&self) -> Result<u64> {
        let program = std::env::current_exe()?;
        let output =
            Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(program).output()?;
        let listing = String::from_utf8_lossy(&output.stdout);
        let caller = listing
            .lines()
            .find_map(|line| line.strip_suffix(&format!(" <{CALLER}>:")))
            .ok_or("objdump does not find the caller")?;
        let moved = self.caller.wrapping_sub(u64::from_str_radix(caller, 16)?);
        let mut known = 0;
        let mut locked = 0;
        for line in listing.lines() {
            let Some((address, instruction)) = line.split_once(":\t") else { continue };
            let Ok(address) = u64::from_str_radix(address.trim(), 16) else { continue };
            let Some(times) = self.executed.get(&address.wrapping_add(moved)) else { continue };
            known += 1;
            let exchanges = instruction.starts_with("xchg") && instruction.contains('(');
            if instruction.starts_with("lock") || exchanges {
                locked += times;
            }
        }
        if known != self.executed.len() {
            return Err("the listing and the profile are not of the same program".into());
        }
        Ok(locked)
    }
}
