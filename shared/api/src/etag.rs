//! Entity tags of products (RFC 9110, section 8.8.3): `"<version>-<Unix time at which its image links were signed>"`.
//!
//! The version prevents lost updates (`If-Match`). The tag also contains the signing time because image links are
//! signed again every hour. A client with older links must fetch the new ones even if the version has not changed.

use ferrite_core::{Timestamp, Version};
use ferrite_domain::ports::UpdateError;
use ferrite_runtime::http::{Request, if_match};

use crate::ApiError;

/// Entity tag of a product representation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTag(String);

impl ProductTag {
    /// Creates the tag from the product's version and the signing time of its image links, if it has any.
    pub fn new(version: Version, links_as_of: Option<Timestamp>) -> Self {
        Self(format!("\"{}-{}\"", version.get(), links_as_of.map_or(0, Timestamp::unix_seconds)))
    }

    /// Returns the tag as it is written in a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the version that the client expects, from the `If-Match` header (RFC 9110, section 13.1.1). Returns `None`
/// if the client accepts any version.
///
/// # Errors
/// Returns a 412 problem if the header does not contain a tag of a product, and a 400 problem if it contains several
/// tags.
pub fn expected_version(request: &Request) -> Result<Option<Version>, ApiError> {
    let Some(tag) = if_match(request)? else { return Ok(None) };
    version_of(tag).map(Some).ok_or_else(|| UpdateError::VersionMismatch.into())
}

/// Returns the version in `tag` if the tag has the format of [`ProductTag::new`].
fn version_of(tag: &str) -> Option<Version> {
    let (version, links_as_of) = tag.strip_prefix('"')?.strip_suffix('"')?.split_once('-')?;
    let is_number =
        |text: &str| text.len() <= 16 && (text == "0" || text.starts_with(|digit: char| matches!(digit, '1'..='9')));
    let version: u64 = version.parse().ok().filter(|_| is_number(version))?;
    links_as_of.parse::<u64>().ok().filter(|_| is_number(links_as_of))?;
    Some(version.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, value: &str) -> Request {
        http::Request::builder().header(name, value).body("".into()).unwrap()
    }

    #[test]
    fn tag_changes_with_the_version_and_the_links() {
        let hour = |n: i64| Some(Timestamp::from_unix_millis(n * 3_600_000));
        let tag = ProductTag::new(3.into(), hour(1));
        assert_ne!(tag, ProductTag::new(3.into(), hour(2)));
        assert_ne!(tag, ProductTag::new(4.into(), hour(1)));
        assert_eq!(expected_version(&request("If-Match", &tag.0)).unwrap(), Some(3.into()));
    }

    #[test]
    fn returns_412_for_an_invalid_tag() {
        let status =
            |value| expected_version(&request("If-Match", value)).map_err(|error| error.problem().status().as_u16());
        assert_eq!(status("\"abc\""), Err(412));
        for tag in ["3", "\"3\"", "\"+3-0\"", "\"03-0\"", "\"3-x\"", "\"3-0", "\"3-0\"x", "W/\"3-0\"", "\"\"", ""] {
            assert_eq!(status(tag), Err(412), "{tag}");
        }
        assert_eq!(status("\"3-0\""), Ok(Some(3.into())));
        assert_eq!(status("\"1-a\", \"2-b\""), Err(400));
        assert_eq!(status("*"), Ok(None));
    }
}
