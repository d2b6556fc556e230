//! Tests of the OpenAPI document and of the HTML documentation that the API serves.

use ferrite_test_harness::api::Api;
use ferrite_tests::storefront::Storefront;

#[test]
fn serves_the_document_without_a_token_and_supports_conditional_requests() {
    let api = Api::storefront();
    let committed = include_str!("../../../shared/api/openapi.json");
    for (path, content_type) in [("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")] {
        let response = api.request("GET", path).send();
        assert_eq!((response.status, response.header("content-type")), (200, content_type), "{path}");
        assert_eq!(response.text() == committed, path == "/openapi.json", "{path}");
        let tag = response.header("etag");
        assert_eq!(api.request("GET", path).header("If-None-Match", tag).send().status, 304, "{path}");
        let head = api.request("HEAD", path).send();
        assert_eq!((head.status, head.header("etag"), head.body.len()), (200, tag, 0), "{path}");
    }
    let page = api.request("GET", "/docs").send();
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
}
