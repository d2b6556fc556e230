use ring::hmac;
use serde_json::{Value, json};

use super::*;
use ferrite_token_issuer::signing_key::{SigningKey, jwks, unsigned};

const NOW: u64 = 1_800_000_000;

fn expected() -> ExpectedClaims {
    ExpectedClaims { issuer: "https://issuer.example/".to_owned(), audience: "storefront".to_owned() }
}

/// Valid claims with `changes` applied. A `null` makes a claim absent.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://issuer.example/",
        "aud": "storefront",
        "sub": "customer-1",
        "iat": NOW - 10,
        "exp": NOW + 300,
        "scope": "products:write orders:read",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn verify_with(keys: &[&SigningKey], token: &str) -> Result<Identity, Rejection> {
    verify(token, &KeySet::parse(&jwks(keys)).unwrap(), &expected(), NOW)
}

/// Verifies a correctly signed token with `changes` applied to its claims.
fn verify_claims(changes: &Value) -> Result<Identity, Rejection> {
    let key = SigningKey::eddsa("a");
    verify_with(&[&key], &key.token(&claims(changes)))
}

/// The reason why a token with these changes is rejected.
fn claims_rejection(changes: &Value) -> Rejection {
    verify_claims(changes).unwrap_err()
}

/// The reason why a correctly signed token with `changes` applied to its header is rejected.
fn header_rejection(changes: &Value) -> Option<Rejection> {
    let key = SigningKey::eddsa("a");
    let mut header = key.header();
    for (name, value) in changes.as_object().unwrap() {
        header[name] = value.clone();
    }
    verify_with(&[&key], &key.token_with(&header, &claims(&json!({})))).err()
}

#[test]
fn accepts_each_algorithm() {
    let keys = [SigningKey::rs256("r"), SigningKey::es256("e"), SigningKey::eddsa("d")];
    for key in &keys {
        let identity = verify_with(&keys.each_ref(), &key.token(&claims(&json!({})))).unwrap();
        assert_eq!(identity.subject, "customer-1");
        assert_eq!(identity.scope, "products:write orders:read");
    }
}

#[test]
fn rejects_a_modified_token() {
    for key in [SigningKey::rs256("a"), SigningKey::es256("a"), SigningKey::eddsa("a")] {
        let token = key.token(&claims(&json!({})));
        let (_, signature) = token.rsplit_once('.').unwrap();
        let forged = unsigned(&key.header(), &claims(&json!({ "sub": "customer-2" })));
        let result = verify_with(&[&key], &format!("{forged}.{signature}"));
        assert_eq!(result, Err(Rejection::Signature));
    }
}

#[test]
fn rejects_a_signature_by_another_key() {
    let token = SigningKey::es256("a").token(&claims(&json!({})));
    assert_eq!(verify_with(&[&SigningKey::es256("a")], &token), Err(Rejection::Signature));
}

#[test]
fn rejects_alg_none() {
    let key = SigningKey::rs256("a");
    for alg in ["none", "None", "NONE", ""] {
        let unsigned = unsigned(&json!({ "alg": alg, "kid": "a" }), &claims(&json!({})));
        assert_eq!(verify_with(&[&key], &format!("{unsigned}.")), Err(Rejection::Algorithm));
    }
}

#[test]
fn rejects_hs256_with_the_public_key_as_the_secret() {
    let key = SigningKey::rs256("a");
    let jwk = key.jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in [modulus, jwk.to_string().into_bytes()] {
        let signed = unsigned(&json!({ "alg": "HS256", "kid": "a" }), &claims(&json!({})));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(verify_with(&[&key], &token), Err(Rejection::Algorithm));
    }
}

#[test]
fn rejects_an_algorithm_that_does_not_match_the_key() {
    for alg in ["RS256", "ES256", "eddsa", "HS256"] {
        assert_eq!(header_rejection(&json!({ "alg": alg })), Some(Rejection::Algorithm), "{alg}");
    }
}

#[test]
fn rejects_an_unknown_key_id() {
    for kid in ["b", "", "A", "../a", "https://elsewhere.example/a", "a'--", "a\u{0}"] {
        assert_eq!(header_rejection(&json!({ "kid": kid })), Some(Rejection::UnknownKey), "{kid}");
    }
    assert_eq!(header_rejection(&json!({ "kid": 1 })), Some(Rejection::Malformed));
}

#[test]
fn requires_a_single_key_for_a_token_without_a_key_id() {
    let key = SigningKey::eddsa("a");
    let other = SigningKey::es256("b");
    let token = key.token_with(&json!({ "alg": "EdDSA" }), &claims(&json!({})));
    assert!(verify_with(&[&key], &token).is_ok());
    assert_eq!(verify_with(&[&key, &other], &token), Err(Rejection::NoKeyId));
    assert_eq!(verify_with(&[], &token), Err(Rejection::NoKeyId));
}

#[test]
fn rejects_critical_extensions() {
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("exp")] {
        let changes = json!({ "crit": crit, "b64": true });
        assert_eq!(header_rejection(&changes), Some(Rejection::CriticalExtension));
    }
}

#[test]
fn does_not_use_a_key_from_the_token() {
    let trusted = SigningKey::es256("a");
    let embedded = SigningKey::es256("a");
    for kid in ["a", "embedded"] {
        let mut header = embedded.header();
        header["kid"] = json!(kid);
        header["jwk"] = embedded.jwk();
        header["jku"] = json!("https://elsewhere.example/keys");
        header["x5u"] = json!("https://elsewhere.example/certificate");
        let result = verify_with(&[&trusted], &embedded.token_with(&header, &claims(&json!({}))));
        assert!(matches!(result, Err(Rejection::Signature | Rejection::UnknownKey)), "{result:?}");
    }
}

#[test]
fn rejects_malformed_tokens() {
    let key = SigningKey::eddsa("a");
    let token = key.token(&claims(&json!({})));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for malformed in [
        "",
        ".",
        "..",
        "garbage",
        "a.b.c",
        signed,
        &format!("{signed}."),
        &format!("{signed}.{signature}="),
        &format!("{signed}.{signature}.{signature}"),
        &format!(" {token}"),
        &format!("{token}, {token}"),
        &format!("e30.{signature}.{signature}"),
    ] {
        let result = verify_with(&[&key], malformed);
        assert!(matches!(result, Err(Rejection::Malformed | Rejection::Signature)), "{malformed}: {result:?}");
    }
}

#[test]
fn accepts_tokens_of_up_to_8_kib() {
    let key = SigningKey::eddsa("a");
    let padded = |length: usize| key.token(&claims(&json!({ "padding": "x".repeat(length) })));
    let short_enough = padded(5_700);
    let too_long = padded(6_200);
    assert!(short_enough.len() <= 8 * 1024 && too_long.len() > 8 * 1024);
    assert!(verify_with(&[&key], &short_enough).is_ok());
    assert_eq!(verify_with(&[&key], &too_long), Err(Rejection::TooLong));
}

#[test]
fn requires_an_expiration_time_with_one_minute_of_leeway() {
    assert_eq!(claims_rejection(&json!({ "exp": null })), Rejection::NoExpiry);
    assert_eq!(claims_rejection(&json!({ "exp": NOW - 60 })), Rejection::Expired);
    assert_eq!(claims_rejection(&json!({ "exp": -1 })), Rejection::Expired);
    assert!(verify_claims(&json!({ "exp": NOW - 59 })).is_ok());
    assert!(verify_claims(&json!({ "exp": NOW as f64 + 0.5 })).is_ok());
}

#[test]
fn checks_not_before_with_one_minute_of_leeway() {
    assert_eq!(claims_rejection(&json!({ "nbf": NOW + 61 })), Rejection::NotYetValid);
    assert!(verify_claims(&json!({ "nbf": NOW + 60 })).is_ok());
}

#[test]
fn rejects_claims_of_the_wrong_type() {
    for changes in [
        json!({ "exp": (NOW + 300).to_string() }),
        json!({ "nbf": "never" }),
        json!({ "sub": 7 }),
        json!({ "aud": [["storefront"]] }),
        json!({ "iss": ["https://issuer.example/"] }),
    ] {
        assert_eq!(claims_rejection(&changes), Rejection::MalformedClaims, "{changes}");
    }
}

#[test]
fn requires_the_exact_issuer() {
    for issuer in [json!(null), json!(""), json!("https://issuer.example"), json!("https://elsewhere.example/")] {
        assert_eq!(claims_rejection(&json!({ "iss": issuer })), Rejection::Issuer);
    }
}

#[test]
fn requires_the_audience_as_the_value_or_an_entry() {
    for audience in [json!(null), json!("other"), json!("storefront "), json!([]), json!(["other", "Storefront"])] {
        assert_eq!(claims_rejection(&json!({ "aud": audience })), Rejection::Audience);
    }
    assert!(verify_claims(&json!({ "aud": ["other", "storefront"] })).is_ok());
}

#[test]
fn checks_the_client_id_only_without_an_audience() {
    assert!(verify_claims(&json!({ "aud": null, "client_id": "storefront" })).is_ok());
    assert_eq!(claims_rejection(&json!({ "aud": null, "client_id": "other" })), Rejection::Audience);
    assert_eq!(claims_rejection(&json!({ "aud": "other", "client_id": "storefront" })), Rejection::Audience);
}

#[test]
fn requires_a_subject_that_is_a_valid_customer_id() {
    for subject in
        [json!(null), json!(""), json!("x".repeat(256)), json!("a\nb"), json!("a\u{7f}"), json!("a b"), json!("é")]
    {
        assert_eq!(claims_rejection(&json!({ "sub": subject })), Rejection::Subject);
    }
    assert!(verify_claims(&json!({ "sub": "x".repeat(255) })).is_ok());
    assert!(verify_claims(&json!({ "sub": "auth0|5f7c8ec7c33c6c004bbafe82" })).is_ok());
}

#[test]
fn collects_scopes_from_all_scope_claims() {
    let write = "products:write";
    for (changes, scope) in [
        (json!({ "scope": "a  b " }), "a b"),
        (json!({ "scope": null }), ""),
        (json!({ "scope": null, "scp": ["a", write] }), "a products:write"),
        (json!({ "scope": null, "scp": "a b" }), "a b"),
        (json!({ "scope": null, "permissions": [write] }), write),
        (json!({ "scope": "openid", "permissions": [write] }), "openid products:write"),
        (json!({ "scope": null, "scp": ["a products:write", "", "b\n", "c"] }), "c"),
        (json!({ "scope": "a\nproducts:write b" }), "b"),
    ] {
        assert_eq!(verify_claims(&changes).unwrap().scope, scope, "{changes}");
    }
}
