//! The links of one window that were signed already, for the requests that show the same images again.

use std::collections::HashMap;

use ferrite_domain::{ImageId, ProductId, Timestamp, VariantName};

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) product: ProductId,
    pub(super) image: ImageId,
    pub(super) variant: VariantName,
}

/// Links that were signed as of the same moment. A page of ten products has twenty, which take longer to sign than the page
/// to answer.
#[derive(Debug)]
pub(super) struct KeptLinks {
    as_of: Timestamp,
    urls: HashMap<Target, String>,
}

impl KeptLinks {
    /// A link has some 1,500 bytes with a role's session token, so these are under half a megabyte. Beyond them, links are
    /// signed each time until the next window: what is shown most has come first.
    pub(super) const MOST: usize = 300;

    /// None, yet.
    pub(super) fn new() -> Self {
        Self { as_of: Timestamp::from_unix_millis(0), urls: HashMap::new() }
    }

    /// The link to `target` that was signed as of `as_of`.
    pub(super) fn find(&self, target: Target, as_of: Timestamp) -> Option<String> {
        if as_of == self.as_of { self.urls.get(&target).cloned() } else { None }
    }

    /// Keeps a link, and lets go of those of another window.
    pub(super) fn keep(&mut self, target: Target, as_of: Timestamp, url: String) {
        if as_of != self.as_of {
            *self = Self { as_of, urls: HashMap::new() };
        }
        if self.urls.len() < Self::MOST {
            self.urls.insert(target, url);
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_domain::memory::UniqueIds;
    use ferrite_domain::ports::NewIds;

    use super::*;

    fn target() -> Target {
        Target { product: UniqueIds.new_id().into(), image: UniqueIds.new_id().into(), variant: VariantName::Display }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn a_link_is_found_for_its_own_target_and_window_alone() {
        let (mut links, one, other) = (KeptLinks::new(), target(), target());
        links.keep(one, at(1), "one".to_owned());
        assert_eq!(links.find(one, at(1)).as_deref(), Some("one"));
        assert_eq!(links.find(Target { variant: VariantName::Thumbnail, ..one }, at(1)), None);
        assert_eq!(links.find(one, at(2)), None);

        links.keep(other, at(2), "other".to_owned());
        assert_eq!((links.find(one, at(1)), links.find(one, at(2))), (None, None), "the window is over");
        assert_eq!(links.find(other, at(2)).as_deref(), Some("other"));
    }

    #[test]
    fn there_are_never_too_many() {
        let (mut links, first) = (KeptLinks::new(), target());
        links.keep(first, at(1), "first".to_owned());
        for _ in 0..KeptLinks::MOST {
            links.keep(target(), at(1), "another".to_owned());
        }
        assert_eq!(links.urls.len(), KeptLinks::MOST);
        assert!(links.find(first, at(1)).is_some());
    }
}
