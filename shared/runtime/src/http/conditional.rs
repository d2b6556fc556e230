//! Conditional requests (RFC 9110, section 13): a client that holds the representation gets no body, and one that has
//! read another changes nothing.
//!
//! ```
//! use ferrite_runtime::http::{Problem, Request, Response, json, not_modified};
//! use http::StatusCode;
//!
//! fn show(request: &Request) -> Result<Response, Problem> {
//!     not_modified(request, "\"7\"")?.map_or_else(|| json(StatusCode::OK, &"tea"), Ok)
//! }
//! # let held = http::Request::builder().header("if-none-match", "W/\"7\"").body("".into()).unwrap();
//! # assert_eq!(show(&held).unwrap().status(), StatusCode::NOT_MODIFIED);
//! ```

use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderValue, StatusCode};

use super::{Problem, Request, Response, header, header_list, no_content};

/// Puts the entity tag on `response`, and tells clients to ask before they show what they kept.
///
/// # Errors
/// It is no entity tag, which is a mistake in this program.
pub fn tagged(mut response: Response, tag: &str) -> Result<Response, Problem> {
    response.headers_mut().insert(ETAG, HeaderValue::try_from(tag).map_err(Problem::internal)?);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// 304 where `If-None-Match` names the entity tag `tag`, strong or weak (section 13.1.2); `None` where the client is to
/// have the whole representation.
///
/// # Errors
/// 400: the header cannot be read.
pub fn not_modified(request: &Request, tag: &str) -> Result<Option<Response>, Problem> {
    let held = header_list(request, "if-none-match")?;
    let is_held = |held: &str| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag;
    if !held.split(',').map(str::trim).any(is_held) {
        return Ok(None);
    }
    let mut response = no_content();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    tagged(response, tag).map(Some)
}

/// The entity tag that the representation must have for the request to be carried out, from `If-Match` (section
/// 13.1.1); `None` when any will do.
///
/// # Errors
/// 400: there are several.
pub fn expected_tag(request: &Request) -> Result<Option<&str>, Problem> {
    match header(request, "if-match")?.map(str::trim) {
        None | Some("*") => Ok(None),
        Some(list) if list.contains(',') => {
            Err(Problem::malformed("A header cannot be used.").field("if-match", "must hold one entity tag"))
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
    fn a_client_that_names_the_tag_is_up_to_date() {
        for held in ["\"3\"", "W/\"3\"", "\"x\", \"3\"", "*"] {
            let response = not_modified(&request("If-None-Match", held), "\"3\"").unwrap().unwrap();
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{held}");
            assert_eq!(response.headers()[ETAG], "\"3\"");
        }
        for held in ["", "3", "\"33\""] {
            assert!(not_modified(&request("If-None-Match", held), "\"3\"").unwrap().is_none(), "{held}");
        }
    }

    #[test]
    fn a_change_expects_one_tag_or_any() {
        let tag = |value| expected_tag(&request("If-Match", value)).map(|tag| tag.map(ToOwned::to_owned));
        assert_eq!(tag("\"3\"").unwrap().as_deref(), Some("\"3\""));
        assert_eq!(tag("*").unwrap(), None);
        assert_eq!(tag("\"3\", \"4\"").unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
