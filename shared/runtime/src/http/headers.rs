//! The headers of every answer, unless its handler has its own: what a browser must not do with one, whatever led it here.
//!
//! None of them names a program or a version. API Gateway adds `x-amzn-RequestId`, `x-amz-apigw-id` and `X-Amzn-Trace-Id`,
//! and `x-amzn-ErrorType` to what it answers by itself; none of those can be left out.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The gateway responses of template.yaml have the same.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    // Most responses are about one caller or change soon. A handler whose response may be cached sets its own value.
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // An answer is no page, so nothing in it may run, load or be framed.
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // Two years, which is what browsers ask for of whoever is to be on their preload list.
    (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Adds those that are not there.
pub(super) fn complete(headers: &mut HeaderMap) {
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
    fn a_handlers_own_header_wins() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        complete(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers.len(), HEADERS.len());
    }
}
