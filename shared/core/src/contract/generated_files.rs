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
        assert!(committed == text, "{} is out of date; run ./scripts/generate", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
