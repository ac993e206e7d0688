// SPDX-License-Identifier: MIT OR Apache-2.0

//! `export`: the thunks have names that other code links to.
#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#![cfg(not(ringback_portable))]

use ringback::callback_pool;

type Alias = extern "C" fn(i32) -> i32;
callback_pool! { static NAMED: Pool<extern "C" fn(i32, f64, *const u8) -> i32, 300>; fallback = -1; export = "ringback_named_{}_export"; }
callback_pool! { static ALIAS: Pool<Alias, 3>; fallback = -2; export = "ringback_alias_{}"; }

unsafe extern "C" {
    safe fn ringback_named_0_export(a: i32, b: f64, c: *const u8) -> i32;
    safe fn ringback_named_299_export(a: i32, b: f64, c: *const u8) -> i32;
    safe fn ringback_alias_2(a: i32) -> i32;
}

#[test]
fn the_names_lead_to_the_slots() {
    assert_eq!(ringback_named_0_export as *const () as usize, NAMED.thunk(0).unwrap() as usize);
    assert_eq!(ringback_named_299_export as *const () as usize, NAMED.thunk(299).unwrap() as usize);
    assert_eq!(ringback_named_299_export(1, 2.0, std::ptr::null()), -1);
    let all: Vec<_> =
        (0..300).map(|i| NAMED.register(move |a, b, _| a + b as i32 + i).unwrap()).collect();
    assert_eq!(ringback_named_0_export(1, 2.0, std::ptr::null()), 3);
    assert_eq!(ringback_named_299_export(1, 2.0, std::ptr::null()), 302);
    drop(all);
    let mine: Vec<_> = (0..3).map(|i| ALIAS.register(move |a| a * i).unwrap()).collect();
    assert_eq!(ringback_alias_2(21), 42);
    drop(mine);
    assert_eq!(ringback_alias_2(21), -2);
}
