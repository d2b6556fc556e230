//! JSON Web Tokens (RFC 7519) in their compact form: what makes one good, and what it then says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferrite_domain::CustomerId;
use ferrite_runtime::http::TOKEN_LEEWAY_SECONDS;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;

use crate::jwks::KeySet;

/// More than any issuer's token has, and less than API Gateway lets through in all headers together (10,240 bytes).
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Whose tokens, made for whom, are accepted.
#[derive(Debug)]
pub(crate) struct Expected {
    /// Equal to the claim `iss`.
    pub(crate) issuer: String,
    /// Equal to the claim `aud`, or one of its entries.
    pub(crate) audience: String,
}

/// What a good token says of its bearer.
#[derive(Debug, PartialEq)]
pub(crate) struct Identity {
    /// Claim `sub`: 1 to 128 characters, no control characters.
    pub(crate) subject: String,
    /// The scopes granted, with one space between two.
    pub(crate) scope: String,
    /// Claim `exp`, in whole seconds since 1970.
    pub(crate) expires: u64,
}

/// Why a request is not let through. For the log: the client is told nothing of it.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum Refused {
    #[error("no single Authorization header")]
    AuthorizationHeader,
    #[error("the authorization scheme is not Bearer")]
    Scheme,
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    #[error("malformed token")]
    Malformed,
    #[error("the token has extensions that must be understood (crit)")]
    CriticalExtension,
    #[error("no key id, and not exactly one key")]
    NoKeyId,
    #[error("unknown key id")]
    UnknownKey,
    #[error("the algorithm is not the key's")]
    Algorithm,
    #[error("wrong signature")]
    Signature,
    #[error("malformed claims")]
    MalformedClaims,
    #[error("wrong issuer")]
    Issuer,
    #[error("wrong audience")]
    Audience,
    #[error("no expiry")]
    NoExpiry,
    #[error("expired")]
    Expired,
    #[error("not valid yet")]
    NotYetValid,
    #[error("missing, overlong or unprintable subject")]
    Subject,
}

/// The members of a JOSE header that matter here. Those that carry or point to a key (`jwk`, `jku`, `x5c`, `x5u`) are not
/// read: keys come from the issuer's JWK Set alone.
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

/// Verifies `token` with the key of `keys` that it names. `now` is in seconds since 1970.
///
/// # Errors
/// With the first reason to refuse it. Claims are not looked at before the signature has been found good.
pub(crate) fn verify(token: &str, keys: &KeySet, expected: &Expected, now: u64) -> Result<Identity, Refused> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refused::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refused::Malformed)?;
    let header: Header = decode(header).ok_or(Refused::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::Malformed)?;
    if header.crit.is_some() {
        return Err(Refused::CriticalExtension);
    }
    let key = match &header.kid {
        Some(id) => keys.named(id).ok_or(Refused::UnknownKey)?,
        None => keys.only().ok_or(Refused::NoKeyId)?,
    };
    // The key decides. A header that could would let a caller pass a public key off as an HMAC secret, or ask for `none`.
    if header.alg != key.algorithm() {
        return Err(Refused::Algorithm);
    }
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(Refused::Signature);
    }
    let claims: Claims = decode(claims).ok_or(Refused::MalformedClaims)?;
    claims.check(expected, now)
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

impl Claims {
    fn check(self, expected: &Expected, now: u64) -> Result<Identity, Refused> {
        if self.iss.as_ref() != Some(&expected.issuer) {
            return Err(Refused::Issuer);
        }
        let is_for_us = match (&self.aud, &self.client_id) {
            (Some(OneOrMany::One(audience)), _) => *audience == expected.audience,
            (Some(OneOrMany::Many(audiences)), _) => audiences.contains(&expected.audience),
            // Cognito's access tokens have no `aud`. This is what API Gateway's own JWT authorizer does with them
            // ("Control access to HTTP APIs with JWT authorizers").
            (None, Some(client)) => *client == expected.audience,
            (None, None) => false,
        };
        if !is_for_us {
            return Err(Refused::Audience);
        }
        // RFC 7519's NumericDate may have a fraction, hence floating point; whole seconds are exact in it.
        let expires = self.exp.ok_or(Refused::NoExpiry)?;
        if now.saturating_sub(TOKEN_LEEWAY_SECONDS) as f64 >= expires {
            return Err(Refused::Expired);
        }
        if self.nbf.is_some_and(|start| start > now.saturating_add(TOKEN_LEEWAY_SECONDS) as f64) {
            return Err(Refused::NotYetValid);
        }
        let claims = [self.scope, self.scp, self.permissions];
        Ok(Identity {
            subject: self.sub.and_then(|sub| CustomerId::try_from(sub).ok()).ok_or(Refused::Subject)?.into(),
            scope: claims.into_iter().flatten().flat_map(scopes).collect::<Vec<_>>().join(" "),
            expires: expires as u64,
        })
    }
}

/// The scopes in a claim: a string of them, or an array of one each. Issuers say them in `scope` (RFC 9068), `scp` (Okta,
/// Entra) and `permissions` (Auth0, beside a `scope` that says what the client asked for); a token grants what any of them
/// does. What is no scope-token (RFC 6749, section 3.3) grants nothing; an entry with a space in it could otherwise grant two.
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
