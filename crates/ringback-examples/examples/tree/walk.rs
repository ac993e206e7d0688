// SPDX-License-Identifier: MIT OR Apache-2.0

//! `nftw` for Rust closures.

use libc::stat;
use ringback::callback_pool;
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt;

/// Where `nftw` is: its `struct FTW`.
#[repr(C)]
struct Position {
    /// Where in the path the last name begins.
    base: c_int,
    /// How deep below the root.
    level: c_int,
}

// glibc's <ftw.h>, which the crate libc leaves out.
const FTW_DNR: c_int = 2; // a directory that cannot be read
const FTW_NS: c_int = 3; // nothing known, not even by stat
const FTW_PHYS: c_int = 1; // do not follow symbolic links

type Visitor = unsafe extern "C" fn(*const c_char, *const stat, c_int, &Position) -> c_int;

unsafe extern "C" {
    fn nftw(root: *const c_char, visit: Visitor, descriptors: c_int, flags: c_int) -> c_int;
}

callback_pool! {
    /// As many walks as may run at once. The type is written out, since it borrows; where nothing is
    /// borrowed an alias will do, as in the example `qsort`.
    static VISIT:
        Pool<unsafe extern "C" fn(*const c_char, *const stat, c_int, &Position) -> c_int, 16>;
    fallback = STOP;
}

const GO_ON: c_int = 0;
/// Ends the walk and comes back from `nftw`: a visitor panicked.
const STOP: c_int = 1;

/// How many directories may be open at once.
const DESCRIPTORS: c_int = 32;

/// What the walk comes by.
pub(crate) enum Found<'walk> {
    /// A regular file.
    File { name: &'walk OsStr, bytes: u64 },
    /// Something that may not be read.
    Unreadable,
    /// A directory, a link, a socket or the like.
    Other,
}

/// Calls `visit` for `root` and everything below it. Symbolic links are not followed.
pub(crate) fn walk(root: &OsStr, mut visit: impl FnMut(Found<'_>) + Send) -> io::Result<()> {
    let root = CString::new(root.as_bytes())?;
    VISIT.scope(|scope| {
        let visitor = scope
            .register_mut(|path, stat, kind, position| {
                // SAFETY: nftw passes a path, the name's place in it, and what stat said.
                visit(unsafe { found(path, stat, kind, position) });
                GO_ON
            })
            .map_err(|full| io::Error::other(full.to_string()))?;
        // SAFETY: a path, and a function that takes what nftw passes, as often as it likes.
        let end = unsafe { nftw(root.as_ptr(), visitor.as_fn(), DESCRIPTORS, FTW_PHYS) };
        let error = io::Error::last_os_error();
        visitor.confirm_forgotten(); // nftw has returned, so its slot may serve another walk
        match end {
            GO_ON => Ok(()),
            STOP => Err(io::Error::other("the visitor panicked")),
            _ => Err(error),
        }
    })
}

/// # Safety
/// `path` is a C string, `position.base` an index into it, and `stat` valid unless `kind` is
/// `FTW_NS`; the path outlives the result.
unsafe fn found<'walk>(
    path: *const c_char,
    stat: *const stat,
    kind: c_int,
    position: &Position,
) -> Found<'walk> {
    if kind == FTW_DNR || kind == FTW_NS {
        return Found::Unreadable;
    }
    // SAFETY: the caller's promise, and `kind` is not `FTW_NS`.
    let stat = unsafe { &*stat };
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Found::Other;
    }
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(path.add(position.base as usize)) };
    Found::File { name: OsStr::from_bytes(name.to_bytes()), bytes: stat.st_size as u64 }
}
