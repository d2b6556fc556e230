//! Texts near to good ones: random ones would be refused at the first byte, and never see what is behind it.

/// Which example, and what is done to it: where, which edit, with which character.
pub type Plan = (u8, Vec<(u16, u8, char)>);

/// One of `examples`, edited as `plan` says; as it is where the plan has no edits.
///
/// # Panics
/// When there are no examples.
#[must_use]
pub fn near(examples: &[&str], (which, edits): &Plan) -> String {
    let mut text: Vec<char> = examples[usize::from(*which) % examples.len()].chars().collect();
    // A case with many edits is soon far from every example: most have few.
    for &(place, edit, character) in edits.iter().take(usize::from(*which) % 5) {
        let place = usize::from(place) % (text.len() + 1);
        // Of all characters few mean something to a parser, and those are ASCII.
        let character =
            if place.is_multiple_of(2) { char::from(b' ' + (u32::from(character) % 95) as u8) } else { character };
        match edit % 6 {
            0 => text.insert(place, character),
            1 => text.truncate(place),
            2 => text.extend_from_within(place..),
            3 if place < text.len() => drop(text.remove(place)),
            // One bit: another digit, or the other case of a letter.
            4 if place < text.len() => {
                let flipped = text[place] as u32 ^ (1 << (u32::from(character) % 7));
                text[place] = char::from_u32(flipped).unwrap_or(character);
            }
            _ if place < text.len() => text[place] = character,
            _ => text.push(character),
        }
    }
    text.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_without_edits_leaves_an_example_as_it_is() {
        assert_eq!(near(&["one", "two"], &(3, Vec::new())), "two");
    }

    #[test]
    fn no_place_is_outside_a_text() {
        for edit in 0..6 {
            for place in 0..4 {
                assert!(near(&["", "é"], &(1, vec![(place, edit, 'x'); 3])).len() < 10);
            }
        }
    }
}
