//! One request's authorization: from API Gateway's event to the policy that lets it through.

use std::collections::HashMap;

use ferrite_runtime::Failure;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::key_cache::{FetchJwks, KeyCache, KeysUnavailable};
use crate::token::{Expected, Identity, Refused, verify};

/// The event of a REQUEST authorizer ("Input to an API Gateway Lambda authorizer"), as far as it is used.
#[derive(Deserialize)]
#[serde(tag = "type")]
pub(crate) enum AuthorizerEvent {
    /// The only type there is here: a TOKEN authorizer hides a second `Authorization` header.
    #[serde(rename = "REQUEST", rename_all = "camelCase")]
    Request {
        /// What is called: `arn:aws:execute-api:region:account:apiId/stage/method/path`.
        method_arn: String,
        /// One value of each header.
        headers: Option<HashMap<String, String>>,
        /// All values of each header.
        multi_value_headers: Option<HashMap<String, Vec<String>>>,
    },
}

/// Why there is no policy.
#[derive(Debug, Error)]
pub(crate) enum AuthorizeError {
    /// The caller's doing: 401.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Ours, or the identity provider's: 500. A 401 would make clients throw good tokens away.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
    /// Not an event of API Gateway's: 500.
    #[error("the event's methodArn has no stage")]
    MethodArn,
}

/// API Gateway answers 401 to an error whose message is exactly "Unauthorized" and 500 to any other, and passes neither on
/// to the client. The reason, which only the log has, contains nothing that the caller chose.
#[derive(Debug, Error)]
#[error("Unauthorized")]
struct Unauthorized(#[source] Refused);

impl AuthorizeError {
    /// The failure of the invocation.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Refused(reason) => Failure::reject(Unauthorized(reason)),
            Self::KeysUnavailable(_) | Self::MethodArn => Failure::retry(self),
        }
    }
}

/// Lets the request through when its bearer token is good at `now` (seconds since 1970). The answer is API Gateway's
/// ("Output from an API Gateway Lambda authorizer"): the subject is the principal, and functions find `sub`, `scope` and `exp`,
/// as strings, in `requestContext.authorizer`.
///
/// # Errors
/// When it is not, or that cannot be told.
pub(crate) async fn authorize(
    keys: &KeyCache<impl FetchJwks>,
    expected: &Expected,
    event: AuthorizerEvent,
    now: u64,
) -> Result<Value, AuthorizeError> {
    let AuthorizerEvent::Request { method_arn, headers, multi_value_headers } = event;
    let token = bearer_token(&headers.unwrap_or_default(), &multi_value_headers.unwrap_or_default())?;
    let verified = match verify(&token, &*keys.current(now).await?, expected, now) {
        // The issuer may have begun to sign with a new key.
        Err(Refused::UnknownKey) => verify(&token, &*keys.after_unknown_key(now).await?, expected, now),
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

/// The token of the one `Authorization: Bearer` header (RFC 6750). Names are compared without case: API Gateway passes them
/// on as the client wrote them.
fn bearer_token(
    headers: &HashMap<String, String>,
    multi_value_headers: &HashMap<String, Vec<String>>,
) -> Result<String, Refused> {
    let is_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
    let single = headers.iter().filter(|(name, _)| is_authorization(name));
    let multiple = multi_value_headers.iter().filter(|(name, _)| is_authorization(name));
    let mut values: Vec<&String> = multiple.flat_map(|(_, values)| values).collect();
    if values.is_empty() {
        values = single.map(|(_, value)| value).collect();
    }
    // Of several, API Gateway may cache its answer under one while this function verifies another.
    let [value] = values.as_slice() else {
        return Err(Refused::AuthorizationHeader);
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ').to_owned()),
        _ => Err(Refused::Scheme),
    }
}

/// The ARN of everything in the stage that `method_arn` is in. API Gateway caches the answer under the token, for all
/// routes: a policy for the one method asked for would turn the next route, called with the same token, away. What a scope
/// may do is decided by the functions.
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
