//! The rules for the files of a project, from `scripts/project.toml` of the kit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fancy_regex::Regex;
use ferrite_local_stack::files::at;
use serde::Deserialize;

use crate::error::ProjectError;
use crate::names::Names;
use crate::renaming::Renaming;

/// The file with the rules, relative to the root of the kit.
const RULES_FILE: &str = "scripts/project.toml";

/// The name of an application that a project can start with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Application(String);

impl Application {
    /// The smallest application.
    #[must_use]
    pub fn skeleton() -> Self {
        Self("skeleton".to_owned())
    }

    /// The application with this name in the rules.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name of the application.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The rules for the files of a project.
#[derive(Debug)]
pub(crate) struct Rules {
    kit: Vec<String>,
    generated: Vec<String>,
    repository: Vec<String>,
    applications: BTreeMap<Application, ApplicationRules>,
    names: Vec<NameRule>,
}

/// The part of a project that a file of the kit's repository belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The kit, which a project does not edit.
    Kit,
    /// The application, which the team owns.
    Application,
    /// Only the kit's own repository.
    Repository,
}

/// The file `scripts/project.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kit: Paths,
    /// Files and folders that tools generate from the sources.
    generated: Paths,
    /// Paths inside those of the kit that stay in the kit's repository.
    repository: Paths,
    applications: BTreeMap<Application, ApplicationRules>,
    names: Vec<NameFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationRules {
    /// Folder whose contents belong in the root of a project.
    folder: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    /// Texts of the kit that describe another application.
    #[serde(default)]
    removals: Vec<Removal>,
}

/// A text that is removed from a file of the kit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removal {
    file: String,
    pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameFile {
    pattern: String,
    replacement: String,
}

#[derive(Debug)]
struct NameRule {
    pattern: Regex,
    replacement: String,
}

impl Rules {
    /// Reads the rules of the kit whose checkout is at `source`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is invalid.
    pub(crate) fn read(source: &Path) -> Result<Self, ProjectError> {
        let path = source.join(RULES_FILE);
        Self::parse(&fs::read_to_string(&path).map_err(at(&path))?)
    }

    /// Parses the contents of `scripts/project.toml`.
    ///
    /// # Errors
    /// Returns an error if the text is not valid.
    pub(crate) fn parse(text: &str) -> Result<Self, ProjectError> {
        let file: File = toml::from_str(text).map_err(|error| ProjectError::Rules(error.to_string()))?;
        let rule = |rule: NameFile| match Regex::new(&rule.pattern) {
            Ok(pattern) => Ok(NameRule { pattern, replacement: rule.replacement }),
            Err(error) => Err(ProjectError::Rules(format!("pattern {:?}: {error}", rule.pattern))),
        };
        let names = file.names.into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Self {
            kit: file.kit.paths,
            generated: file.generated.paths,
            repository: file.repository.paths,
            applications: file.applications,
            names,
        })
    }

    /// Removes from `text`, which the file `path` contains, what describes another application.
    ///
    /// # Errors
    /// Returns an error if a pattern is invalid or needs too many steps, or if it matches nothing, so that it cannot become
    /// outdated unnoticed.
    pub(crate) fn without_removals(
        &self,
        path: &str,
        mut text: String,
        application: &Application,
    ) -> Result<String, ProjectError> {
        let removals = self.applications.get(application).map(|rules| rules.removals.as_slice()).unwrap_or_default();
        for Removal { file, pattern } in removals.iter().filter(|removal| removal.file == path) {
            let invalid = |reason: String| ProjectError::Rules(format!("pattern {pattern:?} of {file}: {reason}"));
            let regex = Regex::new(pattern).map_err(|error| invalid(error.to_string()))?;
            let remaining = regex.try_replacen(&text, 0, "").map_err(|error| invalid(error.to_string()))?.into_owned();
            if remaining == text {
                return Err(invalid("it matches nothing in the file".to_owned()));
            }
            text = remaining;
        }
        Ok(text)
    }

    /// The replacements of the kit's names with the names of a project.
    pub(crate) fn renaming(&self, names: &Names) -> Renaming {
        Renaming::new(self.names.iter().map(|rule| (rule.pattern.clone(), names.fill(&rule.replacement))).collect())
    }

    /// Whether tools generate the file `path` of a project.
    pub(crate) fn is_generated(&self, path: &str) -> bool {
        self.generated.iter().any(|listed| covers(listed, path))
    }

    /// The part of a project with `application` that the file `path` belongs to, and its path in the project.
    ///
    /// # Errors
    /// Returns an error if there is no such application.
    pub(crate) fn part<'p>(&self, path: &'p str, application: &Application) -> Result<(Part, &'p str), ProjectError> {
        let rules = self.applications.get(application);
        let rules = rules.ok_or_else(|| ProjectError::UnknownApplication(application.0.clone()))?;
        let in_folder = |folder: &String| path.strip_prefix(folder.as_str())?.strip_prefix('/');
        let own_file = rules.folder.as_ref().and_then(in_folder);
        let path = own_file.unwrap_or(path);
        // The longest path decides. Paths of other applications take files from the kit, too.
        let longest = |paths: &[String]| paths.iter().filter(|listed| covers(listed, path)).map(String::len).max();
        let kit = longest(&self.kit);
        let own = longest(&rules.paths);
        let others = self.applications.values().filter_map(|other| longest(&other.paths)).max();
        let repository = longest(&self.repository);
        let part = if own_file.is_some() {
            // The application may have its own version of a file that the kit maintains.
            if kit > others { Part::Kit } else { Part::Application }
        } else if own.is_some() && own >= others && own >= kit && own >= repository {
            Part::Application
        } else if kit > others && kit > repository {
            Part::Kit
        } else {
            Part::Repository
        };
        Ok((part, path))
    }
}

/// Whether `listed` is `path` or a folder that contains it.
fn covers(listed: &str, path: &str) -> bool {
    path.strip_prefix(listed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [kit]
        paths = ["shared/core", "tools", "functions/allow", "LICENSE"]
        [generated]
        paths = ["Cargo.lock"]
        [repository]
        paths = ["tools/create", "tools/small"]
        [applications.small]
        folder = "tools/small"
        paths = ["Cargo.toml"]
        [applications.large]
        paths = ["Cargo.toml", "functions", "shared", "tools/demo"]
        [[names]]
        pattern = '\burn:kit:'
        replacement = "urn:{name}:"
    "#;

    fn part(path: &str, application: &str) -> (Part, String) {
        let rules = Rules::parse(RULES).unwrap();
        let (part, path) = rules.part(path, &Application::named(application)).unwrap();
        (part, path.to_owned())
    }

    #[test]
    fn the_most_specific_path_decides() {
        for (path, small, large) in [
            ("shared/core/src/lib.rs", Part::Kit, Part::Kit),
            ("shared/corelib/src/lib.rs", Part::Repository, Part::Application),
            ("functions/allow/Cargo.toml", Part::Kit, Part::Kit),
            ("functions/other/Cargo.toml", Part::Repository, Part::Application),
            ("tools/run", Part::Kit, Part::Kit),
            ("tools/create", Part::Repository, Part::Repository),
            ("tools/small/x", Part::Application, Part::Repository),
            ("Cargo.toml", Part::Application, Part::Application),
            ("tools/demo/x", Part::Repository, Part::Application),
            ("LICENSE", Part::Kit, Part::Kit),
            ("README.md", Part::Repository, Part::Repository),
        ] {
            assert_eq!(part(path, "small").0, small, "{path}");
            assert_eq!(part(path, "large").0, large, "{path}");
        }
    }

    #[test]
    fn the_folder_of_an_application_becomes_the_root() {
        assert_eq!(part("tools/small/functions/a.rs", "small"), (Part::Application, "functions/a.rs".to_owned()));
        assert_eq!(part("tools/small/tools/a", "small"), (Part::Kit, "tools/a".to_owned()));
        assert_eq!(part("tools/small/tools/demo/a", "small"), (Part::Application, "tools/demo/a".to_owned()));
    }

    #[test]
    fn removes_what_describes_another_application() {
        let removal = "[[applications.small.removals]]\nfile = \"README.md\"\npattern = '(?m)^demo.*\\n'\n[[names]]";
        let rules = Rules::parse(&RULES.replace("[[names]]", removal)).unwrap();
        let without = |path: &str, text: &str, application: &str| {
            rules.without_removals(path, text.to_owned(), &Application::named(application))
        };
        assert_eq!(without("README.md", "a\ndemo x\nb\n", "small").unwrap(), "a\nb\n");
        assert_eq!(without("README.md", "demo\n", "large").unwrap(), "demo\n");
        assert_eq!(without("other", "demo\n", "small").unwrap(), "demo\n");
        let error = without("README.md", "a\n", "small").unwrap_err().to_string();
        assert!(error.contains("README.md: it matches nothing"), "{error}");
        let slow = Rules::parse(&RULES.replace("[[names]]", &removal.replace("(?m)^demo.*\\n", "(?:(?!b)a|aa)+c"))).unwrap();
        let error = slow.without_removals("README.md", "a".repeat(50), &Application::named("small")).unwrap_err();
        assert!(error.to_string().contains("pattern \"(?:(?!b)a|aa)+c\" of README.md: Error executing regex"), "{error}");
    }

    #[test]
    fn rejects_invalid_rules_and_unknown_applications() {
        let error = Rules::parse(&RULES.replace(r"\b", "(")).unwrap_err().to_string();
        assert!(error.contains("scripts/project.toml is invalid: pattern"), "{error}");
        let error = Rules::parse(RULES).unwrap().part("x", &Application::named("other")).unwrap_err().to_string();
        assert!(error.contains("no application named \"other\""), "{error}");
    }
}
