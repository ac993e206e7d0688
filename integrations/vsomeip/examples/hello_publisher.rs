// SPDX-License-Identifier: MIT OR Apache-2.0

//! Publishes ten greetings a second, each with a note to `hello_subscriber`, a Notification.

mod common;

use common::{Arguments, NOTE, Outcome, SUBSCRIBER, TOPIC};
use std::time::Duration;
use up_rust::UPayloadFormat::UPAYLOAD_FORMAT_TEXT;
use up_rust::{UMessageBuilder, UTransport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::parse()?;
    let transport = arguments.transport("hello_publisher", 0x1111)?;
    for number in 1.. {
        let message = UMessageBuilder::publish(TOPIC.parse()?)
            .build_with_payload(format!("hello {number}"), UPAYLOAD_FORMAT_TEXT)?;
        transport.send(message).await?;
        let note = UMessageBuilder::notification(NOTE.parse()?, SUBSCRIBER.parse()?)
            .build_with_payload(format!("note {number}"), UPAYLOAD_FORMAT_TEXT)?;
        transport.send(note).await?;
        if number == arguments.count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
