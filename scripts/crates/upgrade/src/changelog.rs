//! Reads the sections of CHANGELOG.md.

use semver::Version;

/// The title of the subsection with the steps that `./scripts/upgrade` cannot do.
const MANUAL_STEPS: &str = "### Manual steps";

/// The changes between two versions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The sections of the versions, newest first, without their manual steps.
    pub(crate) sections: Vec<String>,
    /// The manual steps of the versions, oldest first, because they have to be done in this order.
    pub(crate) manual_steps: Vec<String>,
}

/// Returns the sections of the versions after `old` up to `new`. `unreleased` adds the section of the changes that are not
/// in any release. The commits before a release already have its version, so a release with the version `old` has changes.
pub(crate) fn changes(changelog: &str, old: &Version, new: &Version, unreleased: bool) -> Changes {
    let mut changes = Changes::default();
    for section in sections(changelog) {
        let is_included = match section.version() {
            Some(version) => (version > *old && version <= *new) || (version == *new && !unreleased),
            None => unreleased && section.title == "Unreleased",
        };
        if is_included {
            let (other, steps) = section.split();
            changes.sections.push(other);
            changes.manual_steps.extend(steps);
        }
    }
    changes.manual_steps.reverse();
    changes
}

struct Section<'a> {
    /// The heading without `## `.
    title: &'a str,
    text: &'a str,
}

impl Section<'_> {
    /// The version of headings such as `[1.2.0] - 2026-11-30` and `1.2.0`.
    fn version(&self) -> Option<Version> {
        let first = self.title.split_whitespace().next()?;
        Version::parse(first.trim_matches(['[', ']']).trim_start_matches('v')).ok()
    }

    /// The section without its manual steps, and the manual steps with the version as heading.
    fn split(&self) -> (String, Option<String>) {
        let mut subsections = self.text.split("\n### ");
        let mut other = subsections.next().unwrap_or_default().trim_end().to_owned();
        let mut steps = None;
        for subsection in subsections {
            let subsection = format!("### {}", subsection.trim_end());
            match subsection.strip_prefix(MANUAL_STEPS) {
                Some(text) if !is_nothing(text) => steps = Some(format!("{}\n\n{}", self.title, text.trim())),
                Some(_) => {}
                None => other.push_str(&format!("\n\n{subsection}")),
            }
        }
        (other, steps)
    }
}

/// Whether a release states that it has no manual steps.
fn is_nothing(text: &str) -> bool {
    matches!(text.trim().trim_end_matches('.'), "" | "None" | "- None")
}

fn sections(changelog: &str) -> impl Iterator<Item = Section<'_>> {
    let starts: Vec<usize> =
        std::iter::once(0).filter(|_| changelog.starts_with("## ")).chain(after_line_breaks(changelog)).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([changelog.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| {
        let text = changelog[start..end].trim_end();
        let title = text.lines().next().unwrap_or_default().trim_start_matches("## ").trim();
        Section { title, text }
    })
}

fn after_line_breaks(changelog: &str) -> impl Iterator<Item = usize> {
    changelog.match_indices("\n## ").map(|(index, _)| index + 1)
}

/// Returns what is missing in a changelog of a repository whose crates have `version`: a section for that version, and
/// manual steps in each released section.
///
/// Sections of versions that are marked as `(not released)` need no manual steps.
#[cfg(test)]
fn missing(changelog: &str, version: &Version) -> Vec<String> {
    let sections: Vec<Section<'_>> = sections(changelog).collect();
    let mut missing = Vec::new();
    if !sections.iter().any(|section| section.version().as_ref() == Some(version)) {
        missing.push(format!("add the section \"## {version} - DATE\", with the changes of the release"));
    }
    for section in sections {
        let is_released = section.version().is_some() && !section.title.ends_with("(not released)");
        if is_released && !section.text.contains(&format!("\n{MANUAL_STEPS}\n")) {
            let title = section.title;
            missing.push(format!("add \"{MANUAL_STEPS}\" to the section \"{title}\"; write \"None.\" if there are none"));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use ferrite_project::RECORD_FILE;

    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n### Added\n\n- Four.\n\n## 1.2.0 - 2027-01-02\n\n### Added\n\n- Three.\n\n\
        ### Manual steps\n\n- Set `C`.\n\n## 1.1.0 - 2026-12-24\n\n### Manual steps\n\n- Set `B`.\n\n### Fixed\n\n- Two.\n\n\
        ## 1.0.0 - 2026-12-01\n\n### Manual steps\n\nNone.\n";

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn selects_the_sections_after_the_old_version_up_to_the_new_one() {
        let changes = changes(CHANGELOG, &version("1.0.0"), &version("1.2.0"), false);

        let sections = ["## 1.2.0 - 2027-01-02\n\n### Added\n\n- Three.", "## 1.1.0 - 2026-12-24\n\n### Fixed\n\n- Two."];
        assert_eq!(changes.sections, sections);
        assert_eq!(changes.manual_steps, ["1.1.0 - 2026-12-24\n\n- Set `B`.", "1.2.0 - 2027-01-02\n\n- Set `C`."]);
    }

    #[test]
    fn includes_unreleased_changes_on_request() {
        let changes = changes(CHANGELOG, &version("1.2.0"), &version("1.2.0"), true);

        assert_eq!(changes.sections, ["## Unreleased\n\n### Added\n\n- Four."]);
    }

    #[test]
    fn includes_a_release_whose_version_the_old_commit_already_has() {
        let changes = changes(CHANGELOG, &version("1.2.0"), &version("1.2.0"), false);

        assert_eq!(changes.sections, ["## 1.2.0 - 2027-01-02\n\n### Added\n\n- Three."]);
        assert_eq!(changes.manual_steps, ["1.2.0 - 2027-01-02\n\n- Set `C`."]);
    }

    #[test]
    fn omits_manual_steps_of_versions_without_any() {
        let changes = changes(CHANGELOG, &version("0.9.0"), &version("1.0.0"), false);

        assert!(changes.manual_steps.is_empty());
    }

    #[test]
    fn reports_what_is_missing_for_a_release() {
        let changelog = "## 1.1.0 - 2026-12-24\n\n### Fixed\n\n- One.\n\n## 1.0.0 (not released)\n";

        assert_eq!(
            missing(changelog, &version("1.2.0")),
            [
                "add the section \"## 1.2.0 - DATE\", with the changes of the release",
                "add \"### Manual steps\" to the section \"1.1.0 - 2026-12-24\"; write \"None.\" if there are none",
            ]
        );
        assert!(missing(CHANGELOG, &version("1.2.0")).is_empty());
    }

    /// A project has a changelog of its own, or none.
    #[test]
    fn the_changelog_of_ferrite_describes_each_release() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        if root.join(RECORD_FILE).exists() {
            return;
        }
        let changelog = fs::read_to_string(root.join("CHANGELOG.md")).unwrap();

        let missing = missing(&changelog, &version(env!("CARGO_PKG_VERSION")));

        assert!(missing.is_empty(), "edit CHANGELOG.md:\n{}", missing.join("\n"));
    }
}
