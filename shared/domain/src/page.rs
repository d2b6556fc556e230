//! Listings, a page at a time.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ValueError;

/// How many entries a page holds at most: 1 to 100, 20 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The most entries of one page.
    pub const MAX: u8 = 100;

    /// As many entries as a page can hold: for who goes through a whole listing.
    pub const LARGEST: Self = Self(Self::MAX);

    /// The number of entries.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(20)
    }
}

impl FromStr for PageLimit {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.parse() {
            Ok(limit @ 1..=Self::MAX) => Ok(Self(limit)),
            _ => Err(ValueError::OutOfRange { min: 1, max: Self::MAX.into() }),
        }
    }
}

/// Where the next page begins: after the entry with this identifier.
///
/// Its text form is opaque to clients. It says nothing of the table's keys, so no cursor can be forged that reaches
/// another partition, and the prefix of the identifier keeps one listing's cursor out of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<Id>(Id);

impl<Id> Cursor<Id> {
    /// The cursor of the page that follows the entry `last`.
    pub fn after(last: Id) -> Self {
        Self(last)
    }

    /// The entry that the page follows.
    pub fn last(&self) -> &Id {
        &self.0
    }
}

impl<Id: FromStr> FromStr for Cursor<Id> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ValueError::NotACursor)?;
        let id = std::str::from_utf8(&bytes).map_err(|_| ValueError::NotACursor)?;
        id.parse().map(Self).map_err(|_| ValueError::NotACursor)
    }
}

impl<Id: fmt::Display> fmt::Display for Cursor<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.to_string()))
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<Id> {
    /// How many entries at most.
    pub limit: PageLimit,
    /// Where it begins; `None` is the listing's first entry.
    pub after: Option<Cursor<Id>>,
}

impl<Id> Default for PageRequest<Id> {
    fn default() -> Self {
        Self { limit: PageLimit::default(), after: None }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, Id> {
    /// The entries, in the listing's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when there is nothing after this one.
    pub next: Option<Cursor<Id>>,
}

impl<T, Id> Page<T, Id> {
    /// Cuts a page out of `found`, the entries from where it begins, of which the store looked up one more than `limit`
    /// (that one tells whether there is a next page). A store that could not look up as many says with `cut_short` that
    /// there are more.
    pub fn cut(mut found: Vec<T>, limit: PageLimit, cut_short: bool, id: impl Fn(&T) -> Id) -> Self {
        let more = cut_short || found.len() > limit.get();
        found.truncate(limit.get());
        let next = if more { found.last().map(|last| Cursor::after(id(last))) } else { None };
        Self { items: found, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OrderId, ProductId};

    #[test]
    fn a_limit_is_1_to_100() {
        assert_eq!("100".parse::<PageLimit>().unwrap().get(), 100);
        for text in ["0", "101", "-1", "ten", "", "1.5"] {
            assert!(text.parse::<PageLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_cursor_reads_back_and_only_in_its_own_listing() {
        let id: ProductId = "prd_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap();
        let text = Cursor::after(id).to_string();
        assert_eq!(text.parse::<Cursor<ProductId>>().unwrap().last(), &id);
        assert!(text.parse::<Cursor<OrderId>>().is_err());
        for text in ["", "%%%", "AAAA", "cHJkXw"] {
            assert_eq!(text.parse::<Cursor<ProductId>>(), Err(ValueError::NotACursor), "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let limit: PageLimit = "2".parse().unwrap();
        assert_eq!(Page::cut(vec![3, 2], limit, false, |n| *n).next, None);
        let page = Page::cut(vec![3, 2, 1], limit, false, |n| *n);
        assert_eq!((page.items, page.next), (vec![3, 2], Some(Cursor::after(2))));
        assert_eq!(Page::cut(vec![3], limit, true, |n| *n).next, Some(Cursor::after(3)));
    }
}
