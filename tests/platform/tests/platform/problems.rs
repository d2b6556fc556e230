//! Tests of problem documents: each rejected or failed request returns a stable problem type.

use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::unique;
use serde_json::json;

use crate::stack::{ALLOWED_ORIGINS, api, lock_echo_text_table};

/// Sends a body to a function that validates it.
fn send(api: &Api, body: &str) -> Response {
    let request = api.with_scopes("ada", &["texts:write"], "POST", "/texts");
    request.header("content-type", "application/json").body(body).send()
}

#[track_caller]
fn assert_problem(response: &Response, status: u16, kind: &str) {
    assert_eq!((response.status, response.problem_type().as_str()), (status, kind), "{}", response.text());
    assert!(response.json()["instance"].as_str().unwrap().starts_with("urn:ferrite:request:"));
}

#[test]
fn distinguishes_malformed_invalid_and_non_json_bodies() {
    let api = api();
    for (body, status, kind) in [
        ("{", 400, "malformed-request"),
        ("", 400, "malformed-request"),
        (r#"{"text": "Tea", "copies": 1, "te\u0078t": "Coffee"}"#, 400, "malformed-request"),
        (r#"{"author": {"name": "Ada", "name": "Bob"}}"#, 400, "malformed-request"),
        ("\u{feff}", 400, "malformed-request"),
        ("\u{feff}[]", 422, "validation"),
        ("[]", 422, "validation"),
        ("\"text\"", 422, "validation"),
    ] {
        assert_problem(&send(&api, body), status, kind);
    }
    let text = api.with_scopes("ada", &["texts:write"], "POST", "/texts").header("content-type", "text/plain").body("{}");
    assert_problem(&text.send(), 415, "not-json");
}

#[test]
fn returns_413_for_a_body_that_is_too_large() {
    // AWS WAF responds where it is enabled, and the function where it is not. WAF cannot set the problem content type.
    let response = send(&api(), &format!("{{\"text\": \"{}\"}}", "x".repeat(70_000)));
    assert_eq!((response.status, &response.json()["type"]), (413, &json!("urn:ferrite:problem:body-too-large")));
}

#[test]
fn reports_all_invalid_fields_at_once() {
    let api = api();
    let invalid = json!({"text": 7, "copies": 12.5, "author": {"age": 1}, "color": "red"});
    let response = send(&api, &invalid.to_string());
    assert_problem(&response, 422, "validation");
    assert_eq!(response.invalid_fields(), ["author.age", "author.name", "color", "copies", "text"]);
    assert_eq!(send(&api, "{}").invalid_fields(), ["author", "copies", "text"]);
}

#[test]
fn rejects_invalid_query_parameters() {
    let api = api();
    for query in ["outcome=other", "outcome=success&outcome=success"] {
        let response = api.request("GET", &format!("/requests?{query}")).send();
        assert_problem(&response, 400, "malformed-request");
        assert_eq!(response.invalid_fields(), ["outcome"], "{query}");
    }
}

#[test]
fn requires_a_token_and_the_scope() {
    let api = api();
    let without_token = api.request("POST", "/texts").send();
    assert_problem(&without_token, 401, "unauthorized");
    assert_eq!(without_token.header("www-authenticate"), "Bearer");
    let user = unique("ada");
    assert_eq!(api.as_user(&user, "GET", "/caller").send().json(), json!({"user": user}));
    let without_scope = api.as_user(&user, "POST", "/texts").json(&json!({})).send();
    assert_problem(&without_scope, 403, "missing-scope");
    // A REST API on AWS renames this header of a function's response.
    let challenges = ["www-authenticate", "x-amzn-remapped-www-authenticate"].map(|name| without_scope.header(name));
    assert!(challenges.contains(&r#"Bearer error="insufficient_scope", scope="texts:write""#), "{challenges:?}");
}

#[test]
fn hides_the_causes_of_errors() {
    let api = api();
    for (outcome, status, kind) in
        [("internal", 500, "internal"), ("unavailable", 503, "unavailable"), ("panic", 500, "internal")]
    {
        let response = api.request("GET", &format!("/requests?outcome={outcome}")).send();
        assert_problem(&response, status, kind);
        assert!(!response.text().contains("secret"), "{}", response.text());
        assert_eq!(response.header("retry-after"), if status == 503 { "1" } else { "" });
        assert_eq!(api.request("GET", "/requests").send().status, 200, "the next request after {outcome}");
    }
}

#[test]
fn supports_conditional_requests() {
    let api = api();
    let first = api.request("GET", "/requests/first").send();
    let tag = first.header("etag");
    assert_eq!((first.status, tag), (200, "\"1\""));
    let unchanged = api.request("GET", "/requests/first").header("If-None-Match", tag).send();
    assert_eq!((unchanged.status, unchanged.header("etag"), unchanged.body.len()), (304, tag, 0));
    let head = api.request("HEAD", "/requests/first").send();
    assert_eq!((head.status, head.header("etag"), head.body.len()), (200, tag, 0));
}

#[test]
fn replays_the_response_of_an_idempotency_key() {
    let _table = lock_echo_text_table();
    let api = api();
    let user = unique("ada");
    let send = |user: &str, text: &str| {
        let body = json!({"text": text, "copies": 2, "author": {"name": "Ada"}});
        let request = api.with_scopes(user, &["texts:write"], "POST", "/texts").header("Idempotency-Key", "key");
        request.json(&body).send()
    };
    let first = send(&user, "tea");
    assert_eq!((first.status, first.header("location")), (201, "texts/latest"));
    assert_eq!(first.json(), json!({"text": "teatea", "author": "Ada", "user": user}));
    let repeated = send(&user, "tea");
    assert_eq!((repeated.status, &repeated.body, repeated.header("location")), (201, &first.body, "texts/latest"));
    assert_problem(&send(&user, "coffee"), 422, "idempotency-key-reused");
    assert_eq!(send(&unique("bob"), "coffee").status, 201, "the same key of another user");
}

#[test]
fn returns_404_for_unknown_ids_routes_and_methods() {
    let api = api();
    assert_problem(&api.request("GET", "/requests/nonsense").send(), 404, "not-found");
    assert_problem(&api.request("GET", "/nowhere").send(), 404, "no-such-route");
    assert_problem(&api.request("DELETE", "/requests").send(), 404, "no-such-route");
}

/// API Gateway reads the `Authorization` header of a request for an unknown route as an AWS signature, and returns 403
/// by default.
#[test]
fn returns_the_same_404_for_an_unknown_route_with_a_token() {
    let api = api();
    let bearer = format!("Bearer {}", api.token("ada", &[]));
    let signature = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261129/us-east-1/execute-api/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=00";
    let without_instance = |response: &Response| {
        let mut problem = response.json();
        problem["instance"].take();
        problem
    };
    for (method, path) in [("GET", "/nowhere"), ("DELETE", "/requests"), ("PUT", "/requests/nonsense/lines")] {
        let expected = api.request(method, path).header("origin", ALLOWED_ORIGINS[1]).send();
        for authorization in [&bearer, "Bearer nonsense", "Basic YTpi", "nonsense"] {
            let request = api.request(method, path).header("origin", ALLOWED_ORIGINS[1]);
            let response = request.header("authorization", authorization).send();
            let context = format!("{method} {path} with {authorization}");
            assert_problem(&response, 404, "no-such-route");
            for header in ["content-type", "cache-control", "access-control-allow-origin", "vary"] {
                assert_eq!(response.header(header), expected.header(header), "{header}: {context}");
            }
            assert_eq!(without_instance(&response), without_instance(&expected), "{context}");
        }
        let request = api.request(method, path).header("authorization", signature).header("x-amz-date", "20261129T000000Z");
        assert_problem(&request.send(), 404, "no-such-route");
    }
}
