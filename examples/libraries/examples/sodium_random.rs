// SPDX-License-Identifier: MIT OR Apache-2.0

//! libsodium takes its randomness from a table of functions without user data. Pooled ones with a seed
//! make keys that a test can expect. For tests alone: such keys are no secret.
//!
//!     cargo run --example sodium_random

use ringback::{Registration, callback_pool};
use ringback_example_libraries::sodium::*;
use std::error::Error;
use std::ffi::{c_char, c_void};

callback_pool! {
    static FILL: Pool<unsafe extern "C" fn(buffer: *mut c_void, size: usize), 2>;
}
callback_pool! {
    static NUMBER: Pool<unsafe extern "C" fn() -> u32, 2>;
    fallback = 0;
}

extern "C" fn name() -> *const c_char {
    c"a seed".as_ptr()
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

type Key = [u8; crypto_box_PUBLICKEYBYTES as usize];

fn public_key() -> Key {
    let mut public = [0; crypto_box_PUBLICKEYBYTES as usize];
    let mut secret = [0; crypto_box_SECRETKEYBYTES as usize];
    // SAFETY: libsodium is initialised; both have the size that it asks for.
    unsafe { crypto_box_keypair(public.as_mut_ptr(), secret.as_mut_ptr()) };
    public
}

/// The first two keys of a seed.
fn keys(seed: u64) -> Result<[Key; 2], Box<dyn Error>> {
    let mut bytes = Seeded(seed);
    let fill: Registration<FILL> = FILL.register_mut(move |buffer: *mut c_void, size| {
        // SAFETY: libsodium has that much room.
        let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size) };
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&bytes.next().to_le_bytes()[..chunk.len()]);
        }
    })?;
    let mut numbers = Seeded(!seed);
    let number = NUMBER.register_mut(move || numbers.next() as u32)?;
    let table = randombytes_implementation {
        implementation_name: Some(name),
        random: Some(number.as_fn()),
        stir: None,
        uniform: None,
        buf: Some(fill.as_fn()),
        close: None,
    };
    // SAFETY: the table outlives its use: libsodium has another one before it ends. No other thread uses
    // libsodium.
    let keys = unsafe {
        randombytes_set_implementation((&raw const table).cast_mut());
        let keys = [public_key(), public_key()];
        randombytes_set_implementation(
            (&raw const randombytes_sysrandom_implementation).cast_mut(),
        );
        keys
    };
    fill.unregister()?.confirm_forgotten();
    number.unregister()?.confirm_forgotten();
    Ok(keys)
}

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: once, before anything else.
    if unsafe { sodium_init() } < 0 {
        return Err("libsodium cannot be initialised".into());
    }
    let hex = |key: Key| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (what, key) in [("seed 7", keys(7)?[0]), ("seed 7", keys(7)?[0]), ("seed 8", keys(8)?[0])] {
        println!("{what}: {}", hex(key));
    }
    let [first, second] = keys(7)?;
    assert_ne!(first, second, "a seed gives more than one key");
    assert_ne!(first, public_key(), "libsodium has its own randomness again");
    Ok(())
}
