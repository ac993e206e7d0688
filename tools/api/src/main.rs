// SPDX-License-Identifier: MIT OR Apache-2.0

//! `ringback-api JSON`: the public items of a crate, one on a line, from the JSON that rustdoc wrote.
//! `ci/api.sh` compares them with the list that is committed.

use serde_json::{Value, json};
use std::{error::Error, fs, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [json] = arguments.as_slice() else {
        eprintln!("usage: ringback-api JSON-OF-RUSTDOC");
        return ExitCode::from(2);
    };
    match list(json) {
        Ok(items) => {
            print!("{items}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{json}: {error}; written by the compiler that ci/api.sh names?");
            ExitCode::FAILURE
        }
    }
}

fn list(json: &str) -> Result<String, Box<dyn Error>> {
    let mut documented: Value = serde_json::from_str(&fs::read_to_string(json)?)?;
    name_abis(&mut documented);
    let named = format!("{json}.named");
    fs::write(&named, serde_json::to_string(&documented)?)?;
    let listed = public_api::Builder::from_rustdoc_json(&named).omit_blanket_impls(true).build();
    fs::remove_file(&named)?;
    Ok(listed?
        .items()
        .map(|item| format!("{item}\n"))
        .filter(|line| can_be_relied_on(line))
        .collect())
}

/// Not what the compiler keeps for itself: nobody can name these traits on a stable compiler.
fn can_be_relied_on(line: &str) -> bool {
    !["Freeze", "UnsafeUnpin", "StructuralPartialEq"]
        .iter()
        .any(|own| line.contains(&format!("core::marker::{own} for ")))
}

/// public-api prints `fn(A) -> R` for every function pointer. In this library the ABI is half of the
/// type, so such a pointer is replaced by a path with that name and the same parentheses.
fn name_abis(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(name_abis);
            if let Some(pointer) = members.get("function_pointer")
                && let Some(name) = full_name(&pointer["header"])
            {
                let inputs: Vec<&Value> = pointer["sig"]["inputs"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|input| &input[1])
                    .collect();
                let arguments = json!({ "inputs": inputs, "output": pointer["sig"]["output"] });
                // No item has this id, so its path is printed as it stands.
                *value = json!({ "resolved_path":
                    { "path": name, "id": u32::MAX, "args": { "parenthesized": arguments } } });
            }
        }
        Value::Array(values) => values.iter_mut().for_each(name_abis),
        _ => {}
    }
}

/// `unsafe extern "C-unwind" fn`; nothing for a plain `fn`.
fn full_name(header: &Value) -> Option<String> {
    let safety = if header["is_unsafe"] == json!(true) { "unsafe " } else { "" };
    let convention = match &header["abi"] {
        Value::Object(abi) => {
            let (name, details) = abi.iter().next()?;
            let unwind = if details["unwind"] == json!(true) { "-unwind" } else { "" };
            let name = if name == "C" { name.clone() } else { name.to_lowercase() };
            format!("extern \"{name}{unwind}\" ")
        }
        _ => String::new(),
    };
    (!safety.is_empty() || !convention.is_empty()).then(|| format!("{safety}{convention}fn"))
}
