// SPDX-License-Identifier: MIT OR Apache-2.0

//! Takes away what a macro left in a folder: whatever modes it has, however deep it goes.
//!
//! `remove_dir_all` opens a descriptor per level, and stops at a folder that its owner may not read. Here
//! each folder is opened up and emptied of its files, and the folders in it move next to it: so no path is
//! longer than three names, two descriptors are enough, and nothing recurses.

use std::fs::{self, DirEntry, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Removes `folder` and all that is in it. Nobody may write there any more.
pub fn remove(folder: &Path) -> io::Result<()> {
    empty(folder);
    fs::remove_dir(folder)
}

/// Removes all that is in `folder`, as far as the system lets it go.
pub fn empty(folder: &Path) {
    let (mut moved, mut went_on) = (0, true);
    // Each round removes something, or brings something up by one level: so there is a last one.
    while went_on {
        went_on = false;
        for entry in entries(folder) {
            went_on |= take_away(folder, &entry, &mut moved);
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// True of a folder itself, not of a link to one.
fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// Removes one entry of `folder`, or a part of it; true if it did something.
fn take_away(folder: &Path, entry: &DirEntry, moved: &mut u64) -> bool {
    let path = entry.path();
    if !is_folder(entry) {
        return fs::remove_file(path).is_ok();
    }
    let mut went_on = false;
    open_up(&path);
    for inner in entries(&path) {
        went_on |= match is_folder(&inner) {
            true => {
                open_up(&inner.path()); // a folder that moves is written to
                fs::rename(inner.path(), free_name(folder, moved)).is_ok()
            }
            false => fs::remove_file(inner.path()).is_ok(),
        };
    }
    fs::remove_dir(path).is_ok() || went_on
}

fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700)); // else the next step fails
}

/// A name in `folder` that nothing has.
fn free_name(folder: &Path, moved: &mut u64) -> PathBuf {
    loop {
        *moved += 1;
        let path = folder.join(format!("{moved}.moved"));
        if path.symlink_metadata().is_err() {
            return path;
        }
    }
}
