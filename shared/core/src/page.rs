//! Pagination of listings.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ValueError;

/// Maximum number of entries per page: 1 to 100. The default is 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// Largest accepted limit.
    pub const MAX: u8 = 100;

    /// The limit [`Self::MAX`], for callers that read a whole listing.
    pub const LARGEST: Self = Self(Self::MAX);

    /// Returns the limit as a number of entries.
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

/// Position in a listing: the identifier of the entry after which the next page starts.
///
/// The text form is opaque to clients. It contains no table keys, so a forged cursor cannot access another partition.
/// The prefix of the identifier prevents the use of a cursor in a different listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<Id>(Id);

impl<Id> Cursor<Id> {
    /// Creates a cursor for the page that starts after the entry `last`.
    pub fn after(last: Id) -> Self {
        Self(last)
    }

    /// Returns the entry after which the page starts.
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

/// A request for one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<Id> {
    /// Maximum number of entries.
    pub limit: PageLimit,
    /// Cursor of the page; `None` for the first page.
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
    /// Entries in the order of the listing.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<Cursor<Id>>,
}

impl<T, Id> Page<T, Id> {
    /// Builds a page from `found`, the entries from the start of the page.
    ///
    /// The store reads `limit` + 1 entries, so an extra entry shows that there is a next page. A store that returned
    /// fewer entries than it was asked for, although there are more, sets `cut_short`.
    pub fn from_results(mut found: Vec<T>, limit: PageLimit, cut_short: bool, id: impl Fn(&T) -> Id) -> Self {
        let has_more = cut_short || found.len() > limit.get();
        found.truncate(limit.get());
        let next = if has_more { found.last().map(|last| Cursor::after(id(last))) } else { None };
        Self { items: found, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::prefixed_id!(
        /// Identifies a note.
        NoteId,
        "note_"
    );
    crate::prefixed_id!(
        /// Identifies a folder.
        FolderId,
        "folder_"
    );

    #[test]
    fn accepts_limits_from_1_to_100() {
        assert_eq!("100".parse::<PageLimit>().unwrap().get(), 100);
        for text in ["0", "101", "-1", "ten", "", "1.5"] {
            assert!(text.parse::<PageLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn accepts_a_cursor_only_in_its_own_listing() {
        let id: NoteId = "note_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap();
        let text = Cursor::after(id).to_string();
        assert_eq!(text.parse::<Cursor<NoteId>>().unwrap().last(), &id);
        assert!(text.parse::<Cursor<FolderId>>().is_err());
        for text in ["", "%%%", "AAAA", "cHJkXw"] {
            assert_eq!(text.parse::<Cursor<NoteId>>(), Err(ValueError::NotACursor), "{text}");
        }
    }

    #[test]
    fn returns_no_cursor_on_the_last_page() {
        let limit: PageLimit = "2".parse().unwrap();
        assert_eq!(Page::from_results(vec![3, 2], limit, false, |n| *n).next, None);
        let page = Page::from_results(vec![3, 2, 1], limit, false, |n| *n);
        assert_eq!((page.items, page.next), (vec![3, 2], Some(Cursor::after(2))));
        assert_eq!(Page::from_results(vec![3], limit, true, |n| *n).next, Some(Cursor::after(3)));
    }
}
