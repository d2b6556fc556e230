//! An HTTP client for the API of the storefront. It retries requests until they get a final response.

use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Request;
use serde_json::Value;

use crate::error::ChaosError;

/// Maximum time for retries. It is many times longer than an outage.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);

/// The API client.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    url: String,
    agent: ureq::Agent,
    interrupted: fn() -> bool,
}

/// A request to the API.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) token: &'a str,
    /// Idempotency key.
    pub(crate) key: Option<String>,
    pub(crate) body: Option<Value>,
}

/// A response of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl ApiResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Shop {
    pub(crate) fn new(url: &str, interrupted: fn() -> bool) -> Self {
        let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(30)));
        Self { url: url.to_owned(), agent: config.http_status_as_error(false).build().into(), interrupted }
    }

    /// Sends a request, and retries it until it gets a final response. Returns the response and the number of retries.
    ///
    /// # Errors
    /// Returns an error if there is no final response within the retry timeout, or the run is interrupted. The error
    /// contains the last response.
    pub(crate) fn send_until_final(&self, request: &ApiRequest<'_>) -> Result<(ApiResponse, u64), ChaosError> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(50);
        let mut retries = 0;
        loop {
            let result = self.send(request);
            match result {
                Ok(response) if !is_retryable(&response) => return Ok((response, retries)),
                _ if (self.interrupted)() => return Err(ChaosError::Interrupted),
                Ok(ApiResponse { status, body }) if start.elapsed() > RETRY_TIMEOUT => {
                    let request = format!("{} {}", request.method, request.path);
                    return Err(ChaosError::Rejected { request, status, body });
                }
                Err(error) if start.elapsed() > RETRY_TIMEOUT => return Err(error),
                _ => {
                    sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(1));
                    retries += 1;
                }
            }
        }
    }

    fn send(&self, request: &ApiRequest<'_>) -> Result<ApiResponse, ChaosError> {
        let mut builder = Request::builder()
            .method(request.method)
            .uri(format!("{}{}", self.url, request.path))
            .header("authorization", format!("Bearer {}", request.token));
        if let Some(key) = &request.key {
            builder = builder.header("idempotency-key", key);
        }
        if request.body.is_some() {
            builder = builder.header("content-type", "application/json");
        }
        let http_request = builder.body(request.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes())?;
        let no_response =
            |error: ureq::Error| ChaosError::NoResponse { request: request.path.clone(), reason: error.to_string() };
        let mut response = self.agent.run(http_request).map_err(no_response)?;
        let body = response.body_mut().read_to_string().map_err(no_response)?;
        Ok(ApiResponse { status: response.status().as_u16(), body })
    }
}

/// Whether the request must be retried with the same key: it failed temporarily, or a request with this key is in progress.
fn is_retryable(response: &ApiResponse) -> bool {
    let in_flight = "urn:ferrite:problem:idempotency-key-in-flight";
    response.status == 429 || response.status >= 500 || (response.status == 409 && response.json()["type"] == in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_only_temporary_failures() {
        let retryable = |status, body: &str| is_retryable(&ApiResponse { status, body: body.to_owned() });
        assert!(retryable(502, "") && retryable(503, "{}") && retryable(429, ""));
        assert!(retryable(409, r#"{"type":"urn:ferrite:problem:idempotency-key-in-flight"}"#));
        assert!(!retryable(409, r#"{"type":"urn:ferrite:problem:out-of-stock"}"#));
        assert!(!retryable(202, "{}") && !retryable(404, "{}"));
    }
}
