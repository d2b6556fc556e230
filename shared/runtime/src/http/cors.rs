//! Answers to pages of other origins (Fetch Standard, "CORS protocol"): a page may read an answer when the stack names its
//! origin, to the letter.
//!
//! Where the stack names none, no answer says anything about origins, and browsers keep all of them from other origins' pages.
//! `Access-Control-Allow-Credentials` is never there: a client sends its token itself, and there are no cookies.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, VARY};
use http::{HeaderMap, HeaderValue};

/// What a page may read besides the headers that it always may ("CORS-safelisted response-header name").
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, Location, Retry-After, X-Correlation-Id");

/// Lets the page at `origin` read the answer with `headers`, where `allowed` names that origin. `allowed` is a list with
/// commas.
pub(super) fn answer(headers: &mut HeaderMap, origin: Option<HeaderValue>, allowed: &str) {
    if allowed.is_empty() {
        return;
    }
    // Also where there is no origin: a cache must not give this answer to a page that has one.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let is_allowed = |origin: &HeaderValue| allowed.split(',').any(|allowed| allowed.as_bytes() == origin.as_bytes());
    if let Some(origin) = origin.filter(is_allowed) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &str = "https://shop.example,http://localhost:5173";

    fn answered(origin: Option<&'static str>, allowed: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        answer(&mut headers, origin.map(HeaderValue::from_static), allowed);
        headers
    }

    #[test]
    fn an_origin_is_allowed_to_the_letter() {
        for origin in ["https://shop.example", "http://localhost:5173"] {
            let headers = answered(Some(origin), ALLOWED);
            assert_eq!(
                (&headers[ACCESS_CONTROL_ALLOW_ORIGIN], &headers[VARY]),
                (&origin.parse().unwrap(), &"Origin".parse().unwrap())
            );
            assert!(headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().contains("ETag"));
        }
        for origin in [
            "https://shop.example.evil.test",
            "https://evil.test/https://shop.example",
            "https://evilshop.example",
            "https://shop.exampl",
            "https://shop.example:8443",
            "https://shop.example/",
            "https://SHOP.example",
            "http://shop.example",
            "https://shop.example,http://localhost:5173",
            "null",
            "*",
            "",
        ] {
            let headers = answered(Some(origin), ALLOWED);
            assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
            assert_eq!(headers[VARY], "Origin", "{origin}");
        }
        assert_eq!(answered(None, ALLOWED).len(), 1, "only Vary");
    }

    #[test]
    fn a_stack_without_origins_says_nothing_of_them() {
        for origin in [None, Some("https://shop.example"), Some("null"), Some("")] {
            assert!(answered(origin, "").is_empty());
        }
    }
}
