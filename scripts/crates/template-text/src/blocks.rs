//! Splits a template into the blocks of its entries, without parsing it.

use std::collections::BTreeSet;

use crate::lines::Lines;

/// A mapping that is split at its keys. `head` and the blocks together are the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks<'a> {
    /// The lines up to the key of the mapping. Empty if the mapping is the document.
    pub head: &'a str,
    /// The key of each entry, and its lines, including all lines between it and the entry above. If lines follow the last
    /// entry, they have an empty key.
    pub entries: Vec<(String, &'a str)>,
}

/// Splits a document, or an entry whose value is a mapping with one key per line. An entry's block can be split again.
///
/// Returns `None` for everything else, such as a list, and if a key occurs twice.
#[must_use]
pub fn split(text: &str) -> Option<Blocks<'_>> {
    let lines = Lines::of(text);
    let mut start = 0;
    let mut entries = lines.entries(start..lines.len());
    if let [only] = entries.as_slice() {
        if !lines.text(only.key..only.key + 1).trim_end().ends_with(':') {
            return None;
        }
        start = only.key + 1;
        entries = lines.entries(start..lines.len());
    }
    let head = lines.text(0..start);
    let mut blocks = Vec::new();
    for entry in entries {
        blocks.push((entry.name, lines.text(start..entry.end)));
        start = entry.end;
    }
    if start < lines.len() {
        blocks.push((String::new(), lines.text(start..lines.len())));
    }
    let names: BTreeSet<&String> = blocks.iter().map(|(name, _)| name).collect();
    (names.len() == blocks.len() && blocks.first().is_some_and(|(name, _)| !name.is_empty()))
        .then_some(Blocks { head, entries: blocks })
}
