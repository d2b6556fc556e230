//! A project of an older release with changes of its own: upgraded by `./scripts/upgrade`, built, tested and deployed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::{at, delete_folder_if_exists};
use ferrite_local_stack::process::{capture, each_line_logged, run};
use ferrite_project::{RECORD_FILE, git};

use crate::new_project::{Programs, create, root, run_tests};
use crate::progress::{Outcome, Step};
use crate::steps::RUN;

/// The commit that stands for the older release: the first with both `./scripts/new-project` and `./scripts/new-function`.
const OLD_COMMIT: &str = "79bf70de0e";

/// The function that the project has added, and its trigger.
const FUNCTION: [&str; 3] = ["share-note", "--on", "note.created"];

/// Files of the kit or of the application that the project has edited: a text in the file, and its replacement.
const EDITS: [(&str, &str, &str); 3] = [
    ("shared/runtime/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n", "//! This project has changed this line.\n"),
    ("shared/domain/src/lib.rs", "mod schema;\n", "mod schema;\npub mod tag;\n"),
    ("shared/store/src/lib.rs", "mod keys;\n", "mod keys;\npub mod tag_item;\n"),
];

/// The entity of the project with its unit tests.
const FILES: [(&str, &str); 2] = [
    ("shared/domain/src/tag.rs", include_str!("upgraded_project/tag.rs")),
    ("shared/store/src/tag_item.rs", include_str!("upgraded_project/tag_item.rs")),
];

/// What git needs for commits, whatever the configuration of the user is.
const CONFIGURATION: [(&str, &str); 4] = [
    ("user.name", "ferrite-check"),
    ("user.email", "ferrite-check@localhost"),
    ("commit.gpgSign", "false"),
    ("core.hooksPath", "/dev/null"),
];

/// Creates a project from an older release, changes it, upgrades it to this checkout, compares it with the new project of
/// the previous step, and runs its tests.
pub(crate) fn step(programs: Programs) -> Step {
    Step::new("An upgraded project", move |checkout| {
        let folder = checkout.run_folder(RUN)?.join("upgrade");
        delete_folder_if_exists(&folder)?;
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let Some(old) = releases(checkout, &folder)? else {
            let reason = format!("this clone does not have the commit {OLD_COMMIT}; run git fetch --unshallow");
            return Ok(Outcome::NotRun(reason));
        };
        let project = folder.join("project");
        create(checkout, &programs, &old, &project)?;
        let own = change(checkout, &programs, &project)?;
        let log = folder.join("upgrade.log");
        each_line_logged(programs.command("ferrite-upgrade", checkout, &project).arg("--no-test"), &log, |_| {})?;
        compare(&project, &root(checkout)?, own)?;
        run_tests(checkout, &programs, &project)?;
        Ok(Outcome::Passed)
    })
}

/// Creates a repository in which this checkout, with changes of tracked files that are not committed, is the newest release.
/// Returns the checkout of the older release, or `None` if the history does not contain it.
fn releases(checkout: &Checkout, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let (source, old) = (folder.join("ferrite"), folder.join("old"));
    let clone = ["clone", "--quiet", "--shared", "--no-tags", "--no-checkout", "."];
    run(git(checkout.root()).args(clone).arg(&source))?;
    let commits = capture(git(&source).args(["rev-list", "HEAD"]))?;
    if !commits.lines().any(|commit| commit.starts_with(OLD_COMMIT)) {
        return Ok(None);
    }
    let configuration = CONFIGURATION.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
    // The output is empty if nothing has changed.
    let changed = capture(git(checkout.root()).args(configuration).args(["stash", "create"]))?;
    let release = if changed.is_empty() { "HEAD" } else { changed.trim() };
    run(git(&source).args(["tag", concat!("v", env!("CARGO_PKG_VERSION")), release]))?;
    run(git(&source).args(clone).arg(&old))?;
    run(git(&old).args(["checkout", "--quiet", OLD_COMMIT]))?;
    Ok(Some(old))
}

/// Commits the changes of the project, and returns the paths that they concern.
fn change(checkout: &Checkout, programs: &Programs, project: &Path) -> anyhow::Result<BTreeSet<String>> {
    for (name, value) in CONFIGURATION {
        run(git(project).args(["config", name, value]))?;
    }
    // The pattern in .gitignore matches only a folder.
    let exclude = project.join(".git/info/exclude");
    fs::write(&exclude, "/.tools\n").map_err(at(&exclude))?;
    for (file, text) in FILES {
        let path = project.join(file);
        fs::write(&path, text).map_err(at(&path))?;
    }
    for (file, old, new) in EDITS {
        let path = project.join(file);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        ensure!(text.contains(old), "{file} of {OLD_COMMIT} does not contain {old:?}");
        fs::write(&path, text.replacen(old, new, 1)).map_err(at(&path))?;
    }
    let mut command = programs.command("ferrite-new-function", checkout, project);
    each_line_logged(command.arg("new-function").args(FUNCTION), &project.with_extension("function.log"), |_| {})?;
    run(git(project).args(["add", "--all"]))?;
    run(git(project).args(["commit", "--quiet", "--message", "Add tags, and share notes"]))?;
    paths(git(project).args(["diff", "--name-only", "HEAD~1"]))
}

/// Checks that the upgraded project has the changes `own`, and is the same as the project `new` otherwise.
fn compare(project: &Path, new: &Path, mut own: BTreeSet<String>) -> anyhow::Result<()> {
    for (file, text) in FILES.into_iter().chain(EDITS.map(|(file, _, new)| (file, new))) {
        let upgraded = fs::read_to_string(project.join(file)).with_context(|| format!("{file} is missing"))?;
        ensure!(upgraded.contains(text), "the upgraded {file} does not contain {text:?}");
    }
    own.extend([RECORD_FILE, "Cargo.lock"].map(str::to_owned));
    let git_folder = project.join(".git");
    let in_new = || {
        let mut git = git(new);
        git.arg("--git-dir").arg(&git_folder).arg("--work-tree").arg(new);
        git
    };
    let mut different = paths(in_new().args(["diff", "--name-only", "HEAD"]))?;
    different.extend(paths(in_new().args(["ls-files", "--others", "--exclude-standard"]))?);
    let unexpected: Vec<_> = different.difference(&own).map(String::as_str).collect();
    ensure!(
        unexpected.is_empty(),
        "the project has not changed these files, but they are not those of a new project ({}): {}",
        new.display(),
        unexpected.join(", ")
    );
    Ok(())
}

fn paths(git: &mut Command) -> anyhow::Result<BTreeSet<String>> {
    Ok(capture(git)?.lines().map(str::to_owned).collect())
}
