//! Tests that the API requires a token.

use super::api;

#[test]
fn every_route_without_a_token_returns_401() {
    let api = api();
    for (method, path) in [("POST", "/notes"), ("GET", "/notes/note_0192f0c1a2b37c4d8e5f60718293a4b5")] {
        assert_eq!(api.request(method, path).send().status, 401, "{method} {path}");
    }
}
