// SPDX-License-Identifier: MIT OR Apache-2.0

//! Publishes ten greetings a second.

mod common;

use common::{Arguments, Outcome, TOPIC};
use std::time::Duration;
use up_rust::{UMessageBuilder, UPayloadFormat, UTransport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::parse()?;
    let transport = arguments.transport("hello_publisher", 0x1111)?;
    for number in 1.. {
        let message = UMessageBuilder::publish(TOPIC.parse()?)
            .build_with_payload(format!("hello {number}"), UPayloadFormat::UPAYLOAD_FORMAT_TEXT)?;
        transport.send(message).await?;
        if number == arguments.count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
