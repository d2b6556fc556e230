//! Entity tags of products (RFC 9110, section 8.8.3): `"<version>-<digest of the body>"`.
//!
//! The version guards an update (`If-Match`). The digest is there because links to images are signed anew every hour:
//! a client that holds an older link has to fetch the new one, though no version changed.

use std::fmt::Write;

use ferrite_domain::Version;
use ferrite_runtime::http::{Problem, Request, Response, header};
use http::HeaderValue;
use sha2::{Digest, Sha256};

/// The tag of one representation of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTag(String);

impl ProductTag {
    /// The tag of the product in `version` as `body` shows it.
    pub fn new(version: Version, body: &[u8]) -> Self {
        let mut tag = format!("\"{}-", version.get());
        for byte in &Sha256::digest(body)[..8] {
            // Writing into a string cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        Self(tag)
    }

    /// Puts the tag on `response`, and tells clients to ask before they show what they kept.
    pub fn tag(&self, mut response: Response) -> Response {
        if let Ok(value) = HeaderValue::try_from(&self.0) {
            response.headers_mut().insert(http::header::ETAG, value);
        }
        response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// Whether the client holds this representation already: `If-None-Match` names its tag (RFC 9110, section 13.1.2).
///
/// # Errors
/// 400: the header cannot be read.
pub fn is_fresh(request: &Request, tag: &ProductTag) -> Result<bool, Problem> {
    let held = header(request, "if-none-match")?.unwrap_or_default();
    Ok(held.split(',').map(str::trim).any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag.0))
}

/// The version that an update expects, from `If-Match` (RFC 9110, section 13.1.1); `None` when it expects none.
///
/// # Errors
/// 412: the header holds no tag of a product, so none can match. 400: it holds several.
pub fn expected_version(request: &Request) -> Result<Option<Version>, Problem> {
    match header(request, "if-match")? {
        None | Some("*") => Ok(None),
        Some(list) if list.contains(',') => {
            Err(Problem::malformed("A header cannot be used.").field("if-match", "must hold one entity tag"))
        }
        Some(tag) => {
            let version = tag.trim().strip_prefix('"').and_then(|tag| tag.split_once('-')?.0.parse::<u64>().ok());
            let mismatch = || ferrite_domain::ports::UpdateError::VersionMismatch.into();
            version.map(|version| Some(version.into())).ok_or_else(mismatch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, value: &str) -> Request {
        http::Request::builder().header(name, value).body("".into()).unwrap()
    }

    #[test]
    fn a_tag_changes_with_the_version_and_with_the_body() {
        let tag = ProductTag::new(3.into(), b"one");
        assert_ne!(tag, ProductTag::new(3.into(), b"two"));
        assert_ne!(tag, ProductTag::new(4.into(), b"one"));
        assert_eq!(expected_version(&request("If-Match", &tag.0)).unwrap(), Some(3.into()));
    }

    #[test]
    fn a_client_that_names_the_tag_is_up_to_date() {
        let tag = ProductTag::new(3.into(), b"one");
        for held in [tag.0.clone(), format!("W/{}", tag.0), format!("\"x\", {}", tag.0), "*".to_owned()] {
            assert!(is_fresh(&request("If-None-Match", &held), &tag).unwrap(), "{held}");
        }
        for held in ["", "\"3\"", "3-"] {
            assert!(!is_fresh(&request("If-None-Match", held), &tag).unwrap(), "{held}");
        }
    }

    #[test]
    fn what_is_no_tag_matches_nothing() {
        let status = |value| expected_version(&request("If-Match", value)).map_err(|problem| problem.status().as_u16());
        assert_eq!(status("\"abc\""), Err(412));
        assert_eq!(status("3"), Err(412));
        assert_eq!(status("\"1-a\", \"2-b\""), Err(400));
        assert_eq!(status("*"), Ok(None));
    }
}
