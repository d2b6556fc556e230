//! The storefront's API as its customers call it. A request is repeated until it has a final response.

use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Request;
use serde_json::Value;

use crate::error::ChaosError;

/// How long a customer retries, which is many times as long as an outage.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);

/// The API.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    url: String,
    agent: ureq::Agent,
    interrupted: fn() -> bool,
}

/// One request, which may be sent many times.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) token: &'a str,
    pub(crate) key: Option<String>,
    pub(crate) body: Option<Value>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Shop {
    pub(crate) fn at(url: &str, interrupted: fn() -> bool) -> Self {
        let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(30)));
        Self { url: url.to_owned(), agent: config.http_status_as_error(false).build().into(), interrupted }
    }

    /// Sends a request until it has a final response. Returns how often it was sent again.
    ///
    /// # Errors
    /// When there was no final response in time. The error has the last response.
    pub(crate) fn send_until_final(&self, call: &Call<'_>) -> Result<(Answer, u64), ChaosError> {
        let (begin, mut pause, mut retries) = (Instant::now(), Duration::from_millis(50), 0);
        loop {
            let tried = self.send(call);
            match tried {
                Ok(answer) if !is_temporary(&answer) => return Ok((answer, retries)),
                _ if (self.interrupted)() => return Err(ChaosError::Interrupted),
                Ok(Answer { status, body }) if begin.elapsed() > RETRY_TIMEOUT => {
                    return Err(ChaosError::Rejected { request: format!("{} {}", call.method, call.path), status, body });
                }
                Err(error) if begin.elapsed() > RETRY_TIMEOUT => return Err(error),
                _ => {
                    sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(1));
                    retries += 1;
                }
            }
        }
    }

    fn send(&self, call: &Call<'_>) -> Result<Answer, ChaosError> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.url, call.path))
            .header("authorization", format!("Bearer {}", call.token));
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if call.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(call.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes())?;
        let no_answer =
            |error: ureq::Error| ChaosError::NoResponse { request: call.path.clone(), reason: error.to_string() };
        let mut answer = self.agent.run(request).map_err(no_answer)?;
        let body = answer.body_mut().read_to_string().map_err(no_answer)?;
        Ok(Answer { status: answer.status().as_u16(), body })
    }
}

/// Whether the request has to be sent again with the same key, because nothing was decided, or it is still in progress.
fn is_temporary(answer: &Answer) -> bool {
    let in_flight = "urn:ferrite:problem:idempotency-key-in-flight";
    answer.status == 429 || answer.status >= 500 || (answer.status == 409 && answer.json()["type"] == in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_responses_that_are_not_final() {
        let temporary = |status, body: &str| is_temporary(&Answer { status, body: body.to_owned() });
        assert!(temporary(502, "") && temporary(503, "{}") && temporary(429, ""));
        assert!(temporary(409, r#"{"type":"urn:ferrite:problem:idempotency-key-in-flight"}"#));
        assert!(!temporary(409, r#"{"type":"urn:ferrite:problem:out-of-stock"}"#));
        assert!(!temporary(202, "{}") && !temporary(404, "{}"));
    }
}
