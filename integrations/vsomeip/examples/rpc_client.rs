// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls `rpc_server` ten times a second, by up-rust's own RPC client.

mod common;

use common::{Arguments, METHOD, Outcome};
use std::sync::Arc;
use std::time::Duration;
use up_rust::UPayloadFormat::UPAYLOAD_FORMAT_TEXT;
use up_rust::communication::{CallOptions, InMemoryRpcClient, RpcClient, UPayload};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::parse()?;
    let transport = Arc::new(arguments.transport("rpc_client", 0x4444)?);
    let client = InMemoryRpcClient::new(transport.clone(), transport.clone()).await?;
    for number in 1.. {
        let options = CallOptions::for_rpc_request(1_000, None, None, None);
        let request = UPayload::new(format!("call {number}"), UPAYLOAD_FORMAT_TEXT);
        match client.invoke_method(METHOD.parse()?, options, Some(request)).await {
            Ok(answer) => {
                let text = answer.map(|payload| payload.payload()).unwrap_or_default();
                println!("{}", String::from_utf8_lossy(&text));
            }
            Err(error) => println!("error: {error}"),
        }
        if number == arguments.count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
