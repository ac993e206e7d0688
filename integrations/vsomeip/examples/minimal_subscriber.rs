// SPDX-License-Identifier: MIT OR Apache-2.0

//! The smallest subscriber: prints what `minimal_publisher` says.

use ringback_vsomeip::{Options, UPTransportVsomeip, VsomeipApplicationConfig};
use std::error::Error;
use std::sync::Arc;
use up_rust::{UListener, UMessage, UTransport};

struct Print;

#[async_trait::async_trait]
impl UListener for Print {
    async fn on_receive(&self, message: UMessage) {
        println!("{}", String::from_utf8_lossy(&message.payload.unwrap_or_default()));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let application = VsomeipApplicationConfig::new("dashboard", 0x1616);
    let local = "//vehicle/1616/1/0".parse()?;
    let options = Options::default();
    let transport = UPTransportVsomeip::with_options(application, local, "vehicle", options)?;
    let topic = "//vehicle/1515/1/8001".parse()?;
    transport.register_listener(&topic, None, Arc::new(Print)).await?;
    std::future::pending().await // until Ctrl-C
}
