//! Authorizes a request: verifies the token in the event from API Gateway and returns a policy.

use std::collections::HashMap;

use ferrite_runtime::Failure;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::key_cache::{FetchJwks, KeyCache, KeysUnavailable};
use crate::token::{Identity, Rejection, TokenRules, verify};

/// The fields used from the event of a REQUEST authorizer ("Input to an API Gateway Lambda authorizer").
#[derive(Deserialize)]
#[serde(tag = "type")]
pub(crate) enum AuthorizerEvent {
    /// The only supported type. A TOKEN authorizer's event would hide a second `Authorization` header.
    #[serde(rename = "REQUEST", rename_all = "camelCase")]
    Request {
        /// ARN of the called method: `arn:aws:execute-api:region:account:apiId/stage/method/path`.
        method_arn: String,
        /// One value of each header.
        headers: Option<HashMap<String, String>>,
        /// All values of each header.
        multi_value_headers: Option<HashMap<String, Vec<String>>>,
    },
}

impl AuthorizerEvent {
    /// Parses the event. The runtime does not count or log events that it cannot parse, so the function parses them.
    ///
    /// # Errors
    /// Returns an error if the event is not that of a REQUEST authorizer.
    pub(crate) fn parse(event: Value) -> Result<Self, AuthorizeError> {
        // The cause is dropped, because it may quote a header with a token.
        serde_json::from_value(event).map_err(|_| AuthorizeError::Event)
    }
}

/// The reason why a request gets no policy.
#[derive(Debug, Error)]
pub(crate) enum AuthorizeError {
    /// The request has no valid token: 401.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The keys are unavailable: 500. A 401 would make clients discard valid tokens.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
    /// The event is not from API Gateway: 500.
    #[error("the event is not that of a REQUEST authorizer")]
    Event,
    /// The event is not from API Gateway: 500.
    #[error("the event's methodArn has no stage")]
    MethodArn,
}

/// API Gateway returns 401 for an error whose message is exactly "Unauthorized" and 500 for any other message. The
/// client sees neither message. The reason is only logged, and contains no input from the caller.
#[derive(Debug, Error)]
#[error("Unauthorized")]
struct Unauthorized(#[source] Rejection);

impl AuthorizeError {
    /// Converts the error into the failure of the invocation.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Rejected(reason) => Failure::reject(Unauthorized(reason)),
            // The alarm of this function counts these failures.
            Self::KeysUnavailable(_) | Self::Event | Self::MethodArn => Failure::retry(self),
        }
    }
}

/// Returns an Allow policy if the bearer token of the request is valid at `now` (Unix time in seconds).
///
/// The format is that of "Output from an API Gateway Lambda authorizer". The principal is the token's subject.
/// Functions find `sub`, `scope` and `exp` as strings in `requestContext.authorizer`.
///
/// # Errors
/// Returns an error if the token is invalid, or if it cannot be verified because the keys are unavailable.
pub(crate) async fn authorize(
    keys: &KeyCache<impl FetchJwks>,
    rules: &TokenRules,
    event: AuthorizerEvent,
    now: u64,
) -> Result<Value, AuthorizeError> {
    let AuthorizerEvent::Request { method_arn, headers, multi_value_headers } = event;
    let token = bearer_token(&headers.unwrap_or_default(), &multi_value_headers.unwrap_or_default())?;
    let verified = match verify(&token, &*keys.current(now).await?, rules, now) {
        // The issuer may have started to sign with a new key, perhaps of another type under a known key id.
        Err(Rejection::UnknownKey | Rejection::Algorithm) => {
            verify(&token, &*keys.refresh_for_unknown_key(now).await?, rules, now)
        }
        verified => verified,
    };
    let resource = whole_stage(&method_arn).ok_or(AuthorizeError::MethodArn)?;
    Ok(allow(&verified?, &resource))
}

fn allow(identity: &Identity, resource: &str) -> Value {
    json!({
        "principalId": identity.subject,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource }],
        },
        "context": { "sub": identity.subject, "scope": identity.scope, "exp": identity.expires.to_string() },
    })
}

/// The token in the `Authorization: Bearer` header (RFC 6750), of which there must be exactly one. Header names are
/// compared case-insensitively, because API Gateway passes them on as the client sent them.
fn bearer_token(
    headers: &HashMap<String, String>,
    multi_value_headers: &HashMap<String, Vec<String>>,
) -> Result<String, Rejection> {
    let is_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
    let single = headers.iter().filter(|(name, _)| is_authorization(name));
    let multiple = multi_value_headers.iter().filter(|(name, _)| is_authorization(name));
    let mut values: Vec<&String> = multiple.flat_map(|(_, values)| values).collect();
    if values.is_empty() {
        values = single.map(|(_, value)| value).collect();
    }
    // With several headers, API Gateway could cache the policy under one token while this function verifies another.
    let [value] = values.as_slice() else {
        return Err(Rejection::AuthorizationHeader);
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ').to_owned()),
        _ => Err(Rejection::Scheme),
    }
}

/// The resource ARN of all methods in the stage of `method_arn`.
///
/// API Gateway caches the policy by token, for all routes. A policy for only the called method would deny the next
/// route that is called with the same token. The functions check the scopes.
fn whole_stage(method_arn: &str) -> Option<String> {
    let mut parts = method_arn.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(api), Some(stage), Some(_method)) if api.starts_with("arn:") && !stage.is_empty() => {
            Some(format!("{api}/{stage}/*"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
