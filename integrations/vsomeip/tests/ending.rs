// SPDX-License-Identifier: MIT OR Apache-2.0

//! The end of a transport, and of the process: that is the user's to say.

mod common;

use common::*;
use ringback_vsomeip::{Options, UPTransportVsomeip};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use up_rust::{UListener, UMessage, UTransport};

/// Owns the transport that calls it.
struct Owner(Mutex<Option<Arc<UPTransportVsomeip>>>, Arc<AtomicBool>);

#[async_trait::async_trait]
impl UListener for Owner {
    async fn on_receive(&self, _: UMessage) {
        drop(self.0.lock().unwrap().take());
        self.1.store(true, SeqCst);
    }
}

#[test]
fn a_transport_may_end_inside_its_own_listener() {
    isolated("a_transport_may_end_inside_its_own_listener", || {
        let (subscriber, publisher) = two(Options::default());
        let subscriber = Arc::new(subscriber);
        let ended = Arc::new(AtomicBool::new(false));
        let owner = Arc::new(Owner(Mutex::new(Some(subscriber.clone())), ended.clone()));
        let gone = Arc::downgrade(&owner);
        block_on(async {
            listen(&subscriber, TOPIC, owner).await;
            drop(subscriber);
            publisher.send(text(TOPIC, "end")).await.unwrap();
        });
        wait_until("the call", || ended.load(SeqCst));
        wait_until("the listener's end", || gone.strong_count() == 0);
        wait_until("the name is free", || try_transport("a", 1, Options::default()).is_ok());
        block_on(publisher.shutdown());
        wait_until("all tokens", || ringback_vsomeip::vsomeip::live_handlers() == 0);
    });
}

/// Who is called for a signal.
fn handler_of(signal: i32) -> libc::sighandler_t {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: only asks; `action` may be written, and every bit pattern of it is valid.
    unsafe {
        assert_eq!(libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()), 0);
        action.assume_init().sa_sigaction
    }
}

static CAUGHT: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    CAUGHT.fetch_add(1, SeqCst);
}

#[test]
fn ctrl_c_stays_the_users() {
    isolated("ctrl_c_stays_the_users", || {
        let signals = [libc::SIGINT, libc::SIGTERM];
        let before = signals.map(handler_of);
        let (subscriber, publisher) = two(Options::default());
        let recorder = Recorder::new();
        block_on(async {
            listen(&subscriber, TOPIC, recorder.clone()).await;
            publisher.send(text(TOPIC, "before")).await.unwrap();
        });
        recorder.wait(1);
        assert_eq!(signals.map(handler_of), before, "nobody took a signal");

        let mine = count as extern "C" fn(i32) as libc::sighandler_t;
        // SAFETY: the handler only counts, in an atomic.
        unsafe {
            signals
                .iter()
                .for_each(|signal| assert_ne!(libc::signal(*signal, mine), libc::SIG_ERR));
            signals.iter().for_each(|signal| assert_eq!(libc::kill(libc::getpid(), *signal), 0));
        }
        wait_until("both signals", || CAUGHT.load(SeqCst) == 2);
        block_on(publisher.send(text(TOPIC, "after"))).unwrap();
        recorder.wait(2); // nothing was stopped by them
        drop((subscriber, publisher));
        assert_eq!(signals.map(handler_of), [mine; 2]);
    });
}
