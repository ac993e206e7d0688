// SPDX-License-Identifier: MIT OR Apache-2.0

//! The end of a transport.

mod common;

use common::*;
use ringback_vsomeip::{Options, UPTransportVsomeip};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
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
