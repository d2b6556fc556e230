use ferrite_tests::api::Api;
use std::{env, fs, process};

use ferrite_token_issuer::issuer::{AUDIENCE, ISSUER, Issuer, unix_now};
use ferrite_token_issuer::signing_key::unsigned;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::unique;

/// Every route that is not for everyone, with whether it is for admins.
const GUARDED: [(&str, &str, bool); 9] = [
    ("POST", "/products", true),
    ("PATCH", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5", true),
    ("DELETE", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5", true),
    ("POST", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5/images", true),
    ("POST", "/orders", false),
    ("GET", "/orders", false),
    ("GET", "/orders/ord_0192f0c1a2b37c4d8e5f60718293a4b5", false),
    ("POST", "/orders/ord_0192f0c1a2b37c4d8e5f60718293a4b5/cancel", false),
    ("PUT", "/me", false),
];

#[test]
fn a_guarded_route_needs_a_token() {
    let api = Api::under_test();
    for (method, path, _) in GUARDED {
        let answer = api.call(method, path).send();
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthorized"), "{method} {path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[test]
fn an_admins_route_needs_the_scope() {
    let api = Api::under_test();
    for (method, path, _) in GUARDED.into_iter().filter(|(.., admin)| *admin) {
        let answer = api.customer("ada", method, path).json(&json!({})).send();
        assert_eq!((answer.status, answer.problem().as_str()), (403, "missing-scope"), "{method} {path}");
    }
}

#[test]
fn a_token_that_is_not_good_is_no_token() {
    let api = Api::under_test();
    let now = unix_now();
    let good = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": unique("ada"), "exp": now + 300, "nbf": now - 5, "iat": now});
    let status = |token: &str| api.call("GET", "/orders").token(token).send().status;
    let changed = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        status(&api.issuer().sign(&claims))
    };
    assert_eq!(status(&api.issuer().sign(&good)), 200);
    assert_eq!(changed("exp", json!(now - 300)), 401, "expired");
    assert_eq!(changed("nbf", json!(now + 300)), 401, "not yet valid");
    assert_eq!(changed("iss", json!("https://elsewhere.test")), 401, "another issuer's");
    assert_eq!(changed("aud", json!("elsewhere")), 401, "for another audience");
    assert_eq!(changed("sub", json!("")), 401, "nobody's");

    let token = api.issuer().sign(&good);
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(status(&format!("{signed}.AAAA")), 401, "not signed by the issuer");
    assert_eq!(status("garbage"), 401);
    let basic = api.call("GET", "/orders").header("authorization", "Basic YTpi").send();
    assert_eq!((basic.status, basic.problem().as_str()), (401, "unauthorized"));
}

#[test]
fn a_forged_token_is_no_token() {
    let api = Api::under_test();
    let folder = env::temp_dir().join(format!("ferrite-forger-{}", process::id()));
    let (issuer, forger) = (api.issuer(), Issuer::open(&folder).unwrap());
    fs::remove_dir_all(&folder).unwrap();
    let (kid, now) = (&issuer.jwk()["kid"], unix_now());
    let claims =
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": unique("mallory"), "scope": "products:write", "exp": now + 300});
    let long = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "mallory", "exp": now + 300, "padding": "x".repeat(6_200)});
    let by = |signer: &Issuer, header: Value| signer.sign_with_header(&header, &claims);

    let hs256 = unsigned(&json!({"alg": "HS256", "kid": kid}), &claims);
    let public_key = EncodingKey::from_secret(issuer.jwk().to_string().as_bytes());
    let tag = jsonwebtoken::crypto::sign(hs256.as_bytes(), &public_key, Algorithm::HS256).unwrap();
    for (forged, how) in [
        (format!("{}.", unsigned(&json!({"alg": "none", "kid": kid}), &claims)), "alg none"),
        (format!("{hs256}.{tag}"), "signed with the public key"),
        (by(&forger, json!({"alg": "ES256", "kid": kid})), "another key's signature"),
        (by(&forger, json!({"alg": "ES256", "kid": "forged"})), "an unknown key"),
        (by(issuer, json!({"alg": "ES256", "kid": "../../etc/passwd"})), "a path for a key"),
        (by(issuer, json!({"alg": "ES256", "kid": "https://elsewhere.test/keys"})), "a URL for a key"),
        (by(&forger, json!({"alg": "ES256", "kid": kid, "jwk": forger.jwk()})), "its own key"),
        (by(&forger, json!({"alg": "ES256", "kid": kid, "jku": "https://elsewhere.test/keys"})), "its own key's address"),
        (by(issuer, json!({"alg": "ES256", "kid": kid, "crit": ["exp"]})), "a critical extension"),
        (issuer.sign(&long), "too long"),
    ] {
        let answer = api.call("GET", "/orders").token(&forged).send();
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthorized"), "{how}");
        assert!(
            !answer.text().contains("key") && !answer.text().contains("signature"),
            "{how} tells nothing: {}",
            answer.text()
        );
    }
    assert_eq!(api.call("GET", "/orders").token(&by(issuer, json!({"alg": "ES256", "kid": kid}))).send().status, 200);
}
