//! Default security headers of all responses. A handler can override them.
//!
//! No header names the software or its version. API Gateway adds `x-amzn-RequestId`, `x-amz-apigw-id` and
//! `X-Amzn-Trace-Id` to all responses, and `x-amzn-ErrorType` to the responses that it generates itself. These headers
//! cannot be removed.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The default headers. The gateway responses in template.yaml have the same headers.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    // Most responses are specific to a caller or change soon. A handler with a cacheable response sets its own value.
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // A response is not a page, so its content must not run scripts, load resources or be framed.
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // Two years, as recommended for the HSTS preload list.
    (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Adds the default headers that `headers` does not contain.
pub(super) fn add_defaults(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        if headers.get(&name).is_none() {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_headers_of_the_handler() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        add_defaults(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers.len(), HEADERS.len());
    }
}
