// SPDX-License-Identifier: MIT OR Apache-2.0

//! The smallest publisher: twenty messages for `minimal_subscriber`, and an orderly end.

use ringback_vsomeip::{Options, UPTransportVsomeip, VsomeipApplicationConfig};
use std::error::Error;
use std::time::Duration;
use up_rust::UPayloadFormat::UPAYLOAD_FORMAT_TEXT;
use up_rust::{UMessageBuilder, UTransport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A name and a client id of its own; by the specification the id is the uEntity's.
    let application = VsomeipApplicationConfig::new("tachometer", 0x1515);
    let local = "//vehicle/1515/1/0".parse()?;
    let options = Options::default();
    let transport = UPTransportVsomeip::with_options(application, local, "vehicle", options)?;
    for number in 1..=20 {
        let message = UMessageBuilder::publish("//vehicle/1515/1/8001".parse()?)
            .build_with_payload(format!("{number}00 rpm"), UPAYLOAD_FORMAT_TEXT)?;
        transport.send(message).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    transport.shutdown().await;
    Ok(())
}
