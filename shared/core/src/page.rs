//! Listings in pages.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ValueError;

/// The most entries of a page: 1 to 100; the default is 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The most entries of one page.
    pub const MAX: u8 = 100;

    /// The largest page, for callers that read a whole listing.
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

/// The position in a listing after which the next page starts: the identifier of an entry.
///
/// Its text form is opaque to clients. It contains no table keys, so a forged cursor cannot reach another partition. The
/// prefix of the identifier keeps one listing's cursors out of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<Id>(Id);

impl<Id> Cursor<Id> {
    /// The cursor of the page that follows the entry `last`.
    pub fn after(last: Id) -> Self {
        Self(last)
    }

    /// The entry after which the page starts.
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
    /// The most entries.
    pub limit: PageLimit,
    /// Where the page starts; `None` for the first page.
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
    /// Where the next page starts; `None` on the last page.
    pub next: Option<Cursor<Id>>,
}

impl<T, Id> Page<T, Id> {
    /// Cuts a page from `found`: the entries from where it starts, of which the store read one more than `limit` to learn
    /// whether there is a next page. A store that could not read as many passes `cut_short` if there are more.
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
        assert_eq!(Page::cut(vec![3, 2], limit, false, |n| *n).next, None);
        let page = Page::cut(vec![3, 2, 1], limit, false, |n| *n);
        assert_eq!((page.items, page.next), (vec![3, 2], Some(Cursor::after(2))));
        assert_eq!(Page::cut(vec![3], limit, true, |n| *n).next, Some(Cursor::after(3)));
    }
}
