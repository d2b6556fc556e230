//! The storefront's API as its customers call it: a request is sent until it has an answer.

use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Request;
use serde_json::Value;

use super::StormError;

/// How long a customer insists on an answer: many times what an outage of the storm's lasts.
const PATIENCE: Duration = Duration::from_secs(90);

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

/// An answer that says something about the request, and not about the server.
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

    /// Sends a request until it is answered, and says how often it had to be sent again.
    ///
    /// # Errors
    /// There was no answer for as long as a customer has patience; the error has the last refusal.
    pub(crate) fn insist(&self, call: &Call<'_>) -> Result<(Answer, u64), StormError> {
        let (begin, mut pause, mut retries) = (Instant::now(), Duration::from_millis(50), 0);
        loop {
            let tried = self.send(call);
            match tried {
                Ok(answer) if !is_temporary(&answer) => return Ok((answer, retries)),
                _ if (self.interrupted)() => return Err(StormError::Interrupted),
                Ok(Answer { status, body }) if begin.elapsed() > PATIENCE => {
                    return Err(StormError::Refused { what: format!("{} {}", call.method, call.path), status, body });
                }
                Err(error) if begin.elapsed() > PATIENCE => return Err(error),
                _ => {
                    sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(1));
                    retries += 1;
                }
            }
        }
    }

    fn send(&self, call: &Call<'_>) -> Result<Answer, StormError> {
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
        let no_answer = |error: ureq::Error| StormError::NoAnswer { what: call.path.clone(), reason: error.to_string() };
        let mut answer = self.agent.run(request).map_err(no_answer)?;
        let body = answer.body_mut().read_to_string().map_err(no_answer)?;
        Ok(Answer { status: answer.status().as_u16(), body })
    }
}

/// Whether the request is to be sent again, with the same key: nothing was decided, or somebody is deciding it.
fn is_temporary(answer: &Answer) -> bool {
    let in_flight = "urn:ferrite:problem:idempotency-key-in-flight";
    answer.status == 429 || answer.status >= 500 || (answer.status == 409 && answer.json()["type"] == in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_about_the_request_is_asked_again() {
        let temporary = |status, body: &str| is_temporary(&Answer { status, body: body.to_owned() });
        assert!(temporary(502, "") && temporary(503, "{}") && temporary(429, ""));
        assert!(temporary(409, r#"{"type":"urn:ferrite:problem:idempotency-key-in-flight"}"#));
        assert!(!temporary(409, r#"{"type":"urn:ferrite:problem:out-of-stock"}"#));
        assert!(!temporary(202, "{}") && !temporary(404, "{}"));
    }
}
