//! Merges `Cargo.lock` by package instead of by line.
//!
//! Cargo.lock lists the packages in alphabetical order, so a dependency that the project adds is often next to one that
//! Ferrite updates, and a merge by lines has conflicts. Cargo repairs what this merge cannot know: it removes unused
//! packages, and adds missing ones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::Deserialize;

/// The start of each package.
const PACKAGE: &str = "[[package]]\n";

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

/// The text of all packages with the same name.
type Packages = BTreeMap<String, Vec<String>>;

/// Returns the lock file with the changes of both `project` and `release` since `base`.
///
/// If both changed a package, the result has the packages of the release.
///
/// # Errors
/// Returns an error if one of them is not a lock file.
pub(crate) fn merge(base: &str, project: &str, release: &str) -> anyhow::Result<String> {
    let header = release.split(PACKAGE).next().unwrap_or_default();
    let [base, project, release] =
        [("base", base), ("project", project), ("release", release)].map(|(name, text)| (name, packages(text)));
    let (base, project, release) = (named(base)?, named(project)?, named(release)?);
    let names: BTreeSet<&String> = project.keys().chain(release.keys()).collect();
    let mut merged = header.to_owned();
    for name in names {
        let of = |lock: &Packages| lock.get(name).cloned().unwrap_or_default();
        let (old, own, new) = (of(&base), of(&project), of(&release));
        // Keep a package that the release no longer has: the project's crates may use it. Cargo removes it otherwise.
        let chosen = if new == old || new.is_empty() { own } else { new };
        for package in chosen {
            merged.push_str(PACKAGE);
            merged.push_str(&package);
        }
    }
    Ok(format!("{}\n", merged.trim_end()))
}

fn named((name, packages): (&str, anyhow::Result<Packages>)) -> anyhow::Result<Packages> {
    packages.with_context(|| format!("cannot read the Cargo.lock of the {name}"))
}

fn packages(text: &str) -> anyhow::Result<Packages> {
    let mut packages = Packages::new();
    for block in text.split(PACKAGE).skip(1) {
        let block = format!("{}\n\n", block.trim_end());
        let lock: Lock = toml::from_str(&format!("{PACKAGE}{block}"))?;
        for Package { name } in lock.package {
            packages.entry(name).or_default().push(block.clone());
        }
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let packages = packages.iter().map(|(name, version)| format!("{PACKAGE}name = {name:?}\nversion = {version:?}\n"));
        format!("version = 4\n\n{}", packages.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn combines_neighboring_changes_of_both_sides() {
        let base = lock(&[("aws", "1"), ("csv", "1"), ("http", "1")]);
        let project = lock(&[("aws", "1"), ("bytes", "1"), ("csv", "2"), ("http", "1")]);
        let release = lock(&[("aws", "2"), ("csv", "1"), ("http", "1"), ("lru", "1")]);

        let merged = merge(&base, &project, &release).unwrap();

        assert_eq!(merged, lock(&[("aws", "2"), ("bytes", "1"), ("csv", "2"), ("http", "1"), ("lru", "1")]));
    }

    #[test]
    fn takes_the_packages_of_the_release_if_both_changed_them() {
        let merged = merge(&lock(&[("aws", "1")]), &lock(&[("aws", "2")]), &lock(&[("aws", "3"), ("aws", "4")])).unwrap();

        assert_eq!(merged, lock(&[("aws", "3"), ("aws", "4")]));
    }

    #[test]
    fn keeps_packages_that_only_the_project_may_still_use() {
        let merged = merge(&lock(&[("csv", "1")]), &lock(&[("csv", "1")]), &lock(&[])).unwrap();

        assert_eq!(merged, lock(&[("csv", "1")]));
    }

    #[test]
    fn rejects_text_that_is_not_a_lock_file() {
        let error = merge("", "[[package]]\n<<<<<<<\n", "").unwrap_err();

        assert_eq!(error.to_string(), "cannot read the Cargo.lock of the project");
    }
}
