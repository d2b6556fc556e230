//! A stand-in for a function. It calls the proxy as an AWS SDK does.

use ferrite_aws_proxy::functions::Functions;
use ferrite_chaos::proxy::FaultProxy;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:relay-events";
const ROLE: &str = "arn:aws:iam::000000000000:role/relay-events";
/// The access key that MiniStack assigns to the function with these ARNs.
const ACCESS_KEY: &str = "ASIA5FEA4F669E564881";

/// The function as it is registered with the proxy.
pub(crate) fn relay_events() -> Functions {
    let mut functions = Functions::default();
    functions.insert("relay-events", FUNCTION, ROLE);
    functions
}

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Response(StatusCode, Bytes),
    /// The connection was closed without a response.
    ConnectionClosed,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let Self::Response(_, body) = self else { panic!("there is no response") };
        serde_json::from_slice(body).unwrap()
    }

    #[track_caller]
    pub(crate) fn status(&self) -> StatusCode {
        let Self::Response(status, _) = self else { panic!("there is no response") };
        *status
    }
}

/// A request of the function to `service`, with the function's signature.
pub(crate) fn signed(service: &str, method: &str, path: &str) -> http::request::Builder {
    let credential = format!("{ACCESS_KEY}/20261101/us-east-1/{service}/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=00");
    Request::builder().method(method).uri(path).header("authorization", authorization)
}

/// A request with an AWS JSON protocol.
pub(crate) fn targeted(target: &str) -> http::request::Builder {
    let service = if target.starts_with("AWSEvents") { "events" } else { "dynamodb" };
    signed(service, "POST", "/").header("x-amz-target", target).header("x-amz-security-token", "a-session")
}

/// Sends `request` to the proxy once.
pub(crate) async fn send(proxy: &FaultProxy, request: http::request::Builder, body: impl Into<Bytes>) -> Outcome {
    match try_send(proxy, request, body.into()).await {
        Ok(response) => {
            let (head, body) = response.into_parts();
            Outcome::Response(head.status, body)
        }
        Err(_) => Outcome::ConnectionClosed,
    }
}

pub(crate) async fn try_send(
    proxy: &FaultProxy,
    request: http::request::Builder,
    body: Bytes,
) -> Result<Response<Bytes>, Error> {
    let client = Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http();
    let mut request = request.body(Full::new(body)).unwrap();
    *request.uri_mut() = format!("http://{}{}", proxy.address, request.uri()).parse().unwrap();
    let (head, body) = client.request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await.unwrap().to_bytes()))
}
