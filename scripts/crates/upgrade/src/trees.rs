//! Git trees: writing folders as trees, editing trees without a work tree, and comparing them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

use crate::git::Git;

/// How similar two files must be, in percent, to count as one renamed file. Git's default of 50 % pairs the manifests of
/// unrelated crates.
const SIMILARITY: &str = "--find-renames=90%";

/// The ID that git uses for a path to remove.
pub(crate) const NO_OBJECT: &str = "0000000000000000000000000000000000000000";

/// A change of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Removes the file.
    Remove(String),
    /// Replaces or adds a file with this content that is not executable.
    Write(String, String),
    /// Replaces or adds a file with this mode and object: `100644 ID`.
    Put(String, String),
}

/// The difference between two trees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Paths that only the first tree has, without the renamed files.
    pub(crate) deleted: BTreeSet<String>,
    /// Paths that only the second tree has, without the renamed files.
    pub(crate) added: BTreeSet<String>,
    /// Old and new paths of files that have another path but almost the same content.
    pub(crate) renamed: Vec<(String, String)>,
    /// Paths with another content.
    pub(crate) modified: BTreeSet<String>,
}

impl Difference {
    /// Compares two trees or commits.
    ///
    /// # Errors
    /// Returns an error if git fails.
    pub(crate) fn between(git: &Git, old: &str, new: &str) -> anyhow::Result<Self> {
        let output = git.run(["diff-tree", "-r", "-z", "-l0", SIMILARITY, "--name-status", old, new])?;
        let mut fields = output.split('\0').filter(|field| !field.is_empty());
        let mut difference = Self::default();
        while let Some(status) = fields.next() {
            let mut path = || fields.next().map(str::to_owned).context("git diff-tree printed a status without a path");
            match status.as_bytes()[0] {
                b'A' => difference.added.insert(path()?),
                b'D' => difference.deleted.insert(path()?),
                b'R' => {
                    difference.renamed.push((path()?, path()?));
                    continue;
                }
                _ => difference.modified.insert(path()?),
            };
        }
        Ok(difference)
    }
}

/// Writes the files of `folder` to the object database of `git`, and returns the ID of the tree.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn write_folder(git: &Git, folder: &Path) -> anyhow::Result<String> {
    let directory = git.run(["rev-parse", "--absolute-git-dir"])?;
    with_index(git, |git| {
        let generated = git.in_folder(folder).with("GIT_DIR", directory).with("GIT_WORK_TREE", folder);
        // The files are stored as they are: ignored files, too, and without converting line ends.
        generated.run(["-c", "core.autocrlf=false", "add", "--all", "--force", "."])?;
        generated.run(["write-tree"])
    })
}

/// Applies `edits` to `tree`, and returns the ID of the new tree.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn edit(git: &Git, tree: &str, edits: &[Edit]) -> anyhow::Result<String> {
    let mut entries = String::new();
    for edit in edits {
        match edit {
            Edit::Remove(path) => entries.push_str(&format!("0 {NO_OBJECT}\t{path}\0")),
            Edit::Write(path, content) => {
                let blob = git.run_with_input(["hash-object", "-w", "--stdin"], content)?;
                entries.push_str(&format!("100644 {blob}\t{path}\0"));
            }
            Edit::Put(path, object) => entries.push_str(&format!("{object}\t{path}\0")),
        }
    }
    with_index(git, |git| {
        git.run(["read-tree", tree])?;
        git.run_with_input(["update-index", "-z", "--index-info"], &entries)?;
        git.run(["write-tree"])
    })
}

/// Returns `tree` with `subtree` as the folder `prefix`, which ends with a slash.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn with_subtree(git: &Git, tree: &str, prefix: &str, subtree: &str) -> anyhow::Result<String> {
    if prefix.is_empty() {
        return Ok(subtree.to_owned());
    }
    let removed: Vec<Edit> =
        paths(git, tree)?.into_iter().filter(|path| path.starts_with(prefix)).map(Edit::Remove).collect();
    let others = edit(git, tree, &removed)?;
    with_index(git, |git| {
        git.run(["read-tree", &others])?;
        git.run(["read-tree", &format!("--prefix={prefix}"), subtree])?;
        git.run(["write-tree"])
    })
}

/// Runs `work` with an index of its own, which is deleted afterwards.
fn with_index(git: &Git, work: impl FnOnce(&Git) -> anyhow::Result<String>) -> anyhow::Result<String> {
    let index = git.path("ferrite-upgrade.index")?;
    let _ = std::fs::remove_file(&index);
    let result = work(&git.with("GIT_INDEX_FILE", &index));
    let _ = std::fs::remove_file(&index);
    result
}

/// Returns the paths of all files in a tree.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn paths(git: &Git, tree: &str) -> anyhow::Result<BTreeSet<String>> {
    let output = git.run(["ls-tree", "--full-tree", "-r", "-z", "--name-only", tree])?;
    Ok(output.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Returns the content of a text in a tree with one line break at the end, or `None` if the tree does not contain it.
///
/// # Errors
/// Returns an error if git fails, or if the file is not UTF-8.
pub(crate) fn read(git: &Git, tree: &str, path: &str) -> anyhow::Result<Option<String>> {
    let entry = git.run(["ls-tree", "--full-tree", tree, "--", path])?;
    let Some(id) = entry.split_whitespace().nth(2) else { return Ok(None) };
    Ok(Some(git.run(["cat-file", "blob", id])? + "\n"))
}
