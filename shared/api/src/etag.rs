//! Entity tags of products (RFC 9110, section 8.8.3): `"<version>-<since when its links are what they are>"`.
//!
//! The version guards an update (`If-Match`). Links to images are signed anew every hour: a client that holds older ones has
//! to fetch the new ones, though no version changed.

use ferrite_core::{Timestamp, Version};
use ferrite_domain::ports::UpdateError;
use ferrite_runtime::http::{Request, expected_tag};

use crate::ApiError;

/// The tag of one representation of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTag(String);

impl ProductTag {
    /// The tag of the product in `version`, with links as of `links_as_of` if it has any.
    pub fn new(version: Version, links_as_of: Option<Timestamp>) -> Self {
        Self(format!("\"{}-{}\"", version.get(), links_as_of.map_or(0, Timestamp::unix_seconds)))
    }

    /// The tag as it stands in a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The version that an update expects, from `If-Match` (RFC 9110, section 13.1.1); `None` when it expects none.
///
/// # Errors
/// 412: the header holds no tag of a product, so none can match. 400: it holds several.
pub fn expected_version(request: &Request) -> Result<Option<Version>, ApiError> {
    let Some(tag) = expected_tag(request)? else { return Ok(None) };
    version_of(tag).map(Some).ok_or_else(|| UpdateError::VersionMismatch.into())
}

/// The version that `tag` names, if it is written as [`ProductTag::new`] writes it.
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
    fn a_tag_changes_with_the_version_and_with_the_links() {
        let hour = |n: i64| Some(Timestamp::from_unix_millis(n * 3_600_000));
        let tag = ProductTag::new(3.into(), hour(1));
        assert_ne!(tag, ProductTag::new(3.into(), hour(2)));
        assert_ne!(tag, ProductTag::new(4.into(), hour(1)));
        assert_eq!(expected_version(&request("If-Match", &tag.0)).unwrap(), Some(3.into()));
    }

    #[test]
    fn what_is_no_tag_matches_nothing() {
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
