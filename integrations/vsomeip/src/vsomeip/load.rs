// SPDX-License-Identifier: MIT OR Apache-2.0

//! Opens libvsomeip3 and its plugins at run time.
//!
//! vsomeip opens plugins of its own by name (`libvsomeip3-cfg.so.3`, `-sd`, `-e2e`) and ends the
//! process where it cannot. They are therefore opened here first, by their absolute path: the
//! loader then finds them by name among what is loaded. So a program needs no variable, no run
//! path and no linker option, wherever the library lies.

use std::ffi::{CStr, CString, OsStr, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where the library was when this crate was built.
const BUILT_AGAINST: &str = env!("RINGBACK_VSOMEIP_LIBRARIES");
/// The version of the headers this crate was built with.
pub const VERSION: &str = env!("RINGBACK_VSOMEIP_VERSION");
const LIBRARY: &str = "libvsomeip3.so.3";
const PLUGINS: [&str; 3] = ["libvsomeip3-cfg.so.3", "libvsomeip3-sd.so.3", "libvsomeip3-e2e.so.3"];
/// `vsomeip_v3::runtime::get()`, the one function of the library that is not virtual.
const RUNTIME_GET: &CStr = c"_ZN10vsomeip_v37runtime3getEv";

/// Why vsomeip cannot be used.
#[derive(Debug, Clone)]
pub struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

/// The library that is in use.
#[derive(Debug, Clone)]
pub struct Library {
    /// Its file, symbolic links resolved.
    pub path: PathBuf,
    pub(crate) runtime_get: usize,
}

/// Opens the library, once per process; it is never closed.
///
/// In this order: one that is loaded already, the one this crate was built against, the one beside
/// the program, and what the loader finds (its configuration, LD_LIBRARY_PATH).
///
/// # Errors
/// [`LoadError`] where there is none, or one whose version has another C++ interface.
pub fn library() -> Result<&'static Library, LoadError> {
    static LIBRARY: OnceLock<Result<Library, LoadError>> = OnceLock::new();
    LIBRARY.get_or_init(load).as_ref().map_err(Clone::clone)
}

fn load() -> Result<Library, LoadError> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(LIBRARY)));
    let handle = open(Path::new(LIBRARY), libc::RTLD_NOLOAD)
        .or_else(|_| open(&Path::new(BUILT_AGAINST).join(LIBRARY), 0))
        .or_else(|error| beside.map_or(Err(error), |path| open(&path, 0)))
        .or_else(|_| open(Path::new(LIBRARY), 0))
        .map_err(|error| {
            LoadError(format!(
                "{error}. Install vsomeip {VERSION} where the loader looks, or put {LIBRARY} and its \
                 plugins beside the program; this program was built against {BUILT_AGAINST}"
            ))
        })?;
    // SAFETY: a handle that dlopen gave, and a name that ends with 0.
    let get = unsafe { libc::dlsym(handle.0, RUNTIME_GET.as_ptr()) };
    if get.is_null() {
        return Err(LoadError(format!(
            "{LIBRARY} has no vsomeip_v3::runtime::get; another library has that name: install vsomeip \
             {VERSION}"
        )));
    }
    let path = file_of(get).ok_or_else(|| LoadError(format!("cannot tell where {LIBRARY} is")))?;
    check_version(&path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    for plugin in PLUGINS {
        // A plugin that is missing is missed by vsomeip itself, and only where it is needed: but
        // for the configuration, without which it ends the process.
        if let Err(error) = open(&folder.join(plugin), 0).or_else(|_| open(Path::new(plugin), 0))
            && plugin == PLUGINS[0]
        {
            return Err(LoadError(format!("{error}. It belongs beside {}", path.display())));
        }
    }
    Ok(Library { path, runtime_get: get as usize })
}

struct Handle(*mut c_void);

fn open(path: &Path, flags: i32) -> Result<Handle, String> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: a name that ends with 0. The library's initialisers are trusted as linking it would.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | flags) };
    if !handle.is_null() {
        return Ok(Handle(handle));
    }
    // SAFETY: dlerror's text belongs to this thread until its next call of the kind.
    let error = unsafe { libc::dlerror() };
    if error.is_null() {
        return Err(format!("{} is not loaded", path.display()));
    }
    // SAFETY: not null, and it ends with 0.
    Err(unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned())
}

fn file_of(symbol: *const c_void) -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` may be written; every bit pattern of it is valid.
    let info = unsafe {
        libc::dladdr(symbol, info.as_mut_ptr());
        info.assume_init()
    };
    if info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: not null, it ends with 0, and the library stays loaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    std::fs::canonicalize(OsStr::from_bytes(name.to_bytes())).ok()
}

/// vsomeip's interface is virtual functions: their order may change with major and minor version.
fn check_version(path: &Path) -> Result<(), LoadError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(found) = name.strip_prefix("libvsomeip3.so.") else { return Ok(()) };
    let first_two =
        |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    if found.contains('.') && first_two(found) != first_two(VERSION) {
        return Err(LoadError(format!(
            "{} is vsomeip {found}, but this program was built for {VERSION}: build it again with \
             that version's headers, or install {VERSION}",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_interface_is_taken() {
        let name = |version: &str| PathBuf::from(format!("/x/libvsomeip3.so.{version}"));
        assert!(check_version(&name(VERSION)).is_ok());
        let error = check_version(&name("3.99.1")).unwrap_err().to_string();
        assert!(error.contains("3.99.1") && error.contains(VERSION), "{error}");
    }

    #[test]
    fn the_library_is_found_without_any_variable() {
        let library = library().unwrap();
        assert!(library.path.to_string_lossy().contains("libvsomeip3"), "{library:?}");
        for plugin in PLUGINS {
            assert!(open(Path::new(plugin), libc::RTLD_NOLOAD).is_ok(), "{plugin} is not loaded");
        }
    }
}
