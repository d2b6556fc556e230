use ring::hmac;
use serde_json::{Value, json};

use super::*;
use ferrite_token_issuer::signing_key::{SigningKey, jwks, unsigned};

const NOW: u64 = 1_800_000_000;

fn rules() -> TokenRules {
    TokenRules {
        issuer: "https://issuer.example/".to_owned(),
        audiences: vec!["notes-api".to_owned()],
        audience_claim: AudienceClaim::Aud,
        permissions: Permissions::default(),
    }
}

/// Valid claims with `changes` applied. A `null` makes a claim absent.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://issuer.example/",
        "aud": "notes-api",
        "sub": "ada",
        "iat": NOW - 10,
        "exp": NOW + 300,
        "scope": "notes:write notes:read",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn verify_with(keys: &[&SigningKey], token: &str) -> Result<Identity, Rejection> {
    verify(token, &KeySet::parse(&jwks(keys)).unwrap(), &rules(), NOW)
}

/// Verifies a correctly signed token with `changes` applied to its claims.
fn verify_claims(changes: &Value) -> Result<Identity, Rejection> {
    let key = SigningKey::eddsa("a");
    verify_with(&[&key], &key.token(&claims(changes)))
}

/// Verifies a correctly signed token with `changes` applied to its claims, with an audience in another claim than `aud`.
fn verify_audience(audience_claim: AudienceClaim, changes: &Value) -> Result<Identity, Rejection> {
    let key = SigningKey::eddsa("a");
    let rules = TokenRules { audience_claim, ..rules() };
    verify(&key.token(&claims(changes)), &KeySet::parse(&jwks(&[&key])).unwrap(), &rules, NOW)
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
        assert_eq!(identity.subject, "ada");
        assert_eq!(identity.scope, "notes:write notes:read");
    }
}

#[test]
fn rejects_a_modified_token() {
    for key in [SigningKey::rs256("a"), SigningKey::es256("a"), SigningKey::eddsa("a")] {
        let token = key.token(&claims(&json!({})));
        let (_, signature) = token.rsplit_once('.').unwrap();
        let forged = unsigned(&key.header(), &claims(&json!({ "sub": "grace" })));
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
        json!({ "aud": [["notes-api"]] }),
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
    for audience in [json!(null), json!("other"), json!("notes-api "), json!([]), json!(["other", "Notes-api"])] {
        assert_eq!(claims_rejection(&json!({ "aud": audience })), Rejection::Audience);
    }
    assert!(verify_claims(&json!({ "aud": ["other", "notes-api"] })).is_ok());
}

#[test]
fn reads_the_audience_only_from_the_configured_claim() {
    for (claim, name, other) in [(AudienceClaim::ClientId, "client_id", "azp"), (AudienceClaim::Azp, "azp", "client_id")] {
        assert!(verify_audience(claim, &json!({ "aud": null, name: "notes-api" })).is_ok());
        assert!(verify_audience(claim, &json!({ name: "notes-api" })).is_ok(), "`aud` contains the audience as well");
        for changes in [
            json!({}),
            json!({ "aud": null }),
            json!({ "aud": null, other: "notes-api" }),
            json!({ "aud": null, name: "other" }),
            json!({ "aud": null, name: ["notes-api"] }),
            json!({ "aud": null, name: 7 }),
            json!({ "aud": "another API", name: "notes-api" }),
            json!({ "aud": ["another API"], name: "notes-api" }),
            json!({ "aud": [], name: "notes-api" }),
        ] {
            assert_eq!(verify_audience(claim, &changes), Err(Rejection::Audience), "{name}: {changes}");
        }
    }
    assert_eq!(claims_rejection(&json!({ "aud": null, "client_id": "notes-api" })), Rejection::Audience);
    assert_eq!(claims_rejection(&json!({ "aud": "other", "azp": "notes-api" })), Rejection::Audience);
    assert!(verify_claims(&json!({ "client_id": 7, "azp": ["other"] })).is_ok());
}

#[test]
fn accepts_each_of_several_audiences() {
    let key = SigningKey::eddsa("a");
    let rules = TokenRules { audiences: vec!["web".to_owned(), "mobile".to_owned()], ..rules() };
    for (audience, is_accepted) in
        [(json!("web"), true), (json!(["other", "mobile"]), true), (json!("notes-api"), false), (json!("web,mobile"), false)]
    {
        let token = key.token(&claims(&json!({ "aud": audience })));
        let result = verify(&token, &KeySet::parse(&jwks(&[&key])).unwrap(), &rules, NOW);
        assert_eq!(result.is_ok(), is_accepted, "{audience}");
    }
}

#[test]
fn requires_a_subject_of_visible_ascii_characters() {
    for subject in
        [json!(null), json!(""), json!("x".repeat(256)), json!("a\nb"), json!("a\u{7f}"), json!("a b"), json!("é")]
    {
        assert_eq!(claims_rejection(&json!({ "sub": subject })), Rejection::Subject);
    }
    assert!(verify_claims(&json!({ "sub": "x".repeat(255) })).is_ok());
    assert!(verify_claims(&json!({ "sub": "auth0|5f7c8ec7c33c6c004bbafe82" })).is_ok());
}

#[test]
fn only_the_configured_claim_grants_scopes() {
    let write = "notes:write";
    for changes in [
        json!({ "scope": null, "scp": [write] }),
        json!({ "scope": null, "permissions": [write] }),
        json!({ "scope": { write: true } }),
        json!({ "scope": 7 }),
        json!({ "scope": [format!("openid {write}")] }),
    ] {
        assert_eq!(verify_claims(&changes).unwrap().scope, "", "{changes}");
    }
    assert_eq!(verify_claims(&json!({ "scope": "openid", "permissions": [write] })).unwrap().scope, "openid");
}

#[test]
fn accepts_only_the_types_of_access_tokens() {
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "application/JWT"] {
        assert_eq!(header_rejection(&json!({ "typ": typ })), None, "{typ}");
    }
    for typ in ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "", "JWT "] {
        assert_eq!(header_rejection(&json!({ "typ": typ })), Some(Rejection::Type), "{typ}");
    }
    assert_eq!(header_rejection(&json!({ "typ": null })), None);
    assert_eq!(header_rejection(&json!({ "typ": ["JWT"] })), Some(Rejection::Malformed));
}

#[test]
fn accepts_both_names_of_the_ed25519_algorithm() {
    let key = SigningKey::eddsa("a");
    for jwk_alg in [json!(null), json!("EdDSA"), json!("Ed25519")] {
        for header_alg in ["EdDSA", "Ed25519"] {
            let mut jwk = key.jwk();
            jwk["alg"] = jwk_alg.clone();
            let keys = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
            let token = key.token_with(&json!({ "alg": header_alg, "kid": "a" }), &claims(&json!({})));
            assert!(verify(&token, &keys, &rules(), NOW).is_ok(), "{jwk_alg} {header_alg}");
        }
    }
    assert_eq!(header_rejection(&json!({ "alg": "Ed448" })), Some(Rejection::Algorithm));
    let rsa = SigningKey::rs256("a");
    for alg in ["Ed25519", "EdDSA"] {
        let token = rsa.token_with(&json!({ "alg": alg, "kid": "a" }), &claims(&json!({})));
        assert_eq!(verify_with(&[&rsa], &token), Err(Rejection::Algorithm));
    }
}

#[test]
fn finds_the_key_among_keys_with_the_same_id() {
    let keys = [SigningKey::rs256("a"), SigningKey::es256("a"), SigningKey::eddsa("a"), SigningKey::es256("a")];
    for key in &keys {
        assert!(verify_with(&keys.each_ref(), &key.token(&claims(&json!({})))).is_ok());
    }
    let forged = SigningKey::es256("a").token(&claims(&json!({})));
    assert_eq!(verify_with(&keys.each_ref(), &forged), Err(Rejection::Signature));
    let [rsa, ec, ..] = &keys;
    let mismatch = ec.token_with(&rsa.header(), &claims(&json!({})));
    assert_eq!(verify_with(&keys.each_ref(), &mismatch), Err(Rejection::Signature));
    assert_eq!(verify_with(&[rsa], &ec.token(&claims(&json!({})))), Err(Rejection::Algorithm));
}

#[test]
fn rejects_a_duplicate_claim() {
    let valid = claims(&json!({})).to_string();
    let with = |claim: &str| identity(valid.replacen('{', &format!("{{{claim},"), 1).as_bytes(), &rules(), NOW);
    assert!(with(r#""other": 1"#).is_ok());
    for claim in [r#""scope": "notes:read""#, r#""\u0073cope": "x""#, r#""other": {"a": 1, "a": 2}"#] {
        assert_eq!(with(claim), Err(Rejection::MalformedClaims), "{claim}");
    }
}
