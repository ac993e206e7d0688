// SPDX-License-Identifier: MIT OR Apache-2.0

//! LMDB keeps the keys of a database in the order that a function of yours says, which gets two keys and
//! nothing else. Each database gets a closure of its own from a pool: here the same signals by their
//! number, and by how urgent their part of the car is.
//!
//!     cargo run --example lmdb_order -- brake door light

use ringback::{Registration, callback_pool};
use ringback_example_libraries::lmdb::*;
use std::cmp::Ordering;
use std::error::Error;
use std::ffi::{CStr, CString};
use std::fs;
use std::ptr;

callback_pool! {
    /// How the keys of a database are ordered.
    static ORDER: Pool<MDB_cmp_func, 16>;
    fallback = 0; // never asked: LMDB is closed before a registration ends
}

const SIGNALS: [&str; 6] = ["light/10", "brake/2", "door/3", "brake/10", "light/9", "door/1"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut urgency: Vec<String> = std::env::args().skip(1).collect();
    if urgency.is_empty() {
        urgency = ["brake", "door", "light"].map(String::from).to_vec();
    }
    let by_number = order(|a, b| number(a).cmp(&number(b)))?;
    let rank = move |key: &str| {
        let part = key.split('/').next().unwrap_or(key);
        urgency.iter().position(|urgent| urgent == part).unwrap_or(urgency.len())
    };
    let by_urgency = order(move |a, b| (rank(a), number(a)).cmp(&(rank(b), number(b))))?;

    let file = std::env::temp_dir().join(format!("ringback-lmdb-{}", std::process::id()));
    let name = CString::new(file.to_string_lossy().as_bytes())?;
    let written = store(&name, &by_number, &by_urgency);
    let _ = fs::remove_file(&file);
    let _ = fs::remove_file(file.with_file_name(format!("{}-lock", name.to_string_lossy())));
    for line in written? {
        println!("{line}");
    }
    // The environment is closed, so nobody compares any more.
    by_number.unregister()?.confirm_forgotten();
    by_urgency.unregister()?.confirm_forgotten();
    Ok(())
}

/// A C function that compares keys as `compare` does, and equals only by their text.
fn order(
    compare: impl Fn(&str, &str) -> Ordering + Send + Sync + 'static,
) -> Result<Registration<ORDER>, Box<dyn Error>> {
    let registration = ORDER.register(move |a: *const MDB_val, b: *const MDB_val| {
        // SAFETY: LMDB passes two keys, which stay while it compares.
        let (a, b) = unsafe { (text(&*a), text(&*b)) };
        compare(a, b).then_with(|| a.cmp(b)) as i32
    })?;
    Ok(registration)
}

fn number(key: &str) -> u32 {
    key.split('/').nth(1).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// # Safety
/// The value holds a key of this program, and outlives its text.
unsafe fn text(value: &MDB_val) -> &str {
    // SAFETY: as the caller says.
    let bytes = unsafe { std::slice::from_raw_parts(value.mv_data.cast::<u8>(), value.mv_size) };
    std::str::from_utf8(bytes).unwrap_or("")
}

fn value(text: &str) -> MDB_val {
    MDB_val { mv_size: text.len(), mv_data: text.as_ptr().cast_mut().cast() }
}

fn checked(code: i32) -> Result<(), Box<dyn Error>> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: LMDB's texts live as long as the program.
    let said = unsafe { CStr::from_ptr(mdb_strerror(code)) };
    Err(format!("LMDB: {}", said.to_string_lossy()).into())
}

/// Writes the signals into two databases of one file, and reads each in its order, the second from `door/2` on.
fn store(
    file: &CStr,
    by_number: &Registration<ORDER>,
    by_urgency: &Registration<ORDER>,
) -> Result<Vec<String>, Box<dyn Error>> {
    let mut environment = ptr::null_mut();
    // SAFETY: a new environment, used on this thread only and closed below.
    unsafe {
        checked(mdb_env_create(&raw mut environment))?;
        let work = || {
            checked(mdb_env_set_maxdbs(environment, 2))?;
            checked(mdb_env_open(environment, file.as_ptr(), MDB_NOSUBDIR | MDB_NOSYNC, 0o600))?;
            let mut transaction = ptr::null_mut();
            checked(mdb_txn_begin(environment, ptr::null_mut(), 0, &raw mut transaction))?;
            let read = || {
                let all = in_order(transaction, c"by number", by_number, "")?;
                let some = in_order(transaction, c"by urgency", by_urgency, "door/2")?;
                Ok(vec![
                    format!("by number:              {all}"),
                    format!("by urgency from door/2: {some}"),
                ])
            };
            let lines = read();
            mdb_txn_abort(transaction); // an example leaves nothing
            lines
        };
        let lines = work();
        mdb_env_close(environment);
        lines
    }
}

/// # Safety
/// The transaction is open, and the registration outlives its environment.
unsafe fn in_order(
    transaction: *mut MDB_txn,
    name: &CStr,
    order: &Registration<ORDER>,
    from: &str,
) -> Result<String, Box<dyn Error>> {
    let (mut database, mut cursor) = (0, ptr::null_mut());
    // SAFETY: as the caller says; keys and values are copied, or read while the transaction lasts.
    unsafe {
        checked(mdb_dbi_open(transaction, name.as_ptr(), MDB_CREATE, &raw mut database))?;
        checked(mdb_set_compare(transaction, database, order.as_fn()))?;
        for signal in SIGNALS {
            checked(mdb_put(transaction, database, &mut value(signal), &mut value("1"), 0))?;
        }
        checked(mdb_cursor_open(transaction, database, &raw mut cursor))?;
        let (mut key, mut data) = (value(from), value(""));
        let mut keys = Vec::new();
        let mut go = if from.is_empty() { MDB_FIRST } else { MDB_SET_RANGE };
        while mdb_cursor_get(cursor, &raw mut key, &raw mut data, go) == 0 {
            keys.push(text(&key).to_owned());
            go = MDB_NEXT;
        }
        mdb_cursor_close(cursor);
        Ok(keys.join(" "))
    }
}
