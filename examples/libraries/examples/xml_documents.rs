// SPDX-License-Identifier: MIT OR Apache-2.0

//! libxml2 asks `match(name)` whether one may open a document, and `open(name)` for the context that
//! `read` and `close` are then given. The first two get nothing of ours, so they come from pools: here
//! they serve documents out of a map.
//!
//!     cargo run --example xml_documents

use ringback::callback_pool;
use ringback_example_libraries::xml::*;
use std::collections::HashMap;
use std::error::Error;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::{Cursor, Read};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

callback_pool! {
    /// Whether a document is ours.
    static MATCHES: Pool<xmlInputMatchCallback, 8>;
    fallback = 0; // not ours: libxml2 asks the next one
}

callback_pool! {
    /// Opens a document.
    static OPENS: Pool<xmlInputOpenCallback, 8>;
    fallback = ptr::null_mut(); // cannot be opened
}

type Reader = Cursor<&'static str>;

unsafe extern "C" fn read(reader: *mut c_void, buffer: *mut c_char, length: c_int) -> c_int {
    // SAFETY: what `open` gave, by one thread at a time; libxml2 has room for `length` bytes.
    let (reader, buffer) = unsafe {
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length as usize);
        (&mut *reader.cast::<Reader>(), buffer)
    };
    reader.read(buffer).map_or(-1, |bytes| bytes as c_int)
}

unsafe extern "C" fn close(reader: *mut c_void) -> c_int {
    // SAFETY: what `open` gave; libxml2 closes it once.
    drop(unsafe { Box::from_raw(reader.cast::<Reader>()) });
    0
}

fn main() -> Result<(), Box<dyn Error>> {
    let documents = Arc::new(HashMap::from([
        (
            c"memory:car.xml",
            r#"<car xmlns:xi="http://www.w3.org/2001/XInclude">
  <xi:include href="memory:brake.xml"/>
  <xi:include href="memory:wheels.xml"/>
</car>"#,
        ),
        (c"memory:brake.xml", "<brake bar=\"120\"/>"),
        (c"memory:wheels.xml", "<wheels count=\"4\"/>"),
    ]));
    let opened = Arc::new(AtomicUsize::new(0));

    let known = Arc::clone(&documents);
    let matches = MATCHES.register(move |name: *const c_char| {
        // SAFETY: libxml2 passes a C string.
        c_int::from(known.contains_key(unsafe { CStr::from_ptr(name) }))
    })?;
    let (known, counter) = (Arc::clone(&documents), Arc::clone(&opened));
    let opens = OPENS.register(move |name: *const c_char| {
        // SAFETY: libxml2 passes a C string.
        let Some(&text) = known.get(unsafe { CStr::from_ptr(name) }) else {
            return ptr::null_mut();
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Box::into_raw(Box::new(Cursor::new(text))).cast()
    })?;

    // SAFETY: four functions that belong together, taken back below.
    if unsafe { xmlRegisterInputCallbacks(matches.as_fn(), opens.as_fn(), Some(read), Some(close)) }
        < 0
    {
        return Err("libxml2 has no room for callbacks".into());
    }
    let text = resolved(c"memory:car.xml")?;
    // SAFETY: the last that were registered are ours; nothing is being parsed.
    unsafe { xmlPopInputCallbacks() };
    // libxml2 has no copy any more, so both slots may serve others.
    matches.unregister()?.confirm_forgotten();
    opens.unregister()?.confirm_forgotten();

    println!("{text}{} documents opened", opened.load(Ordering::Relaxed));
    Ok(())
}

/// A document with all that it includes.
fn resolved(name: &CStr) -> Result<String, Box<dyn Error>> {
    let (mut bytes, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the document is read, used and freed here, its text copied before that is freed.
    unsafe {
        let document = xmlReadFile(name.as_ptr(), ptr::null(), 0);
        if document.is_null() || xmlXIncludeProcess(document) < 0 {
            xmlFreeDoc(document);
            return Err("the document cannot be read".into());
        }
        xmlDocDumpMemory(document, &raw mut bytes, &raw mut length);
        xmlFreeDoc(document);
        let text = std::slice::from_raw_parts(bytes, length as usize).to_vec();
        xmlFree.ok_or("libxml2 has no xmlFree")?(bytes.cast());
        Ok(String::from_utf8(text)?)
    }
}
