//! Generates input for fuzz targets by editing valid examples. Parsers would reject random text at the first byte.

/// Selects an example and the edits to it. Each edit has a position, a kind and a character.
pub type MutationPlan = (u8, Vec<(u16, u8, char)>);

/// Returns one of `examples` with the edits in `plan`.
///
/// # Panics
/// Panics if `examples` is empty.
#[must_use]
pub fn mutate(examples: &[&str], (selector, edits): &MutationPlan) -> String {
    let mut text: Vec<char> = examples[usize::from(*selector) % examples.len()].chars().collect();
    // Apply few edits: after many, the text no longer resembles the example.
    for &(position, edit, character) in edits.iter().take(usize::from(*selector) % 5) {
        let position = usize::from(position) % (text.len() + 1);
        // Use ASCII for half of the edits, because the characters that are special to a parser are ASCII.
        let character =
            if position.is_multiple_of(2) { char::from(b' ' + (u32::from(character) % 95) as u8) } else { character };
        match edit % 6 {
            0 => text.insert(position, character),
            1 => text.truncate(position),
            2 => text.extend_from_within(position..),
            3 if position < text.len() => drop(text.remove(position)),
            // Flip one bit, which changes a digit or the case of a letter.
            4 if position < text.len() => {
                let flipped = text[position] as u32 ^ (1 << (u32::from(character) % 7));
                text[position] = char::from_u32(flipped).unwrap_or(character);
            }
            _ if position < text.len() => text[position] = character,
            _ => text.push(character),
        }
    }
    text.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_without_edits_returns_the_example() {
        assert_eq!(mutate(&["one", "two"], &(3, Vec::new())), "two");
    }

    #[test]
    fn every_position_is_within_the_text() {
        for edit in 0..6 {
            for position in 0..4 {
                assert!(mutate(&["", "é"], &(1, vec![(position, edit, 'x'); 3])).len() < 10);
            }
        }
    }
}
