//! CORS response headers (Fetch Standard, "CORS protocol"). A page can read a response only if its origin exactly
//! matches one of the allowed origins of the stack.
//!
//! If no origin is allowed, responses have no CORS headers, and browsers block pages of other origins.
//! `Access-Control-Allow-Credentials` is never sent, because the API uses tokens in headers and no cookies.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, VARY};
use http::{HeaderMap, HeaderValue};

/// The response headers that pages can read in addition to the safelisted ones ("CORS-safelisted response-header
/// name").
///
/// REST APIs on AWS rename `WWW-Authenticate` of functions' responses to `x-amzn-Remapped-WWW-Authenticate` ("Amazon API
/// Gateway important notes").
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Location, Retry-After, WWW-Authenticate, X-Amzn-Remapped-WWW-Authenticate, X-Correlation-Id",
);

/// Adds the CORS headers to a response. `allowed` is a comma-separated list of origins.
pub(super) fn add_headers(headers: &mut HeaderMap, origin: Option<HeaderValue>, allowed: &str) {
    if allowed.is_empty() {
        return;
    }
    // Also added without an `Origin` header, so that a cache does not return this response to a page of another origin.
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

    const ALLOWED: &str = "https://app.example,http://localhost:5173";

    fn response_headers(origin: Option<&'static str>, allowed: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        add_headers(&mut headers, origin.map(HeaderValue::from_static), allowed);
        headers
    }

    #[test]
    fn allows_only_exact_origins() {
        for origin in ["https://app.example", "http://localhost:5173"] {
            let headers = response_headers(Some(origin), ALLOWED);
            assert_eq!(
                (&headers[ACCESS_CONTROL_ALLOW_ORIGIN], &headers[VARY]),
                (&origin.parse().unwrap(), &"Origin".parse().unwrap())
            );
            for exposed in ["ETag", "WWW-Authenticate"] {
                assert!(headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().contains(exposed), "{exposed}");
            }
        }
        for origin in [
            "https://app.example.evil.test",
            "https://evil.test/https://app.example",
            "https://evilapp.example",
            "https://app.exampl",
            "https://app.example:8443",
            "https://app.example/",
            "https://APP.example",
            "http://app.example",
            "https://app.example,http://localhost:5173",
            "null",
            "*",
            "",
        ] {
            let headers = response_headers(Some(origin), ALLOWED);
            assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
            assert_eq!(headers[VARY], "Origin", "{origin}");
        }
        assert_eq!(response_headers(None, ALLOWED).len(), 1, "should add only the `Vary` header");
    }

    #[test]
    fn adds_no_headers_without_allowed_origins() {
        for origin in [None, Some("https://app.example"), Some("null"), Some("")] {
            assert!(response_headers(origin, "").is_empty());
        }
    }
}
