// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the example `tree` as a user does, and compares it with `find`.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::common::{assert_refused, run, stderr, stdout};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

fn example(arguments: &[&str]) -> Output {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| crate::common::build("tree"));
    run(Command::new(&*BINARY).args(arguments))
}

/// Files and bytes below `root`, as `find` counts them.
fn find(root: &Path) -> (u64, u64) {
    let find = Command::new("find").arg(root).args(["-type", "f", "-printf", "%s\\n"]).output();
    let sizes = stdout(&find.expect("find is installed"));
    let sizes = sizes.lines().map(|size| size.parse::<u64>().expect("a size"));
    sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size))
}

/// What the example prints of `root`: the rows, each split into words.
fn tree(root: &Path) -> Vec<Vec<String>> {
    let output = example(&[root.to_str().expect("a path in UTF-8")]);
    assert!(output.status.success(), "{}", stderr(&output));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    stdout(&output).lines().map(words).collect()
}

fn assert_tree_equals_find(root: &Path) {
    // Who else works in that directory may change it between two counts.
    for _ in 0..100 {
        let before = find(root);
        let rows = tree(root);
        if find(root) == before {
            let (files, bytes) = before;
            assert_eq!(rows[0], ["files", &files.to_string()]);
            assert_eq!(rows[1], ["bytes", &bytes.to_string()]);
            return;
        }
    }
    panic!("{root:?} does not hold still");
}

/// A directory that goes away with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("ringback-tree-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary directory can be written to");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn tree_counts_what_find_counts() {
    let folder = Folder::new();
    let root = &folder.0;
    let write = |name: &[u8], bytes: usize| {
        let path = root.join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        fs::write(path, vec![b'x'; bytes]).expect("a file");
    };
    write(b"a.txt", 10);
    write(b"deep/er/and/deeper/b.txt", 200);
    write(b"deep/no extension", 3000);
    write(b"deep/.hidden", 40);
    write(b"deep/empty.log", 0);
    write(b"not \xff utf-8.\xfe", 5);
    for kind in 0..10 {
        write(format!("kinds/of.kind{kind}").as_bytes(), 1000 + kind);
    }
    std::os::unix::fs::symlink("a.txt", root.join("link.txt")).expect("a link");
    std::os::unix::fs::symlink("deep", root.join("link")).expect("a link to a directory");
    fs::hard_link(root.join("a.txt"), root.join("same.txt")).expect("a hard link");
    let made = Command::new("mkfifo").arg(root.join("pipe.txt")).status();
    assert!(made.expect("mkfifo is installed").success());

    assert_tree_equals_find(root);
    let rows = tree(root);
    assert_eq!(rows[3], ["extension", "files", "bytes"]);
    assert_eq!(rows[4], ["(none)", "2", "3040"]);
    assert_eq!(rows[5], ["kind9", "1", "1009"]);
    assert_eq!(rows.len(), 4 + 10, "ten extensions are listed");
    fs::remove_dir_all(root.join("kinds")).expect("removed");
    assert!(tree(root).contains(&["txt".into(), "3".into(), "220".into()].into()));
}

#[test]
fn tree_counts_the_crates_as_find_does() {
    assert_tree_equals_find(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
}

#[test]
fn tree_says_in_one_line_what_is_wrong() {
    let cases: [(&[&str], i32, &str); 3] = [
        (&["/no/such/directory"], 1, "give a directory that exists"),
        (&["one", "two"], 2, "give one directory"),
        (&[""], 2, "give one directory"),
    ];
    for (arguments, code, remedy) in cases {
        assert_refused(&example(arguments), code, remedy);
    }
}
