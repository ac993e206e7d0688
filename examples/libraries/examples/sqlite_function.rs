// SPDX-License-Identifier: MIT OR Apache-2.0

//! SQLite calls `function(context, count, values)`; its user data is asked for by
//! `sqlite3_user_data(context)`, and `sqlite3_create_function_v2` takes a destroy function: the
//! closure belongs to SQLite, which drops it when the connection is closed.
//!
//!     cargo run --example sqlite_function

use ringback::UserData;
use ringback_example_libraries::sqlite::*;
use std::error::Error;
use std::ffi::{CStr, c_int};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Function = unsafe extern "C" fn(*mut sqlite3_context, c_int, *mut *mut sqlite3_value);

fn main() -> Result<(), Box<dyn Error>> {
    let calls = Arc::new(AtomicU64::new(0));
    let mut database = ptr::null_mut();
    // SAFETY: an in-memory database; the pointer receives the connection.
    check(unsafe { sqlite3_open(c":memory:".as_ptr(), &raw mut database) })?;

    let factor = 1.8;
    let counter = Arc::clone(&calls);
    let fahrenheit = UserData::<Function>::found_by(
        // SAFETY: SQLite passes a context of its own.
        |context, _, _| unsafe { sqlite3_user_data(context) },
        || (),
        move |context, _, values| {
            counter.fetch_add(1, Ordering::Relaxed);
            // SAFETY: declared with one argument, so there is one value; the context is SQLite's.
            unsafe {
                let celsius = sqlite3_value_double(*values);
                sqlite3_result_double(context, celsius * factor + 32.0);
            }
        },
    )?;
    let (function, data, destroy) = fahrenheit.into_c();
    // SAFETY: the connection is open; the three belong together, and SQLite calls `destroy` once.
    check(unsafe {
        sqlite3_create_function_v2(
            database,
            c"fahrenheit".as_ptr(),
            1,
            SQLITE_UTF8 as c_int,
            data,
            Some(function),
            None,
            None,
            Some(destroy),
        )
    })?;

    let query =
        c"WITH RECURSIVE t(c) AS (SELECT -40.0 UNION ALL SELECT c + 70 FROM t WHERE c < 100)
        SELECT c, fahrenheit(c) FROM t";
    println!("{:>8} {:>11}", "Celsius", "Fahrenheit");
    for [celsius, fahrenheit] in rows(database, query)? {
        println!("{celsius:8.1} {fahrenheit:11.1}");
    }

    assert_eq!(Arc::strong_count(&calls), 2, "SQLite has the closure");
    // SAFETY: closed once; no statement is open.
    check(unsafe { sqlite3_close(database) })?;
    assert_eq!(Arc::strong_count(&calls), 1, "SQLite has called `destroy`");
    println!("{} calls, then the closure was dropped by SQLite", calls.load(Ordering::Relaxed));
    Ok(())
}

fn rows(database: *mut sqlite3, query: &CStr) -> Result<Vec<[f64; 2]>, Box<dyn Error>> {
    let mut statement = ptr::null_mut();
    let mut rows = Vec::new();
    // SAFETY: the connection is open; the statement is stepped through and finalised here.
    unsafe {
        let (text, end) = (query.as_ptr(), ptr::null_mut());
        check(sqlite3_prepare_v2(database, text, -1, &raw mut statement, end))?;
        while sqlite3_step(statement) == SQLITE_ROW as c_int {
            rows.push([0, 1].map(|column| sqlite3_column_double(statement, column)));
        }
        check(sqlite3_finalize(statement))?;
    }
    Ok(rows)
}

fn check(code: c_int) -> Result<(), Box<dyn Error>> {
    if code == SQLITE_OK as c_int {
        return Ok(());
    }
    // SAFETY: a static text for every code.
    let text = unsafe { CStr::from_ptr(sqlite3_errstr(code)) };
    Err(format!("SQLite: {}", text.to_string_lossy()).into())
}
