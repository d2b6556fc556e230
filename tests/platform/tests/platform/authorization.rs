//! Tests of which tokens the API accepts.

use std::{env, fs, process};

use ferrite_test_harness::unique;
use ferrite_token_issuer::issuer::{AUDIENCE, ISSUER, Issuer, unix_now};
use ferrite_token_issuer::signing_key::unsigned;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::stack::api;

/// The stack has the default permissions claim, `scope`.
#[test]
fn only_the_permissions_claim_grants_scopes() {
    let api = api();
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": unique("ada"), "exp": unix_now() + 300, "scope": "openid",
        "scp": ["texts:write"], "permissions": ["texts:write"], "roles": ["texts:write"],
    });
    let create = |claims: &Value| api.request("POST", "/texts").token(&api.issuer().sign(claims)).json(&json!({})).send();
    assert_eq!(create(&claims).status, 403);
    let mut administrator = claims.clone();
    administrator["scope"] = json!("openid texts:write");
    assert_eq!(create(&administrator).status, 422);
}

#[test]
fn rejects_invalid_tokens() {
    let api = api();
    let now = unix_now();
    let valid = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": unique("ada"), "exp": now + 300, "nbf": now - 5, "iat": now});
    let status = |token: &str| api.request("GET", "/caller").token(token).send().status;
    let status_with = |claim: &str, value: Value| {
        let mut claims = valid.clone();
        claims[claim] = value;
        status(&api.issuer().sign(&claims))
    };
    assert_eq!(status(&api.issuer().sign(&valid)), 200);
    assert_eq!(status_with("exp", json!(now - 300)), 401, "expired");
    assert_eq!(status_with("nbf", json!(now + 300)), 401, "not yet valid");
    assert_eq!(status_with("iss", json!("https://elsewhere.test")), 401, "issued by another issuer");
    assert_eq!(status_with("aud", json!("elsewhere")), 401, "issued for another audience");
    assert_eq!(status_with("sub", json!("")), 401, "no subject");

    let token = api.issuer().sign(&valid);
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(status(&format!("{signed}.AAAA")), 401, "invalid signature");
    assert_eq!(status("garbage"), 401, "not a JWT");
    let basic = api.request("GET", "/caller").header("authorization", "Basic YTpi").send();
    assert_eq!((basic.status, basic.problem_type().as_str()), (401, "unauthorized"));
}

#[test]
fn rejects_forged_tokens() {
    let api = api();
    let folder = env::temp_dir().join(format!("ferrite-forger-{}", process::id()));
    let issuer = api.issuer();
    let forger = Issuer::open(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let kid = &issuer.jwk()["kid"];
    let now = unix_now();
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": unique("mallory"), "scope": "texts:write", "exp": now + 300});
    let oversized =
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "mallory", "exp": now + 300, "padding": "x".repeat(6_200)});
    let signed_by = |signer: &Issuer, header: Value| signer.sign_with_header(&header, &claims);

    let hs256 = unsigned(&json!({"alg": "HS256", "kid": kid}), &claims);
    let public_key = EncodingKey::from_secret(issuer.jwk().to_string().as_bytes());
    let tag = jsonwebtoken::crypto::sign(hs256.as_bytes(), &public_key, Algorithm::HS256).unwrap();
    for (forged, description) in [
        (format!("{}.", unsigned(&json!({"alg": "none", "kid": kid}), &claims)), "alg none"),
        (format!("{hs256}.{tag}"), "HMAC with the public key as the secret"),
        (signed_by(&forger, json!({"alg": "ES256", "kid": kid})), "signed with another key"),
        (signed_by(&forger, json!({"alg": "ES256", "kid": "forged"})), "unknown key id"),
        (signed_by(issuer, json!({"alg": "ES256", "kid": "../../etc/passwd"})), "path as key id"),
        (signed_by(issuer, json!({"alg": "ES256", "kid": "https://elsewhere.test/keys"})), "URL as key id"),
        (signed_by(&forger, json!({"alg": "ES256", "kid": kid, "jwk": forger.jwk()})), "embedded key"),
        (
            signed_by(&forger, json!({"alg": "ES256", "kid": kid, "jku": "https://elsewhere.test/keys"})),
            "URL of another key set",
        ),
        (signed_by(issuer, json!({"alg": "ES256", "kid": kid, "crit": ["exp"]})), "unsupported critical header"),
        (issuer.sign(&oversized), "oversized"),
    ] {
        let response = api.request("GET", "/caller").token(&forged).send();
        assert_eq!((response.status, response.problem_type().as_str()), (401, "unauthorized"), "{description}");
        assert!(
            !response.text().contains("key") && !response.text().contains("signature"),
            "{description}: the response reveals why: {}",
            response.text()
        );
    }
    assert_eq!(
        api.request("GET", "/caller").token(&signed_by(issuer, json!({"alg": "ES256", "kid": kid}))).send().status,
        200
    );
}
