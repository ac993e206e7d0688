// SPDX-License-Identifier: MIT OR Apache-2.0

//! Folders for temporary files, which go with the program that made them; and if that was killed, with
//! the next one that ends. Who uses a folder holds its lock, which the kernel lets go with the process.

use crate::empty;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How the folders' names begin; the server's too.
const NAME: &str = "macrobox-scratch-";

/// A younger folder may not be locked yet.
const OLD: Duration = Duration::from_secs(60);

/// Makes one, readable by nobody else, and takes its lock.
pub(crate) fn make() -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Relaxed);
        let path = std::env::temp_dir().join(format!("{NAME}{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                let folder = File::open(&path)?;
                let _ = lock(&folder, false); // where there are no locks, nothing is swept
                return Ok((path, folder));
            }
            // Of a program that had this number before.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes this user's folders that nobody holds any more: once in a program, which may end many servers.
pub(crate) fn sweep() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(sweep_now);
}

fn sweep_now() {
    // SAFETY: takes nothing.
    let user = unsafe { libc::geteuid() };
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(NAME.as_bytes()) {
            continue;
        }
        // Of the entry itself, not of what a link leads to.
        let Ok(known) = entry.metadata() else { continue };
        let age = known.modified().ok().and_then(|changed| changed.elapsed().ok());
        if known.is_dir() && known.uid() == user && age.is_some_and(|age| age > OLD) {
            remove_if_free(&entry.path());
        }
    }
}

fn remove_if_free(path: &Path) {
    if let Ok(folder) = File::open(path)
        && lock(&folder, false).is_ok()
    {
        let _ = empty::remove(path);
    }
}

/// Takes `file`'s lock, until it is closed; fails where another has it and we do not `wait`.
pub(crate) fn lock(file: &File, wait: bool) -> io::Result<()> {
    let how = if wait { libc::LOCK_EX } else { libc::LOCK_EX | libc::LOCK_NB };
    // SAFETY: a descriptor of ours, and a number.
    match unsafe { libc::flock(file.as_raw_fd(), how) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_folder_goes_only_if_it_is_old_and_nobody_holds_it() {
        let ago = |folder: &File, seconds| {
            let time = SystemTime::now() - Duration::from_secs(seconds);
            folder.set_modified(time).unwrap();
        };
        let made = |age| {
            let (path, folder) = make().unwrap();
            ago(&folder, age);
            (path, folder)
        };
        let [(held, holder), (left, one), (young, two)] = [made(3600), made(3600), made(10)];
        drop((one, two));
        let link = held.with_file_name(format!("{NAME}link-{}", std::process::id()));
        std::os::unix::fs::symlink(&young, &link).unwrap();
        sweep_now();
        let there = [&held, &left, &young].map(|path| path.exists());
        let linked = link.symlink_metadata().is_ok();
        drop(holder);
        std::fs::remove_file(&link).unwrap();
        sweep_now(); // now nobody holds it
        assert_eq!((there, linked), ([true, false, true], true));
        assert!(!held.exists());
        std::fs::remove_dir(&young).unwrap();
    }
}
