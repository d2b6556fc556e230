use ferrite_tests::api::Api;
use ferrite_tests::issuer::{AUDIENCE, ISSUER, unix_now};
use serde_json::{Value, json};

use crate::unique;

/// Every route that is not for everyone, with whether it is for admins.
const GUARDED: [(&str, &str, bool); 7] = [
    ("POST", "/products", true),
    ("PATCH", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5", true),
    ("DELETE", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5", true),
    ("POST", "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5/images", true),
    ("POST", "/orders", false),
    ("GET", "/orders", false),
    ("GET", "/orders/ord_0192f0c1a2b37c4d8e5f60718293a4b5", false),
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
        status(&api.issuer().sign(&claims).unwrap())
    };
    assert_eq!(status(&api.issuer().sign(&good).unwrap()), 200);
    assert_eq!(changed("exp", json!(now - 300)), 401, "expired");
    assert_eq!(changed("nbf", json!(now + 300)), 401, "not yet valid");
    assert_eq!(changed("iss", json!("https://elsewhere.test")), 401, "another issuer's");
    assert_eq!(changed("aud", json!("elsewhere")), 401, "for another audience");
    assert_eq!(changed("sub", json!("")), 401, "nobody's");

    let token = api.issuer().sign(&good).unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(status(&format!("{signed}.AAAA")), 401, "not signed by the issuer");
    assert_eq!(status("garbage"), 401);
    let basic = api.call("GET", "/orders").header("authorization", "Basic YTpi").send();
    assert_eq!((basic.status, basic.problem().as_str()), (401, "unauthorized"));
}
