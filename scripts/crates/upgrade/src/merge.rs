//! Merges a release into a project: three trees without a work tree, and then the result into the work tree.
//!
//! The merge base is the project as it was generated from the old release, so everything that the project has changed since
//! counts as its own change, and everything else follows Ferrite.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context as _, bail};
use ferrite_project::RECORD_FILE;

use crate::git::Git;
use crate::line_merge::{Part, Versions, merge_lines, with_markers};
use crate::lockfile;
use crate::manifest;
use crate::template_merge::{self, of_project, resolve_generated};
use crate::trees::{Difference, Edit, NO_OBJECT, edit, paths, read};

/// The names in conflict markers. Git abbreviates `refs/ferrite/project` to `ferrite/project`.
const PROJECT: &str = "ferrite/project";
const REFS: &str = "refs/";

/// The template of the stack.
const TEMPLATE: &str = "template.yaml";

/// The lock file of cargo.
pub(crate) const LOCK: &str = "Cargo.lock";

/// The author of the commits that only this merge uses.
const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "ferrite-upgrade"),
    ("GIT_AUTHOR_EMAIL", "ferrite-upgrade@localhost"),
    ("GIT_COMMITTER_NAME", "ferrite-upgrade"),
    ("GIT_COMMITTER_EMAIL", "ferrite-upgrade@localhost"),
];

/// The three sides of the merge, as trees of the project's folder.
pub(crate) struct Sides {
    /// The project as it was generated from the old release.
    pub(crate) base: String,
    /// The project as it is.
    pub(crate) project: String,
    /// The project as it is generated from the new release.
    pub(crate) release: String,
    /// The content of `ferrite.toml` before the upgrade and after it.
    pub(crate) record: (String, String),
    /// The files of the application, which the team owns.
    pub(crate) owned: BTreeSet<String>,
    /// The files that are generated from them.
    pub(crate) generated: BTreeSet<String>,
}

/// A file with conflicts.
#[derive(Debug, Default)]
pub(crate) struct Conflict {
    /// Git's descriptions of the conflicts.
    pub(crate) messages: Vec<String>,
    /// The mode and object (`100644 ID`) in the base (1), the project (2) and the release (3), if they have the file.
    stages: BTreeMap<u8, String>,
}

impl Conflict {
    /// The versions of the file. `None` if a side does not have it.
    fn versions(&self, git: &Git) -> anyhow::Result<Option<Versions>> {
        let text = |stage: u8| -> anyhow::Result<Option<String>> {
            let id = self.stages.get(&stage).and_then(|object| object.split_once(' '));
            // `run` removes the line break at the end.
            id.map(|(_, id)| Ok(git.run(["cat-file", "blob", id])? + "\n")).transpose()
        };
        let (Some(base), Some(project), Some(release)) = (text(1)?, text(2)?, text(3)?) else { return Ok(None) };
        Ok(Some(Versions { base, project, release }))
    }
}

/// The result of the merge.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// The tree with the merged files. Files with conflicts have conflict markers.
    pub(crate) tree: String,
    /// The files with conflicts.
    pub(crate) conflicts: BTreeMap<String, Conflict>,
    /// Files that the release changes or adds, but that the project has deleted.
    pub(crate) kept_deleted: BTreeSet<String>,
    /// Files of the application that the release no longer has, but that the project has changed.
    pub(crate) kept: BTreeSet<String>,
}

/// Merges the changes of `sides.release` since `sides.base` into `sides.project`. Does not change the work tree.
///
/// # Errors
/// Returns an error if git fails, or if a `Cargo.lock` is invalid.
pub(crate) fn merge(git: &Git, sides: &Sides, release: &str) -> anyhow::Result<Merged> {
    let own = Difference::between(git, &sides.base, &sides.project)?;
    let new = Difference::between(git, &sides.base, &sides.release)?;
    let kept_deleted = kept_deleted(&own, &new, &paths(git, &sides.base)?, &paths(git, &sides.project)?);
    let changed = new.deleted.intersection(&own.modified);
    let kept: BTreeSet<String> = changed.filter(|path| sides.owned.contains(*path)).cloned().collect();

    // Git would report a conflict for a file that one side deletes and the other changes or renames, so remove these files
    // here.
    let renamed = own.renamed.iter().map(|(old, _)| old).filter(|old| new.deleted.contains(*old));
    let mut base_edits: Vec<Edit> = own.deleted.iter().chain(&kept).chain(renamed).cloned().map(Edit::Remove).collect();
    let mut release_edits: Vec<Edit> = own.deleted.union(&kept_deleted).cloned().map(Edit::Remove).collect();
    let mut project_edits = Vec::new();

    let (before, after) = &sides.record;
    base_edits.push(Edit::Write(RECORD_FILE.to_owned(), before.clone()));
    release_edits.push(Edit::Write(RECORD_FILE.to_owned(), after.clone()));
    let lock = |tree: &str| read(git, tree, LOCK);
    if let (Some(base), Some(project), Some(release)) = (lock(&sides.base)?, lock(&sides.project)?, lock(&sides.release)?) {
        let merged = lockfile::merge(&base, &project, &release)?;
        release_edits.push(Edit::Write(LOCK.to_owned(), merged.clone()));
        project_edits.push(Edit::Write(LOCK.to_owned(), merged));
    }

    let base = commit(git, &edit(git, &sides.base, &base_edits)?, None)?;
    let project = commit(git, &edit(git, &sides.project, &project_edits)?, Some(&base))?;
    let new = commit(git, &edit(git, &sides.release, &release_edits)?, Some(&base))?;
    let release = format!("ferrite/{release}");
    git.run(["update-ref", &format!("{REFS}{PROJECT}"), &project])?;
    git.run(["update-ref", &format!("{REFS}{release}"), &new])?;
    // A new file in a folder that the other side has renamed goes to the renamed folder.
    let options = ["-c", "merge.renames=true", "-c", "merge.directoryRenames=true"];
    let command = ["merge-tree", "--write-tree", "-z", "--messages", PROJECT, &release];
    let (_, output) = git.outcome(options.into_iter().chain(command))?;
    let mut merged = Merged { kept_deleted, kept, ..parse(&output)? };
    resolve(git, &mut merged, &sides.generated, &release)?;
    Ok(merged)
}

/// Resolves the conflicts that need no decision: generated files stay as they are until they are generated again, manifests
/// are merged by key, templates by entry, and modules by declaration. `release` is the name of the release in conflict
/// markers.
fn resolve(git: &Git, merged: &mut Merged, generated: &BTreeSet<String>, release: &str) -> anyhow::Result<()> {
    let mut edits = Vec::new();
    let mut texts: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
    for (path, conflict) in &merged.conflicts {
        if generated.contains(path) {
            let own = conflict.stages.get(&2);
            edits.push(own.map_or_else(|| Edit::Remove(path.clone()), |own| Edit::Put(path.clone(), own.clone())));
            continue;
        }
        let extension = Path::new(path).extension().and_then(OsStr::to_str).unwrap_or_default();
        if !["toml", "yaml", "rs"].contains(&extension) {
            continue;
        }
        let Some(versions) = conflict.versions(git)? else { continue };
        match extension {
            "yaml" => drop(texts.insert(path, template_merge::merge(git, &versions)?)),
            "rs" => drop(texts.insert(path, merge_lines(git, &versions)?)),
            _ => {
                let merged = manifest::merge(&versions.base, &versions.project, &versions.release);
                edits.extend(merged.map(|text| Edit::Write(path.clone(), text)));
            }
        }
    }
    resolve_templates(git, &merged.tree, &mut texts)?;
    let mut conflicting = Vec::new();
    for (path, parts) in texts {
        let text = with_markers(git, &parts, PROJECT, release)?;
        let is_resolved = parts.iter().all(|part| matches!(part, Part::Merged(_)));
        if is_resolved { &mut edits } else { &mut conflicting }.push(Edit::Write(path.to_owned(), text));
    }
    for edit in &edits {
        let (Edit::Remove(path) | Edit::Write(path, _) | Edit::Put(path, _)) = edit;
        merged.conflicts.remove(path);
    }
    edits.extend(conflicting);
    merged.tree = edit(git, &merged.tree, &edits)?;
    Ok(())
}

/// Resolves the conflicts in what `./scripts/generate` derives from template.yaml.
fn resolve_templates(git: &Git, tree: &str, texts: &mut BTreeMap<&str, Vec<Part>>) -> anyhow::Result<()> {
    if let Some(parts) = texts.get_mut(TEMPLATE) {
        resolve_generated(parts, |text| ferrite_generated_files::template(text).ok());
    }
    let template = match texts.get(TEMPLATE) {
        Some(parts) => Some(of_project(parts)),
        None => read(git, tree, TEMPLATE)?,
    };
    if let (Some(template), Some(parts)) = (template, texts.get_mut(ferrite_generated_files::OPERATIONS)) {
        resolve_generated(parts, |text| ferrite_generated_files::operations(&template, text).ok());
    }
    Ok(())
}

/// Returns the files that the release changes or adds, but that the project has deleted: the same file, the same file under
/// another name, or another file in a folder of which the project has deleted everything.
fn kept_deleted(
    own: &Difference,
    new: &Difference,
    base: &BTreeSet<String>,
    project: &BTreeSet<String>,
) -> BTreeSet<String> {
    let folders_of = |paths: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> {
        paths.flat_map(|path| folders(path)).map(str::to_owned).collect()
    };
    let remaining = folders_of(&mut project.iter());
    // The project may have given the folder another name.
    let moved = folders_of(&mut own.renamed.iter().map(|(old, _)| old));
    let mut deleted = folders_of(&mut base.iter());
    deleted.retain(|folder| !remaining.contains(folder) && !moved.contains(folder));
    let is_in_deleted_folder = |path: &str| folders(path).any(|folder| deleted.contains(folder));

    let renamed = new.renamed.iter();
    let renamed =
        renamed.filter(|(old, path)| own.deleted.contains(old) || is_in_deleted_folder(path)).map(|(_, path)| path);
    let added = new.added.iter().filter(|path| is_in_deleted_folder(path));
    new.modified.intersection(&own.deleted).chain(renamed).chain(added).cloned().collect()
}

/// The folders that contain `path`.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(index, _)| &path[..index])
}

fn commit(git: &Git, tree: &str, parent: Option<&str>) -> anyhow::Result<String> {
    let git = IDENTITY.into_iter().fold(git.clone(), |git, (name, value)| git.with(name, value));
    let parent = parent.into_iter().flat_map(|parent| ["-p", parent]);
    git.run(["commit-tree", tree, "-m", "Generated for ./scripts/upgrade"].into_iter().chain(parent))
}

/// Parses the output of `git merge-tree -z`: the tree, index entries, an empty field, and messages.
fn parse(output: &str) -> anyhow::Result<Merged> {
    let mut fields = output.split('\0');
    let tree = fields.next().context("git merge-tree printed nothing")?.to_owned();
    let mut conflicts: BTreeMap<String, Conflict> = BTreeMap::new();
    for entry in fields.by_ref().take_while(|entry| !entry.is_empty()) {
        let parts = entry.split_once('\t').and_then(|(object, path)| Some((object.rsplit_once(' ')?, path)));
        let Some(((object, stage), path)) = parts else { bail!("git merge-tree printed the entry {entry:?}") };
        conflicts.entry(path.to_owned()).or_default().stages.insert(stage.parse()?, object.to_owned());
    }
    // Each message: the number of paths, the paths, the type, and the text.
    while let Some(count) = fields.next().and_then(|count| count.parse().ok()) {
        let paths: Vec<&str> = fields.by_ref().take(count).collect();
        let (Some(_), Some(text)) = (fields.next(), fields.next()) else { bail!("git merge-tree printed half a message") };
        for path in paths.into_iter().filter(|_| text.starts_with("CONFLICT")) {
            if let Some(conflict) = conflicts.get_mut(path) {
                conflict.messages.push(text.trim().to_owned());
            }
        }
    }
    Ok(Merged { tree, conflicts, ..Merged::default() })
}

/// Returns the new files of the tree `merged` whose paths exist in the work tree, where git ignores them.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn overwritten(git: &Git, root: &Path, start: &str, merged: &str) -> anyhow::Result<Vec<String>> {
    let Difference { added, renamed, .. } = Difference::between(git, start, merged)?;
    let new = added.into_iter().chain(renamed.into_iter().map(|(_, new)| new));
    Ok(new.filter(|path| root.join(path).symlink_metadata().is_ok()).collect())
}

/// Replaces the files of the clean work tree at the commit `start` with those of the tree `merged`, and stages them.
/// Conflicts are in the folder `prefix`, which ends with a slash, or is empty.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn apply(
    git: &Git,
    start: &str,
    merged: &str,
    prefix: &str,
    conflicts: &BTreeMap<String, Conflict>,
) -> anyhow::Result<()> {
    git.run(["read-tree", "-m", "-u", start, merged])?;
    let mut entries = String::new();
    for (path, Conflict { stages, .. }) in conflicts {
        entries.push_str(&format!("0 {NO_OBJECT}\t{prefix}{path}\0"));
        for (stage, object) in stages {
            entries.push_str(&format!("{object} {stage}\t{prefix}{path}\0"));
        }
    }
    git.run_with_input(["update-index", "-z", "--index-info"], &entries)?;
    Ok(())
}

/// Deletes the refs that [`merge`] has created.
///
/// # Errors
/// Returns an error if git fails.
pub(crate) fn delete_refs(git: &Git) -> anyhow::Result<()> {
    let refs = git.run(["for-each-ref", "--format=delete %(refname)", "refs/ferrite"])?;
    if !refs.is_empty() {
        git.run_with_input(["update-ref", "--stdin"], &format!("{refs}\n"))?;
    }
    Ok(())
}
