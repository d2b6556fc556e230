//! The lines of a list in a block of YAML.

use std::ops::Range;

/// Returns the lines of each item of the list that the first item in `lines` begins. Comments before an item do not
/// belong to it.
pub(crate) fn items(lines: &[String]) -> Vec<Range<usize>> {
    let Some(first) = lines.iter().position(|line| line.trim_start().starts_with("- ")) else { return Vec::new() };
    let indentation = indentation(&lines[first]);
    let mut items: Vec<Range<usize>> = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(first) {
        let is_item = self::indentation(line) == indentation && line.trim_start().starts_with("- ");
        let is_content = !line.trim().is_empty() && self::indentation(line) > indentation;
        if is_item {
            items.push(index..index + 1);
        } else if let Some(item) = items.last_mut().filter(|_| is_content) {
            item.end = index + 1;
        }
    }
    items
}

/// The number of spaces at the beginning of a line.
pub(crate) fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The text between the first colon of a line and its end, such as the key of an entry, replaced by a flow sequence or,
/// if that is longer than a line should be, a block sequence whose items are on the lines below.
pub(crate) fn sequence(first_line: &str, indentation: usize, values: &[String]) -> String {
    const LINE_WIDTH: usize = 145;
    let flow = format!("{first_line} [{}]\n", values.join(", "));
    if flow.len() <= LINE_WIDTH {
        return flow;
    }
    let spaces = " ".repeat(indentation);
    let items: String = values.iter().map(|value| format!("{spaces}- {value}\n")).collect();
    format!("{first_line}\n{items}")
}
