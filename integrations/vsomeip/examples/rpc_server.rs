// SPDX-License-Identifier: MIT OR Apache-2.0

//! Answers each request with its payload, in capitals: by up-rust's own RPC server.

mod common;

use common::{Arguments, METHOD, Outcome};
use std::sync::Arc;
use up_rust::communication::{
    InMemoryRpcServer, RequestHandler, RpcServer, ServiceInvocationError, UPayload,
};
use up_rust::{UAttributes, UPayloadFormat, UUri};

struct Capitals;

#[async_trait::async_trait]
impl RequestHandler for Capitals {
    async fn handle_request(
        &self,
        _resource: u16,
        _attributes: &UAttributes,
        request: Option<UPayload>,
    ) -> Result<Option<UPayload>, ServiceInvocationError> {
        let text = request.map(|payload| payload.payload()).unwrap_or_default();
        let answer = text.to_ascii_uppercase();
        Ok(Some(UPayload::new(answer, UPayloadFormat::UPAYLOAD_FORMAT_TEXT)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let transport = Arc::new(Arguments::parse()?.transport("rpc_server", 0x2222)?);
    let server = InMemoryRpcServer::new(transport.clone(), transport.clone());
    let method: UUri = METHOD.parse()?;
    server.register_endpoint(None, method.resource_id as u16, Arc::new(Capitals)).await?;
    std::future::pending().await
}
