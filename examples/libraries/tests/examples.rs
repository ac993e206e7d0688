//! The examples do what they say, as a user would run them.

use std::process::Command;

fn run(example: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", example, "--"])
        .args(arguments)
        .output()
        .expect("cargo runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn curl_downloads_through_a_closure() {
    let file = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (ok, text) = run("curl_write", &[file]);
    let bytes = include_bytes!("../Cargo.toml").len();
    assert!(ok && text.contains(&format!("{bytes} bytes")), "{text}");
}

#[test]
fn curl_says_what_is_wrong() {
    let (ok, text) = run("curl_write", &["file:///no/such/file"]);
    assert!(!ok && text.contains("libcurl: error 37"), "{text}");
}

#[test]
fn sqlite_owns_the_closure_and_drops_it() {
    let (ok, text) = run("sqlite_function", &[]);
    assert!(ok, "{text}");
    for row in ["-40.0       -40.0", "30.0        86.0", "100.0       212.0", "3 calls"] {
        assert!(text.contains(row), "{row} in {text}");
    }
}
