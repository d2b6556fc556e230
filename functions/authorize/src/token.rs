//! Verifies JSON Web Tokens (RFC 7519) in the compact serialization.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferrite_core::Subject;
use ferrite_runtime::http::TOKEN_LEEWAY_SECONDS;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use thiserror::Error;

use crate::jwks::{Key, KeySet};
use crate::permissions::Permissions;

/// Longer than the tokens of any issuer, and less than API Gateway's limit for all headers together (10,240 bytes).
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The claims that a token must have, and the claim that grants its scopes.
#[derive(Debug)]
pub(crate) struct TokenRules {
    /// Required value of the claim `iss`.
    pub(crate) issuer: String,
    /// The accepted audiences.
    pub(crate) audiences: Vec<String>,
    /// The claim that must contain one of the audiences.
    pub(crate) audience_claim: AudienceClaim,
    /// The claim that grants scopes.
    pub(crate) permissions: Permissions,
}

/// The claim that identifies who a token is for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AudienceClaim {
    /// The audience (RFC 7519): the API, or the client in an ID token.
    #[default]
    Aud,
    /// The client in an access token (RFC 9068). Cognito's access tokens have no `aud`.
    ClientId,
    /// The authorized party (OpenID Connect Core). Clerk's session tokens have no `aud`, and their `azp` is the origin of the
    /// page.
    Azp,
}

/// The claims of a verified token.
#[derive(Debug, PartialEq)]
pub(crate) struct Identity {
    /// Claim `sub`: 1 to 255 characters, valid as a [`Subject`].
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
    #[error("the token is of another type than a JWT or an access token (typ)")]
    Type,
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
    #[error("the session is pending (sts)")]
    PendingSession,
    #[error("the subject is missing or invalid")]
    Subject,
}

/// The JOSE header. Members that contain or reference a key (`jwk`, `jku`, `x5c`, `x5u`) are not read: keys come only
/// from the issuer's JWK Set.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

/// The claims that are checked. [`Permissions`] reads the claim that grants scopes from the same document.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    // These claims are not checked for every issuer, so their type is not checked here.
    client_id: Option<Value>,
    azp: Option<Value>,
    sts: Option<Value>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Verifies `token` with the keys in `keys` that its key id names. `now` is the Unix time in seconds.
///
/// # Errors
/// Returns the first reason to reject the token. The claims are not read before the signature is verified.
pub(crate) fn verify(token: &str, keys: &KeySet, rules: &TokenRules, now: u64) -> Result<Identity, Rejection> {
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
    if header.typ.is_some_and(|kind| !is_access_token_type(&kind)) {
        return Err(Rejection::Type);
    }
    let mut keys: Vec<&Key> = match &header.kid {
        Some(id) => keys.with_id(id),
        None => vec![keys.single_key().ok_or(Rejection::NoKeyId)?],
    };
    if keys.is_empty() {
        return Err(Rejection::UnknownKey);
    }
    // The key determines the algorithm. If the header did, a caller could use the public key as an HMAC secret, or
    // choose `none`. The header only selects among keys with the same id.
    keys.retain(|key| key.is_for(&header.alg));
    if keys.is_empty() {
        return Err(Rejection::Algorithm);
    }
    if !keys.iter().any(|key| key.verifies(signed.as_bytes(), &signature)) {
        return Err(Rejection::Signature);
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Rejection::MalformedClaims)?;
    identity(&claims, rules, now)
}

/// Whether the type in the header (RFC 8725, section 3.11) is that of an access token (RFC 9068), or the general type of
/// JWTs, which ID tokens and most access tokens have. Issuers also sign other types with the same keys, such as
/// `logout+jwt`.
fn is_access_token_type(typ: &str) -> bool {
    // RFC 7515, section 4.1.9, allows to omit the prefix `application/`.
    let accepted = ["JWT", "at+jwt", "application/jwt", "application/at+jwt"];
    accepted.iter().any(|accepted| typ.eq_ignore_ascii_case(accepted))
}

/// Returns the identity in the claims, a JSON document, of a token whose signature is valid.
fn identity(json: &[u8], rules: &TokenRules, now: u64) -> Result<Identity, Rejection> {
    // A duplicate claim is an error, because other parsers may keep another one of its values.
    let document: Value = ferrite_core::json::from_slice(json).map_err(|_| Rejection::MalformedClaims)?;
    let claims = Claims::deserialize(&document).map_err(|_| Rejection::MalformedClaims)?;
    claims.check(rules, rules.permissions.granted(&document), now)
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

impl Claims {
    fn check(self, rules: &TokenRules, scope: String, now: u64) -> Result<Identity, Rejection> {
        if self.iss.as_ref() != Some(&rules.issuer) {
            return Err(Rejection::Issuer);
        }
        if !self.is_for_one_of(&rules.audiences, rules.audience_claim) {
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
        // Clerk issues tokens to users who still have to complete a required step of signing in.
        if self.sts.is_some_and(|status| status == "pending") {
            return Err(Rejection::PendingSession);
        }
        Ok(Identity {
            subject: self.sub.and_then(|sub| Subject::try_from(sub).ok()).ok_or(Rejection::Subject)?.into(),
            scope,
            expires: expires as u64,
        })
    }

    /// Whether the configured claim contains one of the audiences.
    ///
    /// If a token has `aud`, then `aud` must contain one of them, whichever claim is configured (RFC 7519, section 4.1.3).
    /// Otherwise, a token that the same client requested for another API would be accepted.
    fn is_for_one_of(&self, audiences: &[String], claim: AudienceClaim) -> bool {
        let is_accepted = |audience: &str| audiences.iter().any(|accepted| accepted == audience);
        let aud_matches = self.aud.as_ref().map(|aud| match aud {
            OneOrMany::One(audience) => is_accepted(audience),
            OneOrMany::Many(audiences) => audiences.iter().any(|audience| is_accepted(audience)),
        });
        let matches = |claim: &Option<Value>| claim.as_ref().and_then(Value::as_str).is_some_and(is_accepted);
        match claim {
            AudienceClaim::Aud => aud_matches == Some(true),
            AudienceClaim::ClientId => aud_matches != Some(false) && matches(&self.client_id),
            AudienceClaim::Azp => aud_matches != Some(false) && matches(&self.azp),
        }
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod tests;
