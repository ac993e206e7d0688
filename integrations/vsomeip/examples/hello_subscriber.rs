// SPDX-License-Identifier: MIT OR Apache-2.0

//! Prints what `hello_publisher` says to everybody, and what it says to this uEntity.

mod common;

use common::{Arguments, NOTE, Outcome, SUBSCRIBER, TOPIC};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use up_rust::{UListener, UMessage, UTransport};

struct Forward(UnboundedSender<UMessage>);

#[async_trait::async_trait]
impl UListener for Forward {
    async fn on_receive(&self, message: UMessage) {
        let _ = self.0.send(message);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::parse()?;
    let transport = arguments.transport("hello_subscriber", 0x3333)?;
    let (forward, mut messages) = unbounded_channel();
    let listener = Arc::new(Forward(forward));
    transport.register_listener(&TOPIC.parse()?, None, listener.clone()).await?;
    transport.register_listener(&NOTE.parse()?, Some(&SUBSCRIBER.parse()?), listener).await?;
    let mut number = 0;
    while let Some(message) = messages.recv().await {
        println!("{}", String::from_utf8_lossy(&message.payload.unwrap_or_default()));
        number += 1;
        if number == arguments.count {
            break;
        }
    }
    Ok(())
}
