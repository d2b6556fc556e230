use ring::hmac;
use serde_json::{Value, json};

use super::*;
use ferrite_token_issuer::signing_key::{SigningKey, jwks, unsigned};

const NOW: u64 = 1_800_000_000;

fn expected() -> Expected {
    Expected { issuer: "https://issuer.example/".to_owned(), audience: "storefront".to_owned() }
}

/// Claims that are accepted, with `changes` made to them; a `null` takes one out.
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

fn verify_with(keys: &[&SigningKey], token: &str) -> Result<Identity, Refused> {
    verify(token, &KeySet::parse(&jwks(keys)).unwrap(), &expected(), NOW)
}

/// What becomes of a well-signed token with `changes` made to its claims.
fn accept(changes: &Value) -> Result<Identity, Refused> {
    let key = SigningKey::eddsa("a");
    verify_with(&[&key], &key.token(&claims(changes)))
}

/// Why such a token is refused.
fn refusal(changes: &Value) -> Refused {
    accept(changes).unwrap_err()
}

/// Why a well-signed token with `changes` made to its header is refused.
fn header_refusal(changes: &Value) -> Option<Refused> {
    let key = SigningKey::eddsa("a");
    let mut header = key.header();
    for (name, value) in changes.as_object().unwrap() {
        header[name] = value.clone();
    }
    verify_with(&[&key], &key.token_with(&header, &claims(&json!({})))).err()
}

#[test]
fn each_algorithm_is_accepted() {
    let keys = [SigningKey::rs256("r"), SigningKey::es256("e"), SigningKey::eddsa("d")];
    for key in &keys {
        let identity = verify_with(&keys.each_ref(), &key.token(&claims(&json!({})))).unwrap();
        assert_eq!(identity.subject, "customer-1");
        assert_eq!(identity.scope, "products:write orders:read");
    }
}

#[test]
fn a_changed_token_is_refused() {
    for key in [SigningKey::rs256("a"), SigningKey::es256("a"), SigningKey::eddsa("a")] {
        let token = key.token(&claims(&json!({})));
        let (_, signature) = token.rsplit_once('.').unwrap();
        let forged = unsigned(&key.header(), &claims(&json!({ "sub": "customer-2" })));
        let refused = verify_with(&[&key], &format!("{forged}.{signature}"));
        assert_eq!(refused, Err(Refused::Signature));
    }
}

#[test]
fn a_signature_by_another_key_is_refused() {
    let token = SigningKey::es256("a").token(&claims(&json!({})));
    assert_eq!(verify_with(&[&SigningKey::es256("a")], &token), Err(Refused::Signature));
}

#[test]
fn alg_none_is_refused() {
    let key = SigningKey::rs256("a");
    for alg in ["none", "None", "NONE", ""] {
        let unsigned = unsigned(&json!({ "alg": alg, "kid": "a" }), &claims(&json!({})));
        assert_eq!(verify_with(&[&key], &format!("{unsigned}.")), Err(Refused::Algorithm));
    }
}

#[test]
fn hs256_with_the_public_key_as_its_secret_is_refused() {
    let key = SigningKey::rs256("a");
    let jwk = key.jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in [modulus, jwk.to_string().into_bytes()] {
        let signed = unsigned(&json!({ "alg": "HS256", "kid": "a" }), &claims(&json!({})));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(verify_with(&[&key], &token), Err(Refused::Algorithm));
    }
}

#[test]
fn the_algorithm_is_the_keys() {
    for alg in ["RS256", "ES256", "eddsa", "HS256"] {
        assert_eq!(header_refusal(&json!({ "alg": alg })), Some(Refused::Algorithm), "{alg}");
    }
}

#[test]
fn an_unknown_key_id_is_refused() {
    for kid in ["b", "", "A", "../a", "https://elsewhere.example/a", "a'--", "a\u{0}"] {
        assert_eq!(header_refusal(&json!({ "kid": kid })), Some(Refused::UnknownKey), "{kid}");
    }
    assert_eq!(header_refusal(&json!({ "kid": 1 })), Some(Refused::Malformed));
}

#[test]
fn without_a_key_id_there_must_be_one_key() {
    let (key, other) = (SigningKey::eddsa("a"), SigningKey::es256("b"));
    let token = key.token_with(&json!({ "alg": "EdDSA" }), &claims(&json!({})));
    assert!(verify_with(&[&key], &token).is_ok());
    assert_eq!(verify_with(&[&key, &other], &token), Err(Refused::NoKeyId));
    assert_eq!(verify_with(&[], &token), Err(Refused::NoKeyId));
}

#[test]
fn critical_extensions_are_refused() {
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("exp")] {
        let changes = json!({ "crit": crit, "b64": true });
        assert_eq!(header_refusal(&changes), Some(Refused::CriticalExtension));
    }
}

#[test]
fn a_key_that_the_token_brings_along_is_not_used() {
    let (ours, theirs) = (SigningKey::es256("a"), SigningKey::es256("a"));
    for kid in ["a", "theirs"] {
        let mut header = theirs.header();
        header["kid"] = json!(kid);
        header["jwk"] = theirs.jwk();
        header["jku"] = json!("https://elsewhere.example/keys");
        header["x5u"] = json!("https://elsewhere.example/certificate");
        let refused = verify_with(&[&ours], &theirs.token_with(&header, &claims(&json!({}))));
        assert!(matches!(refused, Err(Refused::Signature | Refused::UnknownKey)), "{refused:?}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
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
        let refused = verify_with(&[&key], malformed);
        assert!(matches!(refused, Err(Refused::Malformed | Refused::Signature)), "{malformed}: {refused:?}");
    }
}

#[test]
fn a_token_may_have_8_kib() {
    let key = SigningKey::eddsa("a");
    let padded = |length: usize| key.token(&claims(&json!({ "padding": "x".repeat(length) })));
    let (fits, too_long) = (padded(5_700), padded(6_200));
    assert!(fits.len() <= 8 * 1024 && too_long.len() > 8 * 1024);
    assert!(verify_with(&[&key], &fits).is_ok());
    assert_eq!(verify_with(&[&key], &too_long), Err(Refused::TooLong));
}

#[test]
fn expiry_is_required_and_has_a_minute_of_leeway() {
    assert_eq!(refusal(&json!({ "exp": null })), Refused::NoExpiry);
    assert_eq!(refusal(&json!({ "exp": NOW - 60 })), Refused::Expired);
    assert_eq!(refusal(&json!({ "exp": -1 })), Refused::Expired);
    assert!(accept(&json!({ "exp": NOW - 59 })).is_ok());
    assert!(accept(&json!({ "exp": NOW as f64 + 0.5 })).is_ok());
}

#[test]
fn not_before_has_a_minute_of_leeway() {
    assert_eq!(refusal(&json!({ "nbf": NOW + 61 })), Refused::NotYetValid);
    assert!(accept(&json!({ "nbf": NOW + 60 })).is_ok());
}

#[test]
fn a_claim_of_the_wrong_type_is_not_an_absent_one() {
    for changes in [
        json!({ "exp": (NOW + 300).to_string() }),
        json!({ "nbf": "never" }),
        json!({ "sub": 7 }),
        json!({ "aud": [["storefront"]] }),
        json!({ "iss": ["https://issuer.example/"] }),
    ] {
        assert_eq!(refusal(&changes), Refused::MalformedClaims, "{changes}");
    }
}

#[test]
fn the_issuer_must_be_ours_to_the_letter() {
    for issuer in [json!(null), json!(""), json!("https://issuer.example"), json!("https://elsewhere.example/")] {
        assert_eq!(refusal(&json!({ "iss": issuer })), Refused::Issuer);
    }
}

#[test]
fn the_audience_must_be_or_contain_ours() {
    for audience in [json!(null), json!("other"), json!("storefront "), json!([]), json!(["other", "Storefront"])] {
        assert_eq!(refusal(&json!({ "aud": audience })), Refused::Audience);
    }
    assert!(accept(&json!({ "aud": ["other", "storefront"] })).is_ok());
}

#[test]
fn the_client_id_stands_in_for_an_absent_audience_only() {
    assert!(accept(&json!({ "aud": null, "client_id": "storefront" })).is_ok());
    assert_eq!(refusal(&json!({ "aud": null, "client_id": "other" })), Refused::Audience);
    assert_eq!(refusal(&json!({ "aud": "other", "client_id": "storefront" })), Refused::Audience);
}

#[test]
fn the_subject_is_one_that_the_functions_take_for_a_customer() {
    for subject in
        [json!(null), json!(""), json!("x".repeat(129)), json!("a\nb"), json!("a\u{7f}"), json!("a b"), json!("é")]
    {
        assert_eq!(refusal(&json!({ "sub": subject })), Refused::Subject);
    }
    assert!(accept(&json!({ "sub": "x".repeat(128) })).is_ok());
    assert!(accept(&json!({ "sub": "auth0|5f7c8ec7c33c6c004bbafe82" })).is_ok());
}

#[test]
fn scopes_come_from_every_claim_that_has_them() {
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
        assert_eq!(accept(&changes).unwrap().scope, scope, "{changes}");
    }
}
