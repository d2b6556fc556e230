//! Tests of the policies that apply to every HTTP request: CORS, security headers, throttling and the maximum body
//! size.

use ferrite_test_harness::api::Response;
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::function_log::{lines_of, lines_with};
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::unique;
use serde_json::json;

use crate::stack::{ALLOWED_ORIGINS, api};

/// Origins that resemble the allowed ones.
const OTHER_ORIGINS: [&str; 9] = [
    "https://app.example.evil.test",
    "https://evil.test?https://app.example",
    "https://evilapp.example",
    "https://example",
    "https://app.example:8443",
    "https://app.example/",
    "http://app.example",
    "https://app.example,http://localhost:5173",
    "null",
];

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

/// Paths with the status that GET returns, and whether a function responds (`true`) or API Gateway itself (`false`).
const PATHS: [(&str, u16, bool); 4] =
    [("/requests", 200, true), ("/requests/nonsense", 404, true), ("/caller", 401, false), ("/nowhere", 404, false)];

#[test]
fn allows_only_configured_origins_to_read_responses() {
    let api = api();
    for (path, status, by_function) in PATHS {
        let get = |origin: &str| {
            let response = api.request("GET", path).header("origin", origin).send();
            assert_eq!(response.status, status, "{path}");
            response
        };
        for origin in ALLOWED_ORIGINS {
            let response = get(origin);
            assert_eq!((response.header(ALLOW_ORIGIN), response.header("vary")), (origin, "Origin"), "{path}");
            assert_eq!(response.header("access-control-allow-credentials"), "", "{path}");
        }
        let without_origin = api.request("GET", path).send();
        assert_eq!((without_origin.header(ALLOW_ORIGIN), without_origin.header("vary")), ("", "Origin"), "{path}");
        if by_function {
            assert!(get(ALLOWED_ORIGINS[0]).header("access-control-expose-headers").contains("ETag"), "{path}");
            for origin in OTHER_ORIGINS {
                assert_eq!(get(origin).header(ALLOW_ORIGIN), "", "{path} for {origin}");
            }
        }
    }
}

/// API Gateway knows whether an origin is allowed only with the firewall.
#[test]
fn hides_responses_of_api_gateway_from_other_origins_with_the_firewall() {
    let api = api();
    for (path, status, _) in PATHS.into_iter().filter(|(.., by_function)| !by_function) {
        for origin in OTHER_ORIGINS {
            let response = api.request("GET", path).header("origin", origin).send();
            assert_eq!((response.status, response.header(ALLOW_ORIGIN)), (status, ""), "{path} for {origin}");
        }
    }
    let preflight = api.request("OPTIONS", "/texts").header("origin", ALLOWED_ORIGINS[0]).send();
    let allowed_headers = preflight.header("access-control-allow-headers").to_lowercase();
    assert!(
        !allowed_headers.contains("x-amzn-waf") && !allowed_headers.contains('*'),
        "pages could set the firewall's header"
    );
}

/// Without the firewall, pages of all origins can read these responses, so nothing in them may depend on the caller.
#[test]
fn responses_of_api_gateway_contain_no_data() {
    let api = api();
    for (path, status, kind, title) in
        [("/caller", 401, "unauthorized", "Authentication required"), ("/nowhere", 404, "no-such-route", "Route not found")]
    {
        for origin in [ALLOWED_ORIGINS[1], OTHER_ORIGINS[0]] {
            let response = api.request("GET", path).header("origin", origin).header("x-correlation-id", "secret").send();
            let mut problem = response.json();
            let instance = problem["instance"].take();
            assert!(instance.as_str().unwrap().starts_with("urn:ferrite:request:"), "{instance}");
            let constant =
                json!({"type": format!("urn:ferrite:problem:{kind}"), "title": title, "status": status, "instance": null});
            assert_eq!(problem, constant);
            assert!(!response.text().contains("secret"));
        }
    }
}

#[test]
fn responds_to_preflight_requests_without_a_token() {
    let api = api();
    let preflight = |path: &str, origin: &str| {
        let request = api.request("OPTIONS", path).header("origin", origin).header("access-control-request-method", "POST");
        let response = request.header("access-control-request-headers", "authorization,idempotency-key").send();
        assert_eq!((response.status, response.body.len()), (204, 0), "{path}");
        response
    };
    for (path, methods) in [("/requests", "GET, HEAD"), ("/requests/first", "GET, HEAD"), ("/texts", "POST")] {
        let response = preflight(path, ALLOWED_ORIGINS[1]);
        assert_eq!((response.header(ALLOW_ORIGIN), response.header("vary")), (ALLOWED_ORIGINS[1], "Origin"), "{path}");
        assert_eq!(response.header("access-control-allow-methods"), methods, "{path}");
        assert!(response.header("access-control-allow-headers").contains("Idempotency-Key"), "{path}");
        assert_ne!(response.header("access-control-max-age"), "");
    }
    for origin in OTHER_ORIGINS {
        assert_eq!(preflight("/texts", origin).header(ALLOW_ORIGIN), "", "{origin}");
    }
    assert_eq!(
        api.request("OPTIONS", "/nowhere").header("origin", ALLOWED_ORIGINS[0]).send().problem_type(),
        "no-such-route"
    );
}

#[test]
fn sends_security_and_caching_headers() {
    let api = api();
    let security_headers = |response: &Response| {
        let names = ["strict-transport-security", "x-content-type-options", "referrer-policy", "cache-control"];
        names.map(|name| response.header(name).to_owned())
    };
    let expected = ["max-age=63072000; includeSubDomains", "nosniff", "no-referrer", "no-store"];
    for (path, status, by_function) in PATHS {
        let response = api.request("GET", path).send();
        assert_eq!((response.status, security_headers(&response)), (status, expected.map(str::to_owned)), "{path}");
        let policy = if by_function { "default-src 'none'; frame-ancestors 'none'" } else { "sandbox" };
        assert_eq!(response.header("content-security-policy"), policy, "{path}");
        assert_eq!(response.header("x-powered-by"), "", "{path}");
    }
    let cacheable = api.request("GET", "/requests/first").send();
    assert_eq!(cacheable.header("cache-control"), "no-cache", "clients may cache it if they revalidate it with its ETag");
}

#[test]
fn returns_429_when_a_route_is_throttled() {
    // No other test sends OPTIONS requests to this path, because they would be throttled, too.
    let api = api();
    let aws = Aws::under_test();
    let send = |origin: &str| api.request("OPTIONS", "/caller").header("origin", origin).send();
    assert_eq!(send(ALLOWED_ORIGINS[0]).status, 204);
    let throttled = aws.throttle_route(api.output("ApiId"), api.output("StageName"), "/caller", "OPTIONS");
    let responses = [ALLOWED_ORIGINS[0], ALLOWED_ORIGINS[1], OTHER_ORIGINS[0]].map(send);
    drop(throttled);
    for (response, allowed) in responses.iter().zip([ALLOWED_ORIGINS[0], ALLOWED_ORIGINS[1], ""]) {
        assert_eq!((response.status, response.problem_type().as_str()), (429, "throttled"));
        assert_eq!(response.header(ALLOW_ORIGIN), allowed);
    }
    assert_eq!(send(ALLOWED_ORIGINS[0]).status, 204);
}

#[test]
fn rejects_a_large_body_before_invoking_a_function() {
    let api = api();
    let send = |bytes: usize| {
        let correlation_id = unique("body");
        let request = api.with_scopes("ada", &["texts:write"], "POST", "/texts").header("content-type", "application/json");
        let body = format!("\"{}\"", "x".repeat(bytes - 2));
        (request.header("x-correlation-id", &correlation_id).body(body).send(), correlation_id)
    };
    let (rejected, rejected_id) = send(64 * 1024 + 1);
    // AWS WAF supports no other content type for a JSON body.
    assert_eq!((rejected.status, rejected.header("content-type")), (413, "application/json"));
    assert_eq!(rejected.header(ALLOW_ORIGIN), ALLOWED_ORIGINS[0]);
    let problem =
        json!({"type": "urn:ferrite:problem:body-too-large", "title": "The request body is too large", "status": 413});
    assert_eq!(rejected.json(), problem);

    let (read, read_id) = send(64 * 1024);
    assert_eq!((read.status, read.problem_type().as_str()), (422, "validation"));
    wait_for("the function's log line", || lines_of(&api.function("echo-text"), &read_id).pop());
    assert_eq!(lines_with(&rejected_id), []);
}
