//! What stands around every answer: which pages may read it, what browsers must not do with it, and how often it may be asked
//! for, and with how much.

use ferrite_tests::api::{Answer, Api};
use ferrite_tests::aws::Aws;
use ferrite_tests::poll::until;
use serde_json::json;

use crate::logs::lines_with;
use crate::unique;

/// The origins that samconfig.toml gives the local stack, the first of them first.
const ORIGINS: [&str; 2] = ["https://shop.ferrite.example", "http://localhost:5173"];

/// Origins that are not among them, however much they look like it.
const OTHERS: [&str; 9] = [
    "https://shop.ferrite.example.evil.test",
    "https://evil.test?https://shop.ferrite.example",
    "https://evilshop.ferrite.example",
    "https://ferrite.example",
    "https://shop.ferrite.example:8443",
    "https://shop.ferrite.example/",
    "http://shop.ferrite.example",
    "https://shop.ferrite.example,http://localhost:5173",
    "null",
];

const ALLOWED: &str = "access-control-allow-origin";

/// What a function answers, and what API Gateway answers by itself.
const ANSWERED: [(&str, u16, bool); 4] =
    [("/products", 200, true), ("/products/nonsense", 404, true), ("/orders", 401, false), ("/nowhere", 404, false)];

#[test]
fn a_page_of_a_configured_origin_may_read_answers_and_no_other() {
    let api = Api::under_test();
    for (path, status, by_function) in ANSWERED {
        let ask = |origin: &str| {
            let answer = api.call("GET", path).header("origin", origin).send();
            assert_eq!(answer.status, status, "{path}");
            answer
        };
        for origin in ORIGINS {
            // API Gateway's own answers cannot depend on the request.
            let expected = if by_function { origin } else { ORIGINS[0] };
            assert_eq!(ask(origin).header(ALLOWED), expected, "{path}");
        }
        for origin in OTHERS {
            let answer = ask(origin);
            let expected = if by_function { "" } else { ORIGINS[0] };
            assert_eq!(answer.header(ALLOWED), expected, "{path} for {origin}");
        }
        if by_function {
            let unasked = api.call("GET", path).send();
            assert_eq!((unasked.header(ALLOWED), unasked.header("vary")), ("", "Origin"), "{path}");
            assert!(ask(ORIGINS[0]).header("access-control-expose-headers").contains("ETag"), "{path}");
        }
        assert_eq!(ask(ORIGINS[0]).header("access-control-allow-credentials"), "", "{path}");
    }
}

#[test]
fn a_browser_is_told_before_it_asks_and_without_a_token() {
    let api = Api::under_test();
    let ask = |path: &str, origin: &str| {
        let call = api.call("OPTIONS", path).header("origin", origin).header("access-control-request-method", "POST");
        let answer = call.header("access-control-request-headers", "authorization,idempotency-key").send();
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
        answer
    };
    let order = "/orders/ord_0192f0c1a2b37c4d8e5f60718293a4b5";
    for (path, methods) in [
        ("/orders", "GET, HEAD, POST"),
        (order, "GET, HEAD"),
        (&format!("{order}/cancel"), "POST"),
        ("/me", "PUT"),
        ("/products", "GET, HEAD, POST"),
    ] {
        let answer = ask(path, ORIGINS[1]);
        assert_eq!((answer.header(ALLOWED), answer.header("vary")), (ORIGINS[1], "Origin"), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), methods, "{path}");
        assert!(answer.header("access-control-allow-headers").contains("Idempotency-Key"), "{path}");
        assert_ne!(answer.header("access-control-max-age"), "");
    }
    for origin in OTHERS {
        assert_eq!(ask("/orders", origin).header(ALLOWED), "", "{origin}");
    }
    assert_eq!(api.call("OPTIONS", "/nowhere").header("origin", ORIGINS[0]).send().problem(), "no-such-route");
}

#[test]
fn a_browser_may_neither_guess_nor_frame_nor_keep_an_answer() {
    let api = Api::under_test();
    let told = |answer: &Answer| {
        let names = ["strict-transport-security", "x-content-type-options", "referrer-policy", "cache-control"];
        names.map(|name| answer.header(name).to_owned())
    };
    let expected = ["max-age=63072000; includeSubDomains", "nosniff", "no-referrer", "no-store"];
    for (path, status, by_function) in ANSWERED {
        let answer = api.call("GET", path).send();
        assert_eq!((answer.status, told(&answer)), (status, expected.map(str::to_owned)), "{path}");
        let policy = if by_function { "default-src 'none'; frame-ancestors 'none'" } else { "sandbox" };
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        assert_eq!(answer.header("x-powered-by"), "", "{path}");
    }
    let product = api.call("GET", &format!("/products/{}", api.create_product(1))).send();
    assert_eq!(product.header("cache-control"), "no-cache", "it has an entity tag to ask again with");
}

#[test]
fn a_client_that_asks_too_often_is_told_so() {
    let (api, aws) = (Api::under_test(), Aws::under_test());
    let ask = || api.call("OPTIONS", "/me").header("origin", ORIGINS[0]).send();
    assert_eq!(ask().status, 204);
    let limited = aws.stop_route(api.output("ApiId"), api.output("StageName"), "/me", "OPTIONS");
    let answer = ask();
    drop(limited);
    assert_eq!((answer.status, answer.problem().as_str()), (429, "throttled"));
    assert_eq!(answer.header(ALLOWED), ORIGINS[0]);
    assert_eq!(ask().status, 204);
}

#[test]
fn a_large_body_is_refused_before_a_function_is_woken() {
    let api = Api::under_test();
    let create = |bytes: usize| {
        let id = unique("body");
        let call = api.admin("POST", "/products").header("content-type", "application/json");
        let body = format!("\"{}\"", "x".repeat(bytes - 2));
        (call.header("x-correlation-id", &id).body(body).send(), id)
    };
    let (refused, unseen) = create(64 * 1024 + 1);
    // AWS WAF can say no other type of a JSON document.
    assert_eq!((refused.status, refused.header("content-type")), (413, "application/json"));
    assert_eq!(refused.header(ALLOWED), ORIGINS[0]);
    let problem = json!({"type": "urn:ferrite:problem:body-too-large", "title": "The body is too large", "status": 413});
    assert_eq!(refused.json(), problem);

    let (read, seen) = create(64 * 1024);
    assert_eq!((read.status, read.problem().as_str()), (422, "validation"));
    until("the function's line", || lines_with(&seen).into_iter().find(|(name, _)| name.ends_with("-create-product")));
    assert_eq!(lines_with(&unseen), []);
}
