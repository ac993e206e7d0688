// SPDX-License-Identifier: MIT OR Apache-2.0

//! libcurl hands every piece of a download to `write(bytes, size, count, data)`: user data comes last,
//! and there is no destroy function, so the guard proves when the closure is unused.
//!
//!     cargo run --example curl_write -- file:///etc/hostname

use ringback::UserData;
use ringback_example_libraries::curl::*;
use std::error::Error;
use std::ffi::CString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: curl_write URL")?;
    let (page, pieces) = download(&url)?;
    println!("{} bytes, in {pieces} calls", page.len());
    Ok(())
}

fn download(url: &str) -> Result<(Vec<u8>, usize), Box<dyn Error>> {
    let page = Arc::new(Mutex::new(Vec::new()));
    let pieces = Arc::new(AtomicUsize::new(0));
    let (page_, pieces_) = (Arc::clone(&page), Arc::clone(&pieces));
    // Anything but the number of bytes makes libcurl give up with CURLE_WRITE_ERROR, so 0 is a good
    // answer to a call that must not happen.
    let write = UserData::<curl_write_callback>::last(
        || 0,
        move |bytes, size, count| {
            let length = size * count;
            // SAFETY: libcurl passes that many bytes, and keeps them during the call.
            let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
            page_.lock().expect("nobody panicked").extend_from_slice(bytes);
            pieces_.fetch_add(1, Ordering::Relaxed);
            length
        },
    )?;
    let url = CString::new(url)?;
    // SAFETY: the handle is used as libcurl's documentation says: options of the right types, one
    // thread, cleaned up once. libcurl calls `write` during `perform` only.
    let outcome = unsafe {
        let handle = curl_easy_init();
        if handle.is_null() {
            return Err("libcurl could not be initialised".into());
        }
        curl_easy_setopt(handle, CURLOPT_URL, url.as_ptr());
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write.as_fn());
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, write.data());
        let outcome = curl_easy_perform(handle);
        curl_easy_cleanup(handle);
        outcome
    };
    drop(write.unregister()?); // no call is inside: `page` is ours alone again
    if outcome != CURLE_OK {
        return Err(format!("libcurl: error {outcome}").into());
    }
    let page = Arc::into_inner(page).ok_or("the closure was dropped")?;
    Ok((page.into_inner()?, pieces.load(Ordering::Relaxed)))
}
