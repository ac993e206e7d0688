// SPDX-License-Identifier: MIT OR Apache-2.0

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

#[test]
fn libxml_reads_documents_out_of_a_map() {
    let (ok, text) = run("xml_documents", &[]);
    assert!(ok, "{text}");
    for part in ["<brake bar=\"120\"", "<wheels count=\"4\"", "3 documents opened"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn libevent_logs_to_a_closure() {
    let (ok, text) = run("event_log", &[]);
    assert!(ok && text.contains("warning: event_base_loop: reentrant invocation"), "{text}");
}

#[test]
fn openssl_asks_closures_for_keys() {
    let (ok, text) = run("tls_psk", &[]);
    assert!(
        ok && text.contains("ours: connected by") && text.contains("stranger: refused"),
        "{text}"
    );
}

#[test]
fn lmdb_orders_keys_by_closures() {
    let (ok, text) = run("lmdb_order", &["light", "door"]);
    assert!(ok, "{text}");
    for line in [
        "by number:              door/1 brake/2 door/3 light/9 brake/10 light/10",
        "by urgency from door/2: door/3 brake/2 brake/10",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn gmp_takes_its_memory_from_closures() {
    let (ok, text) = run("gmp_memory", &["1000"]);
    assert!(ok && text.contains("1000! has 2568 digits") && text.contains(" 0 left"), "{text}");
}

#[test]
fn sqlite_tells_a_closure_of_every_connection() {
    let (ok, text) = run("sqlite_everywhere", &[]);
    assert!(ok, "{text}");
    for line in [
        "with the extension:    an orphan is refused",
        "without the extension: an orphan is taken",
        "1 connection",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn libsodium_makes_the_keys_of_a_seed() {
    let (ok, text) = run("sodium_random", &[]);
    let keys: Vec<&str> = text.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    assert!(ok && keys.len() == 3 && keys[0].len() == 64, "{text}");
    assert!(keys[0] == keys[1] && keys[1] != keys[2], "{text}");
}
