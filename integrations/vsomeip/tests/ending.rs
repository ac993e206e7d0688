// SPDX-License-Identifier: MIT OR Apache-2.0

//! The end of a transport, and of the process: that is the user's to say.

mod common;

use common::*;
use ringback_vsomeip::vsomeip::live_handlers;
use ringback_vsomeip::{Options, Overflow, UPTransportVsomeip};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use up_rust::{UCode, UListener, UMessage, UTransport};

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

#[test]
fn when_a_transport_has_ended_no_token_is_left() {
    isolated("when_a_transport_has_ended_no_token_is_left", || {
        for round in 0..10 {
            let block = Overflow::Block(Duration::from_millis(10));
            let (subscriber, publisher) = two(Options::default().mailbox(1, block));
            let calls = Arc::new(AtomicUsize::new(0));
            let counted = calls.clone();
            let slow = Arc::new(Calls(move |_| {
                counted.fetch_add(1, SeqCst);
                std::thread::sleep(Duration::from_millis(1));
            }));
            block_on(async {
                listen(&subscriber, TOPIC, slow.clone()).await;
                for number in 0..500 {
                    publisher.send(text(TOPIC, number)).await.unwrap();
                }
            });
            // Copies of the handler are queued behind the one that waits for room.
            wait_until("a call", || calls.load(SeqCst) != 0);
            // The routing manager last: vsomeip does not bear its end and return in one moment.
            if round % 2 == 0 {
                drop((publisher, subscriber));
            } else {
                block_on(async {
                    publisher.shutdown().await;
                    subscriber.shutdown().await;
                });
            }
            assert_eq!(live_handlers(), 0, "round {round}");
            assert_eq!(Arc::strong_count(&slow), 1, "round {round}: the listener is dropped");
        }
    });
}

/// Sends, whenever it is called, until that is refused; and then goes on doing nothing.
struct Sends(UPTransportVsomeip, &'static str, AtomicUsize);

#[async_trait::async_trait]
impl UListener for Sends {
    async fn on_receive(&self, _: UMessage) {
        let error = loop {
            match self.0.send(text(self.1, "x")).await {
                Ok(()) => self.2.fetch_add(1, SeqCst),
                Err(error) => break error,
            };
        };
        if error.get_code() == UCode::UNAVAILABLE {
            REFUSED.fetch_add(1, SeqCst);
        }
        std::thread::park();
    }
}

static REFUSED: AtomicUsize = AtomicUsize::new(0);

/// Runs after the transports' own function for `atexit`, and before vsomeip's objects are destroyed.
extern "C" fn both_are_refused() {
    let until = Instant::now() + Duration::from_secs(30);
    while REFUSED.load(SeqCst) != 2 {
        if Instant::now() > until {
            eprintln!("a listener still sends");
            // SAFETY: ends the process, at any time.
            unsafe { libc::_exit(3) };
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_process_may_exit_while_a_listener_sends() {
    // Whether it would end badly is a matter of luck: so a few times.
    for _ in 0..3 {
        isolated_at_exit("a_process_may_exit_while_a_listener_sends", || {
            // SAFETY: the function panics nowhere, and stays loaded.
            unsafe { libc::atexit(both_are_refused) };
            let (subscriber, publisher) = two(Options::default());
            let wait = Options::default().first_send_wait(Duration::ZERO);
            let topics = ["//me/3333/1/8001", "//me/3334/1/8001"];
            let sends = [("c", 0x3333, topics[0]), ("d", 0x3334, topics[1])].map(
                |(name, entity, topic)| {
                    let transport = transport(name, entity, wait.clone());
                    Arc::new(Sends(transport, topic, AtomicUsize::new(0)))
                },
            );
            let recorder = Recorder::new();
            block_on(async {
                for topic in topics {
                    listen(&subscriber, topic, recorder.clone()).await;
                }
                for listener in &sends {
                    listen(&subscriber, TOPIC, listener.clone()).await;
                }
                publisher.send(text(TOPIC, "go")).await.unwrap();
            });
            wait_until("both send", || sends.iter().all(|s| s.2.load(SeqCst) > 100));
            std::mem::forget((subscriber, publisher, sends)); // and so to the end of main
        });
        if is_child() {
            return;
        }
    }
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
