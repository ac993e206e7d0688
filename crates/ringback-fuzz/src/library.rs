// SPDX-License-Identifier: MIT OR Apache-2.0

//! The shared library that holds a pool of its own: registered in, called, unloaded. Once it has lent out
//! a pointer it stays, so its state outlives `dlclose`; until then unloading forgets it.

use crate::Function;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

type Register = extern "C" fn(i32) -> Option<Function>;
type Unregister = extern "C" fn() -> bool;

struct Plugin {
    handle: *mut c_void,
    register: Register,
    unregister: Unregister,
}
// SAFETY: a handle and functions of the whole process.
unsafe impl Send for Plugin {}

/// The library and what is known of it.
pub(crate) struct Library {
    loaded: Option<Plugin>,
    /// By the pointers that it lent out: what its listener adds, if there is one.
    listeners: Option<HashMap<Function, Option<i32>>>,
}

static LIBRARY: Mutex<Library> = Mutex::new(Library { loaded: None, listeners: None });

pub(crate) fn with<T>(what: impl FnOnce(&mut Library) -> T) -> T {
    what(&mut LIBRARY.lock().unwrap_or_else(PoisonError::into_inner))
}

fn path() -> PathBuf {
    let program = std::env::current_exe().expect("a program has a path");
    let file = format!("libringback_life_plugin.{}", std::env::consts::DLL_EXTENSION);
    let folders = program.ancestors().skip(1).take(2);
    let mut places =
        folders.flat_map(|folder| [folder.join(&file), folder.join("deps").join(&file)]);
    places.find(|path| path.exists()).expect("cargo built ringback-life's library")
}

impl Library {
    fn load(&mut self) -> &Plugin {
        self.loaded.get_or_insert_with(|| {
            let name = CString::new(path().to_str().expect("Cargo's paths are UTF-8")).unwrap();
            // SAFETY: our own plugin, whose initialisers are Rust's.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            if handle.is_null() {
                // SAFETY: says why, as a string of the loader's, since `dlopen` failed.
                let why = unsafe { std::ffi::CStr::from_ptr(libc::dlerror()) };
                panic!("dlopen {name:?}: {why:?}");
            }
            let symbol = |name: &std::ffi::CStr| {
                // SAFETY: the handle is open.
                let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
                assert!(!address.is_null(), "{name:?}");
                address
            };
            let (register, unregister) = (symbol(c"plugin_register"), symbol(c"plugin_unregister"));
            // SAFETY: the types of the plugin's functions.
            unsafe {
                Plugin {
                    handle,
                    register: std::mem::transmute::<*mut c_void, Register>(register),
                    unregister: std::mem::transmute::<*mut c_void, Unregister>(unregister),
                }
            }
        })
    }

    pub(crate) fn register(&mut self, summand: i32) {
        let function = (self.load().register)(summand).expect("one of its slots is free");
        let listeners = self.listeners.get_or_insert_default();
        listeners.values_mut().for_each(|listener| *listener = None); // it keeps one at a time
        listeners.insert(function, Some(summand));
        assert!(listeners.len() <= 4, "more pointers than it has slots");
    }

    pub(crate) fn unregister(&mut self) {
        let had = self.listeners.iter().flat_map(HashMap::values).any(Option::is_some);
        assert_eq!((self.load().unregister)(), had);
        self.listeners.iter_mut().flat_map(HashMap::values_mut).for_each(|it| *it = None);
    }

    pub(crate) fn unload(&mut self) {
        if let Some(Plugin { handle, .. }) = self.loaded.take() {
            // SAFETY: open until here.
            assert_eq!(unsafe { libc::dlclose(handle) }, 0);
        }
    }

    /// Through every pointer that it ever lent out, loaded or not.
    pub(crate) fn call(&mut self, argument: i32) {
        for (function, listener) in self.listeners.iter().flatten() {
            let answer = listener.map_or(-1, |summand| argument.wrapping_add(summand));
            assert_eq!(function(argument), answer);
        }
    }
}
