//! Checks files that are generated from the code and committed, such as JSON Schemas.

use std::path::Path;
use std::{env, fs};

/// Checks that the files in `folder` have these names and texts. If the variable `FERRITE_WRITE_SCHEMAS` is set, which
/// `./scripts/generate` does, it writes them instead.
pub fn assert_current<N: AsRef<str>>(folder: impl AsRef<Path>, files: impl IntoIterator<Item = (N, String)>) {
    for (name, text) in files {
        let path = folder.as_ref().join(name.as_ref());
        if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = first_difference(&committed, &text) {
            panic!("{} is out of date; run ./scripts/generate\n{difference}", path.display());
        }
    }
}

/// The first line in which two texts differ. The end of a text counts as an empty line.
fn first_difference(committed: &str, generated: &str) -> Option<String> {
    if committed == generated {
        return None;
    }
    let same = committed.lines().zip(generated.lines()).take_while(|(committed, generated)| committed == generated).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or_default().to_owned();
    Some(format!("line {}\n- {}\n+ {}", same + 1, line(committed), line(generated)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_line_that_differs() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").unwrap(), "line 2\n- b\n+ c");
        assert_eq!(first_difference("a\n", "a\nc\n").unwrap(), "line 2\n- \n+ c");
        assert!(first_difference("a", "a\n").is_some());
    }

    #[test]
    fn accepts_only_the_generated_text() {
        let folder = env::temp_dir().join(format!("ferrite-generated-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("current.json"), "{}").unwrap();
        let check = |name: &'static str, text: &str| {
            let files = [(name, text.to_owned())];
            std::panic::catch_unwind(|| assert_current(&folder, files)).is_ok()
        };
        let results = [check("current.json", "{}"), check("current.json", "[]"), check("missing.json", "{}")];
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(results, [true, false, false]);
    }
}
