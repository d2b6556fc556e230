//! Merges YAML files such as the templates by entry instead of by line.
//!
//! A function that the project adds is often next to a resource that Ferrite adds, so a merge by line has conflicts. This
//! merge splits the text at the keys of mappings, so comments and order stay. Entries that cannot be split are merged by
//! line.
//!
//! mergiraf is not used, because every project would have to install it. Git's merge driver `union` would keep both versions
//! of a line that both sides have changed, without a conflict.

use ferrite_template_text::split;

use crate::git::Git;
use crate::line_merge::{Part, Versions, insert_added, merge_lines};

/// Merges the changes of the release and of the project.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn merge(git: &Git, versions: &Versions) -> anyhow::Result<Vec<Part>> {
    let Versions { base, project, release } = versions;
    let mut parts = Vec::new();
    merge_blocks(git, Some(base), Some(project), Some(release), &mut parts)?;
    Ok(parts)
}

/// Merges the versions of an entry. A side without the entry has `None`.
fn merge_blocks(
    git: &Git,
    base: Option<&str>,
    project: Option<&str>,
    release: Option<&str>,
    parts: &mut Vec<Part>,
) -> anyhow::Result<()> {
    if base == release || project == release {
        parts.push(Part::Merged(project.unwrap_or_default().to_owned()));
    } else if base == project {
        parts.push(Part::Merged(release.unwrap_or_default().to_owned()));
    } else if let Some(base) = base.and_then(split)
        && let Some(project) = project.and_then(split)
        && let Some(release) = release.and_then(split)
    {
        merge_blocks(git, Some(base.head), Some(project.head), Some(release.head), parts)?;
        let names = |entries: &[(String, _)]| entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let of = |entries: &[(String, &'_ str)], name: &str| {
            entries.iter().find(|(other, _)| other == name).map(|(_, block)| (*block).to_owned())
        };
        // Also those that the project has removed: if the release has changed them, that is a conflict.
        for name in insert_added(names(&project.entries), &names(&release.entries), |_| true) {
            let [base, project, release] = [&base, &project, &release].map(|blocks| of(&blocks.entries, &name));
            merge_blocks(git, base.as_deref(), project.as_deref(), release.as_deref(), parts)?;
        }
    } else {
        let [base, project, release] = [base, project, release].map(|block| block.unwrap_or_default().to_owned());
        parts.extend(merge_lines(git, &Versions { base, project, release })?);
    }
    Ok(())
}

/// Resolves the conflicts in text that `generate` derives: the result is the same whichever side is taken.
pub(crate) fn resolve_generated(parts: &mut [Part], generate: impl Fn(&str) -> Option<String>) {
    for index in 0..parts.len() {
        let Part::Conflict(versions) = &parts[index] else { continue };
        let with = |text: &str| {
            let [before, after] = [&parts[..index], &parts[index + 1..]].map(of_project);
            generate(&format!("{before}{text}{after}"))
        };
        let generated = with(&versions.project);
        if generated.is_some() && generated == with(&versions.release) {
            parts[index] = Part::Merged(versions.project.clone());
        }
    }
}

/// The text of the parts, with the project's version of the conflicts.
pub(crate) fn of_project(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Merged(text) | Part::Conflict(Versions { project: text, .. }) => text.clone(),
    };
    parts.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::line_merge::with_markers;

    const BASE: &str = "Description: Test

Parameters:
  Level: {Type: String}

Resources:
  # Storage

  # The table.
  Table:
    Type: Table
    Properties:
      Size: 1

  Queue:
    Type: Queue
    Names:
      - alpha
      - delta

Outputs:
  Queue: {Value: !Ref Queue}
";

    /// Merges two changes of the text. Conflict markers name the sides `project` and `release`.
    fn merged(project: &str, release: &str) -> String {
        let (folder, parts) = parts(project, release);
        with_markers(&Git::at(folder.path()), &parts, "project", "release").unwrap()
    }

    fn parts(project: &str, release: &str) -> (TempDir, Vec<Part>) {
        let folder = TempDir::new().unwrap();
        let git = Git::at(folder.path());
        git.run(["init", "--quiet", "."]).unwrap();
        let versions = Versions { base: BASE.to_owned(), project: project.to_owned(), release: release.to_owned() };
        let parts = merge(&git, &versions).unwrap();
        (folder, parts)
    }

    /// The text with one replacement.
    fn changed(old: &str, new: &str) -> String {
        assert_eq!(BASE.matches(old).count(), 1, "{old}");
        BASE.replace(old, new)
    }

    #[test]
    fn keeps_what_both_sides_add_at_the_same_place() {
        let add = |resource: &str, output: &str| {
            let text = changed("\nOutputs:\n", &format!("\n  # {resource}.\n  {resource}:\n    Type: New\n\nOutputs:\n"));
            text + &format!("  {output}: {{}}\n")
        };

        let merged = merged(&add("Mine", "Own"), &add("Theirs", "New"));

        let expected = changed(
            "\nOutputs:\n",
            "\n  # Theirs.\n  Theirs:\n    Type: New\n\n  # Mine.\n  Mine:\n    Type: New\n\nOutputs:\n",
        );
        assert_eq!(merged, expected + "  New: {}\n  Own: {}\n");
    }

    #[test]
    fn combines_a_new_entry_with_a_change_of_its_neighbor() {
        let project = changed("\n  Queue:\n", "\n  Mine:\n    Type: New\n\n  Queue:\n");
        let release = changed("      Size: 1\n", "      Size: 2\n");

        assert_eq!(merged(&project, &release), project.replace("Size: 1", "Size: 2"));
        assert_eq!(merged(&release, &project), project.replace("Size: 1", "Size: 2"));
    }

    #[test]
    fn removes_what_one_side_has_removed() {
        let table = "  # The table.\n  Table:\n    Type: Table\n    Properties:\n      Size: 1\n\n";
        let without = changed(table, "");
        let other = changed("  Queue:\n    Type: Queue\n", "  Queue:\n    Type: Queue\n    Size: 3\n");
        let expected = other.replace(table, "");

        assert_eq!(merged(&without, &other), expected);
        assert_eq!(merged(&other, &without), expected);
    }

    #[test]
    fn leaves_a_conflict_only_in_the_entry_that_both_sides_have_changed() {
        let project = changed("Size: 1\n", "Size: 2\n") + "  Own: {}\n";
        let release = changed("Size: 1\n", "Size: 3\n") + "  New: {}\n";

        let conflict = "<<<<<<< project\n      Size: 2\n=======\n      Size: 3\n>>>>>>> release\n";
        let expected = changed("      Size: 1\n", conflict) + "  New: {}\n  Own: {}\n";
        assert_eq!(merged(&project, &release), expected);
    }

    #[test]
    fn leaves_a_conflict_if_one_side_removes_what_the_other_changes() {
        let table = "  # The table.\n  Table:\n    Type: Table\n    Properties:\n      Size: 1\n\n";
        let merged = merged(&changed(table, ""), &changed("Size: 1\n", "Size: 3\n"));

        assert!(merged.contains("<<<<<<< project\n=======\n"), "{merged}");
        assert!(merged.contains("      Size: 3\n>>>>>>> release\n"), "{merged}");
    }

    #[test]
    fn merges_lists_of_names_as_sets() {
        let project = changed("- delta\n", "- beta\n      - delta\n      - zeta\n");
        let release = changed("- alpha\n      - delta\n", "- alpha\n      - epsilon\n");

        let expected = changed("- delta\n", "- beta\n      - epsilon\n      - zeta\n");
        assert_eq!(merged(&project, &release), expected);
    }

    #[test]
    fn resolves_conflicts_in_generated_text_only() {
        let (_folder, mut parts) = parts(
            &changed("Size: 1", "Size: 2").replace("Test", "Mine"),
            &changed("Size: 1", "Size: 3").replace("Test", "Theirs"),
        );
        let without_size = |text: &str| Some(text.lines().filter(|line| !line.contains("Size")).collect());

        resolve_generated(&mut parts, |_| None);
        assert_eq!(parts.iter().filter(|part| matches!(part, Part::Conflict(_))).count(), 2);

        resolve_generated(&mut parts, without_size);
        let conflicts: Vec<_> = parts.iter().filter(|part| matches!(part, Part::Conflict(_))).collect();
        assert_eq!(conflicts.len(), 1);
        assert!(matches!(conflicts[0], Part::Conflict(versions) if versions.project.contains("Mine")), "{conflicts:?}");
    }

    #[test]
    fn merges_text_that_has_no_entries_by_line() {
        let project = format!("- one\n- two\n{BASE}");
        let release = changed("Size: 1", "Size: 3");

        assert_eq!(merged(&project, &release), project.replace("Size: 1", "Size: 3"));
    }
}
