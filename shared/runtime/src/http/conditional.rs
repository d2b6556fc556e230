//! Conditional requests (RFC 9110, section 13). A client with a current representation gets a response without a body,
//! and a client with an outdated representation cannot change the resource.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, json, not_modified};
//! use http::StatusCode;
//!
//! fn get_note(request: &Request) -> Result<Response, Problem> {
//!     not_modified(request, "\"7\"")?.map_or_else(|| json(StatusCode::OK, &"a note"), Ok)
//! }
//! # let request = http::Request::builder().header("if-none-match", "W/\"7\"").body("".into()).unwrap();
//! # assert_eq!(get_note(&request).unwrap().status(), StatusCode::NOT_MODIFIED);
//! ```

use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderValue, StatusCode};

use super::{Problem, Request, Response, header, header_list, no_content};

/// Adds an `ETag` header to `response`, and `Cache-Control: no-cache`, which requires clients to revalidate cached
/// responses.
///
/// # Errors
/// Returns a 500 problem if `tag` is not a valid header value.
pub fn with_etag(mut response: Response, tag: &str) -> Result<Response, Problem> {
    response.headers_mut().insert(ETAG, HeaderValue::try_from(tag).map_err(Problem::internal)?);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Returns a 304 response if `If-None-Match` contains the entity tag `tag`, strong or weak (section 13.1.2). Returns
/// `None` if the client needs the full representation.
///
/// # Errors
/// Returns a 400 problem if the header is malformed.
pub fn not_modified(request: &Request, tag: &str) -> Result<Option<Response>, Problem> {
    let tags = header_list(request, "if-none-match")?;
    let matches = |candidate: &str| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag;
    if !tags.split(',').map(str::trim).any(matches) {
        return Ok(None);
    }
    let mut response = no_content();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    with_etag(response, tag).map(Some)
}

/// Returns the entity tag that the resource must have, from the `If-Match` header (section 13.1.1). Returns `None` if
/// the header is absent or `*`.
///
/// # Errors
/// Returns a 400 problem if the header is malformed or contains more than one entity tag.
pub fn if_match(request: &Request) -> Result<Option<&str>, Problem> {
    match header(request, "if-match")?.map(str::trim) {
        None | Some("*") => Ok(None),
        Some(list) if list.contains(',') => {
            Err(Problem::malformed("A header is not valid.").field("if-match", "must contain a single entity tag"))
        }
        tag => Ok(tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, value: &str) -> Request {
        http::Request::builder().header(name, value).body("".into()).unwrap()
    }

    #[test]
    fn returns_304_if_the_client_has_the_current_tag() {
        for tags in ["\"3\"", "W/\"3\"", "\"x\", \"3\"", "*"] {
            let response = not_modified(&request("If-None-Match", tags), "\"3\"").unwrap().unwrap();
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tags}");
            assert_eq!(response.headers()[ETAG], "\"3\"");
        }
        for tags in ["", "3", "\"33\""] {
            assert!(not_modified(&request("If-None-Match", tags), "\"3\"").unwrap().is_none(), "{tags}");
        }
    }

    #[test]
    fn accepts_a_single_tag_or_a_wildcard_in_if_match() {
        let tag = |value| if_match(&request("If-Match", value)).map(|tag| tag.map(ToOwned::to_owned));
        assert_eq!(tag("\"3\"").unwrap().as_deref(), Some("\"3\""));
        assert_eq!(tag("*").unwrap(), None);
        assert_eq!(tag("\"3\", \"4\"").unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
