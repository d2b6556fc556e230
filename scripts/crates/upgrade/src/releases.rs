//! The releases of Ferrite: tags of its repository such as `v1.2.0`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ferrite_local_stack::process::each_line_logged;
use ferrite_project::{ProjectRecord, RECORD_FILE};
use semver::Version;
use serde::Deserialize;

use crate::git::Git;

/// A copy of Ferrite's repository in the project's folder for temporary files.
pub(crate) struct Releases {
    git: Git,
    folder: PathBuf,
    source: String,
}

/// A release, or another commit of Ferrite's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    /// The version.
    pub(crate) version: Version,
    /// The commit.
    pub(crate) commit: String,
    /// Whether the commit has a tag for the version.
    pub(crate) is_tagged: bool,
}

impl Release {
    /// The name for messages and conflict markers: `1.2.0`, or `1.2.0-4af2c81` for a commit without a tag.
    pub(crate) fn name(&self) -> String {
        let short = self.commit.get(..7).unwrap_or_default();
        if self.is_tagged { self.version.to_string() } else { format!("{}-{short}", self.version) }
    }
}

/// Returns the version that a project records.
///
/// # Errors
/// Returns an error if it is not a version.
pub(crate) fn parse_version(record: &ProjectRecord) -> anyhow::Result<Version> {
    Version::parse(&record.version)
        .with_context(|| format!("{RECORD_FILE} records the version {:?}, which is not a version", record.version))
}

impl Releases {
    /// Downloads new commits and tags of the repository `source` into `folder`.
    ///
    /// # Errors
    /// Returns an error if the repository cannot be fetched.
    pub(crate) fn fetch(source: &str, folder: &Path) -> anyhow::Result<Self> {
        let repository = folder.join("source.git");
        fs::create_dir_all(&repository).with_context(|| format!("cannot create {}", repository.display()))?;
        let git = Git::at(&repository);
        git.run(["init", "--quiet", "--bare"])?;
        // `each_line_logged` ends git after Ctrl-C, because the server may be slow.
        let refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        let mut fetch = git.command(["fetch", "--quiet", "--force", "--prune", "--", source]);
        fetch.args(refs).env("GIT_TERMINAL_PROMPT", "0");
        each_line_logged(&mut fetch, &folder.join("fetch.log"), |_| {}).with_context(|| {
            format!("cannot fetch {source}; if it has moved, change `source` in {RECORD_FILE} and commit that")
        })?;
        Ok(Self { git, folder: folder.to_owned(), source: source.to_owned() })
    }

    /// Returns the release to upgrade to: the newest, or the tag or commit `wanted`. Returns `None` if the project already
    /// has the newest release.
    ///
    /// # Errors
    /// Returns an error if there is no such release, or if it is not newer than the one of the project.
    pub(crate) fn choose(&self, record: &ProjectRecord, wanted: Option<&str>) -> anyhow::Result<Option<Release>> {
        let known = self.git.commit(&record.commit)?;
        ensure!(
            known.is_some(),
            "{RECORD_FILE} records the commit {}, but {} does not contain it; correct `commit` or `source`",
            record.commit,
            self.source
        );
        let Some(wanted) = wanted else {
            let newest = self.tagged()?.into_iter().rfind(|release| release.version.pre.is_empty());
            return Ok(match newest {
                Some(newest) if self.is_newer(record, &newest)? => Some(newest),
                Some(_) => None,
                None => bail!("{} has no releases, which are tags such as v1.2.0; give a commit instead", self.source),
            });
        };
        let release = self.find(wanted)?;
        ensure!(
            self.is_newer(record, &release)?,
            "the project already has version {}, and {} is not newer",
            record.version,
            release.name()
        );
        Ok(Some(release))
    }

    /// All tagged releases, from old to new.
    fn tagged(&self) -> anyhow::Result<Vec<Release>> {
        let mut releases = Vec::new();
        for tag in self.git.run(["tag", "--list", "v*"])?.lines() {
            let Ok(version) = Version::parse(tag.trim_start_matches('v')) else { continue };
            if let Some(commit) = self.git.commit(&format!("refs/tags/{tag}"))? {
                releases.push(Release { version, commit, is_tagged: true });
            }
        }
        releases.sort_by(|one, other| one.version.cmp(&other.version));
        Ok(releases)
    }

    fn find(&self, wanted: &str) -> anyhow::Result<Release> {
        let releases = self.tagged()?;
        let version = Version::parse(wanted.trim_start_matches('v')).ok();
        if let Some(release) = releases.iter().find(|release| Some(&release.version) == version.as_ref()) {
            return Ok(release.clone());
        }
        let is_commit = wanted.len() >= 7 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_commit && let Some(commit) = self.git.commit(wanted)? {
            let version = self.version(&commit)?;
            let is_tagged = releases.iter().any(|release| release.commit == commit);
            return Ok(Release { version, commit, is_tagged });
        }
        let names: Vec<String> = releases.iter().map(|release| release.version.to_string()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        bail!("{} has no release {wanted}; its releases: {names}", self.source)
    }

    /// The version in the workspace manifest of a commit.
    fn version(&self, commit: &str) -> anyhow::Result<Version> {
        #[derive(Deserialize)]
        struct Manifest {
            workspace: Workspace,
        }
        #[derive(Deserialize)]
        struct Workspace {
            package: Package,
        }
        #[derive(Deserialize)]
        struct Package {
            version: Version,
        }
        let manifest = self.git.run(["show", &format!("{commit}:Cargo.toml")])?;
        let manifest: Manifest =
            toml::from_str(&manifest).with_context(|| format!("the Cargo.toml of {commit} has no workspace version"))?;
        Ok(manifest.workspace.package.version)
    }

    /// Whether `release` is newer than the release of the project. The commits decide between equal versions, because the
    /// commits before a release already have its version.
    fn is_newer(&self, record: &ProjectRecord, release: &Release) -> anyhow::Result<bool> {
        let is_ancestor = |old: &str, new: &str| -> anyhow::Result<bool> {
            Ok(self.git.outcome(["merge-base", "--is-ancestor", old, new])?.0)
        };
        if is_ancestor(&release.commit, &record.commit)? {
            return Ok(false);
        }
        let old = parse_version(record)?;
        let is_later_commit = is_ancestor(&record.commit, &release.commit)?;
        Ok(release.version > old || (release.version == old && is_later_commit))
    }

    /// Checks out a commit into a temporary folder.
    ///
    /// # Errors
    /// Returns an error if git fails.
    pub(crate) fn checkout(&self, commit: &str, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        self.remove(&folder)?;
        self.git.run([
            "worktree".as_ref(),
            "add".as_ref(),
            "--quiet".as_ref(),
            "--detach".as_ref(),
            folder.as_os_str(),
            commit.as_ref(),
        ])?;
        Ok(folder)
    }

    /// Deletes a checkout, if it exists.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be deleted.
    pub(crate) fn remove(&self, folder: &Path) -> anyhow::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot delete {}", folder.display()))?;
        }
        self.git.run(["worktree", "prune"])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
