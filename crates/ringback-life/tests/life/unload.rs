// SPDX-License-Identifier: MIT OR Apache-2.0

//! The library that holds the thunks is unloaded, and pins itself.

use crate::Function;
use crate::own_process::is_this;
use std::ffi::{CString, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::thread;

/// A library, loaded; closing it is the test's business.
struct Library(*mut c_void);

impl Library {
    fn open(path: &Path) -> Library {
        let name = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: our own plugin, whose initialisers are Rust's.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "dlopen {}", path.display());
        Library(handle)
    }

    /// # Safety
    /// `F` is the type of the function with this name.
    unsafe fn symbol<F: Copy>(&self, name: &str) -> F {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let name = CString::new(name).unwrap();
        // SAFETY: the handle is open.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!address.is_null());
        // SAFETY: the caller's promise.
        unsafe { std::mem::transmute_copy(&address) }
    }

    fn close(self) {
        // SAFETY: open until here.
        assert_eq!(unsafe { libc::dlclose(self.0) }, 0);
    }
}

/// The plugin, under a name of its own.
fn plugin(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let file = format!("libringback_life_plugin.{}", std::env::consts::DLL_EXTENSION);
    let folders = program.ancestors().skip(1).take(2);
    let built = folders.map(|folder| folder.join(&file)).find(|path| path.exists()).unwrap();
    let copy = std::env::temp_dir().join(format!("{name}-{}.so", std::process::id()));
    fs::copy(built, &copy).unwrap();
    copy
}

fn mappings(path: &Path) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.ends_with(path.to_str().unwrap())).count()
}

#[test]
fn a_library_that_lent_out_a_pointer_stays_and_threads_outlive_its_unloading() {
    if !is_this("unload::a_library_that_lent_out_a_pointer_stays_and_threads_outlive_its_unloading")
    {
        return;
    }
    let path = plugin("pinned");
    let mut after_the_first = 0;
    for round in 0..1000 {
        let library = Library::open(&path);
        // SAFETY: the types of the plugin's functions.
        let (register, unregister) = unsafe {
            (
                library.symbol::<extern "C" fn(i32) -> Option<Function>>("plugin_register"),
                library.symbol::<extern "C" fn() -> bool>("plugin_unregister"),
            )
        };
        let function = register(round).unwrap();
        let closed = Arc::new(AtomicBool::new(false));
        let is_closed = closed.clone();
        let caller = thread::spawn(move || {
            assert_eq!(function(1), round + 1);
            while !is_closed.load(SeqCst) {
                assert_eq!(function(1), round + 1);
            }
            // Unloaded now, as far as the host is concerned.
            assert_eq!(function(2), round + 2);
        }); // .. and the thread ends after that, with the record that the plugin gave it
        if round % 2 == 0 {
            assert!(unregister_later(&caller, unregister, &closed, library));
        } else {
            library.close();
            closed.store(true, SeqCst);
        }
        caller.join().unwrap();
        if round % 2 == 1 {
            assert!(unregister(), "the registration lives as long as the pinned library");
        }
        assert_eq!(function(1), -1, "a stale call through an unloaded library is answered");
        if round == 0 {
            after_the_first = mappings(&path);
            assert!(after_the_first > 0, "it was unloaded");
        }
    }
    assert_eq!(mappings(&path), after_the_first, "it was loaded again beside itself");
    fs::remove_file(path).unwrap();
}

/// Closes the library while the thread calls, then unregisters once the thread is through.
fn unregister_later(
    caller: &thread::JoinHandle<()>,
    unregister: extern "C" fn() -> bool,
    closed: &AtomicBool,
    library: Library,
) -> bool {
    library.close();
    closed.store(true, SeqCst);
    while !caller.is_finished() {
        thread::yield_now();
    }
    unregister()
}

#[test]
fn a_library_that_lent_out_nothing_is_unloaded() {
    if !is_this("unload::a_library_that_lent_out_nothing_is_unloaded") {
        return;
    }
    let path = plugin("idle");
    let library = Library::open(&path);
    // SAFETY: the type of the plugin's function.
    let idle = unsafe { library.symbol::<extern "C" fn() -> i32>("plugin_idle") };
    assert_eq!(idle(), 7);
    assert!(mappings(&path) > 0);
    library.close();
    assert_eq!(mappings(&path), 0, "something other than the pool pins it");
    fs::remove_file(path).unwrap();
}

/// The thread's record goes back when the thread ends: by a function of the library.
#[test]
fn a_library_that_prepared_a_thread_stays_for_its_end() {
    if !is_this("unload::a_library_that_prepared_a_thread_stays_for_its_end") {
        return;
    }
    let path = plugin("attached");
    let attached = path.clone();
    let thread = thread::spawn(move || {
        let library = Library::open(&attached);
        // SAFETY: the type of the plugin's function.
        let attach = unsafe { library.symbol::<extern "C" fn()>("plugin_attach") };
        attach();
        library.close();
    });
    thread.join().unwrap(); // ended, and nobody jumped to where nothing is
    assert!(mappings(&path) > 0, "unloaded, with a thread's end to come");
    fs::remove_file(path).unwrap();
}
