//! The lines of a YAML document with one key per line.

use std::ops::Range;

/// The lines of a text, with their line breaks.
pub(crate) struct Lines<'a> {
    text: &'a str,
    lines: Vec<&'a str>,
}

/// The lines of a key with its value. Lines are numbered from 0.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The key without quotes.
    pub(crate) name: String,
    /// First of the comment lines directly above the key, or the line of the key.
    pub(crate) comments: usize,
    /// Line of the key.
    pub(crate) key: usize,
    /// The line after the last one of the value.
    pub(crate) end: usize,
}

impl Entry {
    /// The lines of the entry and its comments.
    pub(crate) fn block(&self) -> Range<usize> {
        self.comments..self.end
    }
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, lines: text.split_inclusive('\n').collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The text of some lines.
    pub(crate) fn text(&self, range: Range<usize>) -> &'a str {
        &self.text[self.offset(range.start)..self.offset(range.end)]
    }

    /// The text with `new` in place of some lines, with the line breaks of this text.
    pub(crate) fn replaced(&self, range: Range<usize>, new: &str) -> String {
        let (before, after) = (self.text(0..range.start), self.text(range.end..self.len()));
        let line_break = if self.lines.first().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
        let new = new.replace("\r\n", "\n").replace('\n', line_break);
        let separator = if before.is_empty() || before.ends_with('\n') || new.is_empty() { "" } else { line_break };
        format!("{before}{separator}{new}{after}")
    }

    pub(crate) fn is_blank(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(|line| line.trim().is_empty())
    }

    /// Whether blank lines separate some of the entries.
    pub(crate) fn are_separated(&self, entries: &[Entry]) -> bool {
        entries.windows(2).any(|pair| pair[0].end < pair[1].comments && self.is_blank(pair[0].end))
    }

    /// The lines of an entry with the blank lines that separate it from the next one or, if it is the last one, from
    /// the previous one.
    pub(crate) fn with_blank_lines(&self, entries: &[Entry], index: usize) -> Range<usize> {
        let mut range = entries[index].block();
        let is_last = index + 1 == entries.len();
        if is_last {
            let first = index.checked_sub(1).map_or(0, |previous| entries[previous].end);
            while range.start > first && self.is_blank(range.start - 1) {
                range.start -= 1;
            }
        } else if index == 0 || self.is_blank(range.start - 1) {
            while self.is_blank(range.end) {
                range.end += 1;
            }
        }
        range
    }

    /// The entries of the mapping in a range of lines. Their keys have the indentation of the first one.
    pub(crate) fn entries(&self, range: Range<usize>) -> Vec<Entry> {
        let is_content = |line: &usize| !self.is_blank(*line) && !self.is_comment(*line);
        let Some(indentation) = range.clone().find(is_content).map(|line| self.indentation(line)) else { return Vec::new() };
        let mut entries: Vec<Entry> = Vec::new();
        for line in range.clone() {
            let is_inside = self.indentation(line) > indentation;
            match self.key(line).filter(|_| !is_inside && !self.is_comment(line)) {
                Some(name) => {
                    let first = entries.last().map_or(range.start, |entry| entry.end);
                    let is_above = |line: &usize| self.is_comment(*line) && self.indentation(*line) == indentation;
                    let comments = (first..line).rev().take_while(is_above).last().unwrap_or(line);
                    entries.push(Entry { name, comments, key: line, end: line + 1 });
                }
                None if self.is_blank(line) || (self.is_comment(line) && !is_inside) => {}
                None => {
                    if let Some(entry) = entries.last_mut() {
                        entry.end = line + 1;
                    }
                }
            }
        }
        entries
    }

    fn is_comment(&self, line: usize) -> bool {
        self.lines[line].trim_start().starts_with('#')
    }

    fn indentation(&self, line: usize) -> usize {
        self.lines[line].len() - self.lines[line].trim_start_matches(' ').len()
    }

    /// The key in a line, without quotes. `None` if the line begins with something else, such as an item of a list.
    fn key(&self, line: usize) -> Option<String> {
        let text = self.lines[line].trim();
        let quote = text.chars().next().filter(|first| ['"', '\''].contains(first));
        let (key, rest) = match quote {
            Some(quote) => text[1..].split_once(quote)?,
            None => {
                let end = text.match_indices(':').map(|(index, _)| index);
                let mut end = end.filter(|index| text[index + 1..].is_empty() || text[index + 1..].starts_with(' '));
                text.split_at(end.next()?)
            }
        };
        let is_item = quote.is_none() && (key.is_empty() || key.starts_with(['-', '{', '[', '?', '!', '&', '*']));
        (rest.starts_with(':') && !is_item).then(|| key.to_owned())
    }

    fn offset(&self, line: usize) -> usize {
        self.lines[..line].iter().map(|line| line.len()).sum()
    }
}
