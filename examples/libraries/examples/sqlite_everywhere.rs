// SPDX-License-Identifier: MIT OR Apache-2.0

//! `sqlite3_auto_extension` takes one function that SQLite calls for each connection that anybody in the
//! process opens, without user data. A pooled one gives all of them the same settings.
//!
//!     cargo run --example sqlite_everywhere

use ringback::callback_pool;
use ringback_example_libraries::sqlite::*;
use std::error::Error;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

callback_pool! {
    /// A connection was opened.
    static ON_OPEN: Pool<Called, 4>;
    fallback = 0; // SQLITE_OK: opened as it is
}

/// SQLite declares it without arguments, and calls it with three.
type Declared = unsafe extern "C" fn();
type Called = unsafe extern "C" fn(*mut sqlite3, *mut *mut c_char, *const c_void) -> c_int;

fn main() -> Result<(), Box<dyn Error>> {
    let opened = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&opened);
    let on_open = ON_OPEN.register(move |database: *mut sqlite3, _, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        run(database, c"PRAGMA foreign_keys = ON")
    })?;
    // SAFETY: "the function pointer is really the address of an entry point with three arguments"
    // (sqlite.org/c3ref/auto_extension.html).
    let entry = unsafe { std::mem::transmute::<Called, Declared>(on_open.as_fn()) };
    // SAFETY: a function that lives as long as the program; taken back below.
    unsafe { sqlite3_auto_extension(Some(entry)) };

    println!(
        "with the extension:    an orphan is {}",
        if orphan_is_refused()? { "refused" } else { "taken" }
    );
    // SAFETY: the same function.
    let found = unsafe { sqlite3_cancel_auto_extension(Some(entry)) };
    assert_eq!(found, 1, "SQLite has forgotten it");
    on_open.unregister()?.confirm_forgotten();
    println!(
        "without the extension: an orphan is {}",
        if orphan_is_refused()? { "refused" } else { "taken" }
    );
    println!("{} connection was given its settings", opened.load(Ordering::Relaxed));
    Ok(())
}

fn run(database: *mut sqlite3, text: &CStr) -> c_int {
    // SAFETY: an open connection, on its thread; no callback, no message.
    unsafe { sqlite3_exec(database, text.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) }
}

fn orphan_is_refused() -> Result<bool, Box<dyn Error>> {
    let mut database = ptr::null_mut();
    // SAFETY: an in-memory database; the pointer receives the connection.
    if unsafe { sqlite3_open(c":memory:".as_ptr(), &raw mut database) } != SQLITE_OK as c_int {
        return Err("SQLite cannot open a database".into());
    }
    let tables = c"CREATE TABLE car(id INTEGER PRIMARY KEY);
        CREATE TABLE wheel(car INTEGER REFERENCES car(id))";
    let made = run(database, tables);
    let code = run(database, c"INSERT INTO wheel VALUES (7)");
    // SAFETY: closed once; no statement is open.
    unsafe { sqlite3_close(database) };
    match (made as u32, code as u32) {
        (SQLITE_OK, SQLITE_OK) => Ok(false),
        (SQLITE_OK, SQLITE_CONSTRAINT) => Ok(true),
        _ => Err(format!("SQLite: errors {made}, {code}").into()),
    }
}
