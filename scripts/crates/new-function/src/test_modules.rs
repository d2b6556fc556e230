//! The list of modules in the main.rs of a test binary.

/// Returns the code with one more module, in alphabetical order. `None` if the code declares no modules.
pub(crate) fn with_module(code: &str, module: &str) -> Option<String> {
    let new = format!("mod {module};");
    let lines: Vec<&str> = code.lines().collect();
    let declarations = || lines.iter().enumerate().filter(|(_, line)| is_declaration(line));
    let after = declarations().rev().find(|(_, line)| **line < new.as_str()).map(|(index, _)| index + 1);
    let index = after.or_else(|| declarations().next().map(|(index, _)| index))?;
    let (before, after) = lines.split_at(index);
    let lines = before.iter().copied().chain([new.as_str()]).chain(after.iter().copied());
    Some(lines.map(|line| format!("{line}\n")).collect())
}

/// Returns the code without a module. `None` if the code does not declare it.
pub(crate) fn without_module(code: &str, module: &str) -> Option<String> {
    let declaration = format!("mod {module};");
    code.lines()
        .any(|line| line == declaration)
        .then(|| code.lines().filter(|line| *line != declaration).map(|line| format!("{line}\n")).collect())
}

fn is_declaration(line: &str) -> bool {
    line.starts_with("mod ") && line.ends_with(';')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "//! Tests.\n\nmod billing;\nmod notes;\n\nfn unique() {}\n";

    #[test]
    fn keeps_the_modules_in_order() {
        for (module, expected) in [
            ("accounts", "mod accounts;\nmod billing;\nmod notes;"),
            ("count_notes", "mod billing;\nmod count_notes;\nmod notes;"),
            ("zones", "mod billing;\nmod notes;\nmod zones;"),
        ] {
            let with = with_module(MAIN, module).unwrap();
            assert!(with.contains(&format!("\n\n{expected}\n\nfn")), "{with}");
            assert_eq!(without_module(&with, module).unwrap(), MAIN);
        }
    }

    #[test]
    fn reports_missing_modules() {
        assert_eq!(with_module("fn main() {}\n", "notes"), None);
        assert_eq!(without_module(MAIN, "teams"), None);
    }
}
