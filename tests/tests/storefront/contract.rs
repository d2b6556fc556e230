//! The API describes itself: to programs, and to people.

use ferrite_tests::api::Api;

#[test]
fn the_document_is_served_to_anyone_and_once_to_who_holds_it() {
    let api = Api::under_test();
    let committed = include_str!("../../../shared/api/openapi.json");
    for (path, content_type) in [("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")] {
        let answer = api.call("GET", path).send();
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{path}");
        assert_eq!(answer.text() == committed, path == "/openapi.json", "{path}");
        let tag = answer.header("etag");
        assert_eq!(api.call("GET", path).header("If-None-Match", tag).send().status, 304, "{path}");
        let head = api.call("HEAD", path).send();
        assert_eq!((head.status, head.header("etag"), head.body.len()), (200, tag, 0), "{path}");
    }
    let policy = api.call("GET", "/docs").send();
    assert!(policy.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
}
