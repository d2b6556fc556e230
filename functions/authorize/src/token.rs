//! Verifies JSON Web Tokens (RFC 7519) in the compact serialization.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferrite_domain::CustomerId;
use ferrite_runtime::http::TOKEN_LEEWAY_SECONDS;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;

use crate::jwks::KeySet;

/// Longer than the tokens of any issuer, and less than API Gateway's limit for all headers together (10,240 bytes).
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The issuer and audience that a token must have.
#[derive(Debug)]
pub(crate) struct ExpectedClaims {
    /// Required value of the claim `iss`.
    pub(crate) issuer: String,
    /// Required value of the claim `aud`, or of one of its entries.
    pub(crate) audience: String,
}

/// The claims of a verified token.
#[derive(Debug, PartialEq)]
pub(crate) struct Identity {
    /// Claim `sub`: 1 to 255 characters, valid as a [`CustomerId`].
    pub(crate) subject: String,
    /// The granted scopes, separated by single spaces.
    pub(crate) scope: String,
    /// Claim `exp`: Unix time in whole seconds.
    pub(crate) expires: u64,
}

/// The reason why a request is rejected. It is logged and not sent to the client.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum Rejection {
    #[error("the request does not have exactly one Authorization header")]
    AuthorizationHeader,
    #[error("the authorization scheme is not Bearer")]
    Scheme,
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    #[error("the token is malformed")]
    Malformed,
    #[error("the token has critical extensions (crit)")]
    CriticalExtension,
    #[error("the token has no key id, and the key set does not have exactly one key")]
    NoKeyId,
    #[error("the key id is unknown")]
    UnknownKey,
    #[error("the algorithm does not match the key")]
    Algorithm,
    #[error("the signature is invalid")]
    Signature,
    #[error("the claims are malformed")]
    MalformedClaims,
    #[error("the issuer does not match")]
    Issuer,
    #[error("the audience does not match")]
    Audience,
    #[error("the token has no expiration time")]
    NoExpiry,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the subject is missing or invalid")]
    Subject,
}

/// The JOSE header. Members that contain or reference a key (`jwk`, `jku`, `x5c`, `x5u`) are not read: keys come only
/// from the issuer's JWK Set.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    client_id: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    scope: Option<OneOrMany>,
    scp: Option<OneOrMany>,
    permissions: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Verifies `token` with the key in `keys` that its key id names. `now` is the Unix time in seconds.
///
/// # Errors
/// Returns the first reason to reject the token. The claims are not read before the signature is verified.
pub(crate) fn verify(token: &str, keys: &KeySet, expected: &ExpectedClaims, now: u64) -> Result<Identity, Rejection> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Rejection::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Rejection::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Rejection::Malformed)?;
    let header: Header = decode(header).ok_or(Rejection::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Rejection::Malformed)?;
    if header.crit.is_some() {
        return Err(Rejection::CriticalExtension);
    }
    let key = match &header.kid {
        Some(id) => keys.get(id).ok_or(Rejection::UnknownKey)?,
        None => keys.single_key().ok_or(Rejection::NoKeyId)?,
    };
    // The key determines the algorithm. If the header did, a caller could use the public key as an HMAC secret, or
    // choose `none`.
    if header.alg != key.algorithm() {
        return Err(Rejection::Algorithm);
    }
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(Rejection::Signature);
    }
    let claims: Claims = decode(claims).ok_or(Rejection::MalformedClaims)?;
    claims.check(expected, now)
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

impl Claims {
    fn check(self, expected: &ExpectedClaims, now: u64) -> Result<Identity, Rejection> {
        if self.iss.as_ref() != Some(&expected.issuer) {
            return Err(Rejection::Issuer);
        }
        let audience_matches = match (&self.aud, &self.client_id) {
            (Some(OneOrMany::One(audience)), _) => *audience == expected.audience,
            (Some(OneOrMany::Many(audiences)), _) => audiences.contains(&expected.audience),
            // Cognito's access tokens have no `aud`. API Gateway's JWT authorizer checks their `client_id` in the same
            // way ("Control access to HTTP APIs with JWT authorizers").
            (None, Some(client)) => *client == expected.audience,
            (None, None) => false,
        };
        if !audience_matches {
            return Err(Rejection::Audience);
        }
        // A NumericDate (RFC 7519) may have a fraction, hence floating point. Whole seconds are represented exactly.
        let expires = self.exp.ok_or(Rejection::NoExpiry)?;
        if now.saturating_sub(TOKEN_LEEWAY_SECONDS) as f64 >= expires {
            return Err(Rejection::Expired);
        }
        if self.nbf.is_some_and(|not_before| not_before > now.saturating_add(TOKEN_LEEWAY_SECONDS) as f64) {
            return Err(Rejection::NotYetValid);
        }
        let claims = [self.scope, self.scp, self.permissions];
        Ok(Identity {
            subject: self.sub.and_then(|sub| CustomerId::try_from(sub).ok()).ok_or(Rejection::Subject)?.into(),
            scope: claims.into_iter().flatten().flat_map(scopes).collect::<Vec<_>>().join(" "),
            expires: expires as u64,
        })
    }
}

/// The scopes in a claim, which is a space-separated string or an array with one scope per entry.
///
/// Issuers use `scope` (RFC 9068), `scp` (Okta, Entra) or `permissions` (Auth0, in addition to a `scope` with the
/// requested scopes). A token grants the scopes of all three. An entry that is not a scope-token (RFC 6749, section
/// 3.3) is ignored; otherwise, an array entry with a space could grant two scopes.
fn scopes(claim: OneOrMany) -> Vec<String> {
    let is_scope = |scope: &str| {
        let mut bytes = scope.bytes();
        !scope.is_empty() && bytes.all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    let mut scopes: Vec<String> = match claim {
        OneOrMany::One(scopes) => scopes.split(' ').map(str::to_owned).collect(),
        OneOrMany::Many(scopes) => scopes,
    };
    scopes.retain(|scope| is_scope(scope));
    scopes
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
