//! Calls of AWS services with the AWS JSON 1.1 protocol.

use std::fmt::Debug;

use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::signed_call::{Service, SignedCall, parse_json, signed_call};

/// Creates a call of the operation that `target` (the `X-Amz-Target` header) names.
pub(super) fn json_call<I, O>(config: &SdkConfig, service: &'static str, target: &'static str) -> SignedCall<I, O>
where
    I: Serialize + Debug + Send + Sync + 'static,
    O: DeserializeOwned + Debug + Send + Sync + 'static,
{
    let request = move |input: I| {
        let body = SdkBody::from(serde_json::to_vec(&input)?);
        let request =
            http::Request::post("/").header("content-type", "application/x-amz-json-1.1").header("x-amz-target", target);
        Ok(request.body(body)?)
    };
    signed_call(config, Service { host: service, signing_name: service }, target, request, parse_json)
}
