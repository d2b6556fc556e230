//! Merges texts by line, and keeps the conflicts apart from the merged lines.

use anyhow::{Context as _, bail};

use crate::git::Git;

/// Length of the conflict markers that [`merge_lines`] reads. Files do not contain such long markers.
const MARKER_SIZE: usize = 60;

/// The same text on the three sides of a merge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The text in the old release.
    pub(crate) base: String,
    /// The text in the project.
    pub(crate) project: String,
    /// The text in the new release.
    pub(crate) release: String,
}

/// A part of a merged text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Lines without conflicts.
    Merged(String),
    /// Lines that both sides have changed.
    Conflict(Versions),
}

/// Merges a text by line, with `git merge-file`.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn merge_lines(git: &Git, versions: &Versions) -> anyhow::Result<Vec<Part>> {
    let marker_size = format!("--marker-size={MARKER_SIZE}");
    let merged = merge_file(git, versions, &["--zdiff3", &marker_size])?;
    let marker = |line: &str| {
        let first = line.chars().next().filter(|first| "<|=>".contains(*first))?;
        line.starts_with(&first.to_string().repeat(MARKER_SIZE)).then_some(first)
    };
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut conflict = Versions::default();
    for line in merged.split_inclusive('\n') {
        let Some(marker) = marker(line) else {
            text.push_str(line);
            continue;
        };
        let text = std::mem::take(&mut text);
        match marker {
            '<' => parts.push(Part::Merged(text)),
            '|' => conflict.project = text,
            '=' => conflict.base = text,
            _ => parts.push(Part::Conflict(Versions { release: text, ..std::mem::take(&mut conflict) })),
        }
    }
    parts.push(Part::Merged(text));
    for part in &mut parts {
        if let Part::Conflict(versions) = part
            && let Some(items) = merge_items(versions)
        {
            *part = Part::Merged(items);
        }
    }
    Ok(parts)
}

/// Returns the text of the parts, with ordinary conflict markers that name the commits `project` and `release`.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn with_markers(git: &Git, parts: &[Part], project: &str, release: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Merged(lines) => text.push_str(lines),
            Part::Conflict(versions) => {
                text.push_str(&merge_file(git, versions, &["-L", project, "-L", "base", "-L", release])?);
            }
        }
    }
    Ok(text)
}

/// Merges lists whose lines are independent of each other: names in YAML (`- name`), and declarations of Rust modules.
/// Returns `None` for everything else.
fn merge_items(versions: &Versions) -> Option<String> {
    let Versions { base, project, release } = versions;
    let [base, project, release] = [base, project, release].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut lines = base.iter().chain(&project).chain(&release);
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let first = lines.clone().next().map(|line| indentation(line));
    if !lines.all(|line| is_item(line) && Some(indentation(line)) == first) {
        return None;
    }
    let is_sorted = project.is_sorted() && release.is_sorted();
    let own: Vec<_> = project.into_iter().filter(|line| !base.contains(line) || release.contains(line)).collect();
    let mut merged = insert_added(own, &release, |line| !base.contains(line));
    if is_sorted {
        merged.sort_unstable();
    }
    Some(merged.concat())
}

fn is_item(line: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-./".contains(character))
    };
    let line = line.trim();
    let module = line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|name| name.strip_suffix(';'));
    module.or_else(|| line.strip_prefix("- ")).is_some_and(is_name)
}

/// Inserts those items of `release` into `own` that `own` does not have and that are new, each after the item that it
/// follows in `release`, and before those that only `own` has there.
pub(crate) fn insert_added<T: PartialEq + Clone>(mut own: Vec<T>, release: &[T], is_new: impl Fn(&T) -> bool) -> Vec<T> {
    let mut position = 0;
    for item in release {
        if let Some(index) = own.iter().position(|other| other == item) {
            position = index + 1;
        } else if is_new(item) {
            own.insert(position, item.clone());
            position += 1;
        }
    }
    own
}

fn merge_file(git: &Git, versions: &Versions, options: &[&str]) -> anyhow::Result<String> {
    let folder = git.path("ferrite-upgrade.merge")?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display())).map(|()| path)
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let Versions { base, project, release } = versions;
    let merge = || -> anyhow::Result<String> {
        let files = [write("project", project)?, write("base", base)?, write("release", release)?];
        let options = ["merge-file", "-p"].into_iter().chain(options.iter().copied()).map(std::ffi::OsString::from);
        let output = git.output_of(options.chain(files.into_iter().map(Into::into)))?;
        // The exit code is the number of conflicts, up to 127.
        match output.status.code() {
            Some(0..=127) => String::from_utf8(output.stdout).context("git merge-file printed text that is not UTF-8"),
            _ => bail!("git merge-file failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
        }
    };
    let merged = merge();
    let _ = std::fs::remove_dir_all(&folder);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(base: &str, project: &str, release: &str) -> Option<String> {
        let [base, project, release] = [base, project, release].map(str::to_owned);
        merge_items(&Versions { base, project, release })
    }

    #[test]
    fn merges_declarations_of_modules_in_their_order() {
        let merged = items("mod b;\n", "mod a;\nmod b;\nmod d;\n", "pub mod c;\n");
        assert_eq!(merged.as_deref(), Some("mod a;\nmod d;\npub mod c;\n"));
        let merged = items("", "mod d;\nmod f;\n", "mod e;\n");
        assert_eq!(merged.as_deref(), Some("mod d;\nmod e;\nmod f;\n"));
    }

    #[test]
    fn keeps_the_order_of_unsorted_lists() {
        let merged = items("- z\n- a\n", "- z\n- own\n- a\n", "- z\n- new\n- a\n- last\n");
        assert_eq!(merged.as_deref(), Some("- z\n- new\n- own\n- a\n- last\n"));
    }

    #[test]
    fn merges_nothing_else_than_items_of_one_list() {
        assert_eq!(items("", "mod a;\n", "fn b() {}\n"), None);
        assert_eq!(items("", "- a\n", "  - b\n"), None);
        assert_eq!(items("", "- a: 1\n", "- b: 1\n"), None);
        assert_eq!(items("", "- - a\n", "- b\n"), None);
    }
}
