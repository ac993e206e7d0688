// SPDX-License-Identifier: MIT OR Apache-2.0

//! The raw path: bare pointers without a token, as `vsomeip-sys` registers them. Its own glue is not
//! linked here; `std::function` of a bare pointer is what our `on_message_pointer` makes, too, and
//! this code makes no use of the token.

#![allow(unreachable_pub)]

mod common;

use common::*;
use ringback_vsomeip::vsomeip::{Application, Handler, Header, MessageType, Target};
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The names that `vsomeip-sys` gives.
mod vsomeip {
    #[allow(non_camel_case_types)]
    pub struct message;
}
struct SharedPtr<T>(std::marker::PhantomData<T>);

mod pointers {
    use super::{SharedPtr, vsomeip};
    ringback_vsomeip::generate_message_handler_extern_c_fns!(5000);

    pub fn function(id: usize) -> extern "C" fn(&SharedPtr<vsomeip::message>) {
        message_handler_proc_macro::get_extern_fn(id)
    }
    pub fn ids() -> &'static ringback_vsomeip::raw::Ids {
        &message_handler_proc_macro::IDS
    }
    pub fn free() -> usize {
        message_handler_proc_macro::FREE_MESSAGE_HANDLER_IDS.read().unwrap().len()
    }
}

const COUNT: usize = 5_000;
const SERVICE: u16 = 0x1234;

fn target(method: usize) -> Target {
    Target { service: SERVICE, instance: 1, method: method as u16 }
}

fn send(client: &Application, method: usize) {
    let header = Header {
        service: SERVICE,
        instance: 1,
        method: method as u16,
        interface_version: 1,
        message_type: MessageType::RequestNoReturn as u8,
        ..Header::default()
    };
    client.send(&header, b"x").unwrap();
}

#[test]
fn a_reused_pointer_takes_no_message_of_its_past() {
    isolated("a_reused_pointer_takes_no_message_of_its_past", || {
        let limit = Duration::from_secs(5);
        let server = Application::start("a", None, limit).unwrap();
        let client = Application::start("b", None, limit).unwrap();
        server.offer_service(target(0), 1, 0).unwrap();
        client.request_service(target(0), 1).unwrap();
        wait_until("the service", || client.is_available(target(0)));
        assert_eq!(pointers::free(), COUNT);

        let (right, wrong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let bind = |id: usize, method: usize| {
            let (right, wrong) = (right.clone(), wrong.clone());
            assert!(pointers::ids().bind(id, target(method), move |message| {
                let fits = usize::from(message.header().method) == method;
                (if fits { &right } else { &wrong }).fetch_add(1, SeqCst);
            }));
        };
        let register = |id: usize, method: usize| -> Handler {
            // SAFETY: the layout is the same; a pooled pointer may be called at any time.
            unsafe {
                let function = std::mem::transmute::<
                    extern "C" fn(&SharedPtr<vsomeip::message>),
                    unsafe extern "C" fn(*const c_void),
                >(pointers::function(id));
                server.on_message_pointer(target(method), function, || {}).unwrap()
            }
        };
        let handlers: Vec<_> = (0..COUNT)
            .map(|id| {
                bind(id, id + 1);
                register(id, id + 1)
            })
            .collect();
        (0..COUNT).for_each(|id| send(&client, id + 1));
        wait_until("a message at each", || right.load(SeqCst) == COUNT as u64);
        assert_eq!(pointers::ids().stale(), 0);

        // The dispatcher is held up, so that the queue is full of the old when the ids get new
        // owners; vsomeip still has the old pointers. This is what the peer does.
        let held = Arc::new(Mutex::new(()));
        let (guard, waits, entered) = (held.lock().unwrap(), held.clone(), right.clone());
        let blocker = server
            .on_message(target(0xFFF0), move |_| {
                entered.fetch_add(1, SeqCst);
                drop(waits.lock().unwrap());
            })
            .unwrap();
        send(&client, 0xFFF0);
        wait_until("the dispatcher is held up", || right.load(SeqCst) == COUNT as u64 + 1);
        right.fetch_sub(1, SeqCst);
        (0..COUNT).for_each(|id| send(&client, id + 1));
        for id in 0..COUNT {
            pointers::ids().release(id);
            bind(id, COUNT + id + 1);
        }
        let new: Vec<_> = (0..COUNT).map(|id| register(id, COUNT + id + 1)).collect();
        (0..COUNT).for_each(|id| send(&client, COUNT + id + 1));
        drop(guard);
        wait_until("every message at its place", || {
            right.load(SeqCst) + pointers::ids().stale() == 3 * COUNT as u64
        });
        assert_eq!(wrong.load(SeqCst), 0);
        assert_eq!(right.load(SeqCst), 2 * COUNT as u64);
        assert_eq!(pointers::ids().stale(), COUNT as u64, "the old messages were on their way");
        drop((handlers, new, blocker));
    });
}
