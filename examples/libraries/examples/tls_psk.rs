// SPDX-License-Identifier: MIT OR Apache-2.0

//! OpenSSL asks for a pre-shared key by functions that get the connection and nothing else. One could hang
//! data on that (`SSL_set_ex_data`), if it is ours to hang on; a closure of its own from a pool asks nothing of it:
//! here one client, and two servers with other keys.
//!
//!     cargo run --example tls_psk

use ringback::{Registration, callback_pool};
use ringback_example_libraries::openssl::*;
use std::error::Error;
use std::ffi::{CStr, CString, c_char, c_long, c_uchar, c_uint};
use std::ptr;

callback_pool! {
    /// Names the client and gives its key.
    static CLIENT_KEY: Pool<SSL_psk_client_cb_func, 64>;
    fallback = 0; // no key: the handshake fails
}

callback_pool! {
    /// Gives the key of the client that was named.
    static SERVER_KEY: Pool<SSL_psk_server_cb_func, 64>;
    fallback = 0;
}

/// Copies a key to where OpenSSL wants it, and answers its length; 0 if there is not enough room.
fn give(key: &[u8], room: *mut c_uchar, length: c_uint) -> c_uint {
    if key.len() > length as usize {
        return 0;
    }
    // SAFETY: OpenSSL has that much room, and the key fits.
    unsafe { ptr::copy_nonoverlapping(key.as_ptr(), room, key.len()) };
    key.len() as c_uint
}

struct Context(*mut SSL_CTX);

impl Context {
    fn new() -> Result<Self, Box<dyn Error>> {
        // SAFETY: a new context, whose version and ciphers are those that use keys alone.
        let context = unsafe { SSL_CTX_new(TLS_method()) };
        let (what, version) = (SSL_CTRL_SET_MAX_PROTO_VERSION as i32, c_long::from(TLS1_2_VERSION));
        // SAFETY: as above.
        let set = unsafe {
            !context.is_null()
                && SSL_CTX_ctrl(context, what, version, ptr::null_mut()) == 1
                && SSL_CTX_set_cipher_list(context, c"PSK".as_ptr()) == 1
        };
        if set {
            Ok(Context(context))
        } else {
            Err("OpenSSL has no cipher with pre-shared keys".into())
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: ours; no connection of it is left.
        unsafe { SSL_CTX_free(self.0) };
    }
}

fn server(key: &'static [u8]) -> Result<(Context, Registration<SERVER_KEY>), Box<dyn Error>> {
    let context = Context::new()?;
    let registration =
        SERVER_KEY.register(move |_, identity: *const c_char, room: *mut c_uchar, length| {
            // SAFETY: OpenSSL passes a C string.
            match unsafe { CStr::from_ptr(identity) }.to_bytes() {
                b"brake" => give(key, room, length),
                _ => 0,
            }
        })?;
    // SAFETY: the context is alive; the function lives as long as the program.
    unsafe { SSL_CTX_set_psk_server_callback(context.0, registration.as_fn()) };
    Ok((context, registration))
}

fn main() -> Result<(), Box<dyn Error>> {
    let client = Context::new()?;
    let identity = CString::new("brake")?;
    let registration = CLIENT_KEY.register(
        move |_, _hint, name: *mut c_char, space, room: *mut c_uchar, length| {
            let bytes = identity.as_bytes_with_nul();
            if bytes.len() > space as usize {
                return 0;
            }
            // SAFETY: OpenSSL has `space` bytes there.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), name, bytes.len()) };
            give(b"secret-of-the-car", room, length)
        },
    )?;
    // SAFETY: as in `server`.
    unsafe { SSL_CTX_set_psk_client_callback(client.0, registration.as_fn()) };

    for (name, key) in [("ours", &b"secret-of-the-car"[..]), ("a stranger", b"another secret")] {
        let (server, keys) = server(key)?;
        match handshake(&client, &server) {
            Some(cipher) => println!("{name}: connected by {cipher}"),
            None => println!("{name}: refused"),
        }
        drop(server);
        keys.unregister()?.confirm_forgotten(); // its only context is freed
    }
    drop(client);
    registration.unregister()?.confirm_forgotten();
    Ok(())
}

/// Connects the two in memory. The cipher; `None` if they do not agree on a key.
fn handshake(client: &Context, server: &Context) -> Option<String> {
    let (mut near, mut far) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both ends live in this function, on one thread; each owns its end of the pair.
    unsafe {
        let (caller, answerer) = (SSL_new(client.0), SSL_new(server.0));
        BIO_new_bio_pair(&raw mut near, 0, &raw mut far, 0);
        SSL_set_bio(caller, near, near);
        SSL_set_bio(answerer, far, far);
        SSL_set_connect_state(caller);
        SSL_set_accept_state(answerer);
        // As many turns as a handshake has messages, and some.
        let agreed = (0..8).any(|_| {
            let called = SSL_do_handshake(caller) == 1;
            SSL_do_handshake(answerer) == 1 && called
        });
        let name = SSL_CIPHER_get_name(SSL_get_current_cipher(caller));
        let cipher = agreed.then(|| CStr::from_ptr(name).to_string_lossy().into_owned());
        SSL_free(caller);
        SSL_free(answerer);
        cipher
    }
}
