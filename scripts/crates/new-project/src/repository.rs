//! Git: the commit that a project is created from, and the repository of the project.

use std::path::Path;
use std::process::{Command, Stdio};

use ferrite_local_stack::process::{ProcessError, capture, run};
use ferrite_project::git;

/// The commit that is checked out in the kit's repository at `root`.
///
/// # Errors
/// Returns an error if `root` is not in a Git repository, or has no commit.
pub(crate) fn commit(root: &Path) -> Result<String, ProcessError> {
    Ok(capture(git(root).args(["rev-parse", "HEAD"]))?.trim().to_owned())
}

/// Where the kit's repository at `root` was cloned from, or `root` itself. The URL has no credentials, because the project
/// commits it.
pub(crate) fn origin(root: &Path) -> String {
    let url = origin_url(root).unwrap_or_default();
    if is_path(&url) {
        // `root` itself if the URL is empty.
        let path = root.join(url);
        path.canonicalize().unwrap_or(path).display().to_string()
    } else {
        without_user(&url)
    }
}

/// The URL of the remote `origin` as it is configured. `git remote get-url` would add the credentials of `insteadOf`.
fn origin_url(root: &Path) -> Option<String> {
    let url = capture(git(root).args(["config", "--get", "remote.origin.url"])).ok()?;
    Some(url.trim().to_owned()).filter(|url| !url.is_empty())
}

/// Whether a remote is a path. `https://host/path` and `host:path` have a colon before the first slash.
fn is_path(url: &str) -> bool {
    !url.split('/').next().unwrap_or_default().contains(':')
}

/// Removes the user name and password from an HTTP URL.
fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http)) => {
            let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let host_start = rest[..host_end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[host_start..])
        }
        _ => url.to_owned(),
    }
}

/// Reasons why an upgrade of a project that is created from the kit's repository at `root` would fail or have conflicts.
///
/// # Errors
/// Returns an error if Git fails.
pub(crate) fn warnings(root: &Path) -> Result<Vec<String>, ProcessError> {
    let mut warnings = Vec::new();
    let commit = commit(root)?;
    // A shallow clone of a release has its tag, but no branch of origin.
    let published = ["for-each-ref", "--contains", &commit, "refs/remotes/origin", "refs/tags"];
    if origin_url(root).is_some() && capture(git(root).args(published))?.is_empty() {
        warnings.push(format!("warning: origin does not have the commit {commit}; push it before ./scripts/upgrade"));
    }
    if !capture(git(root).args(["status", "--porcelain", "--untracked-files=no"]))?.is_empty() {
        let warning = "warning: the project contains changes of Ferrite that are not committed; ./scripts/upgrade will treat \
                       them as yours";
        warnings.push(warning.to_owned());
    }
    Ok(warnings)
}

/// Whether files in `folder` would belong to a Git repository that exists already.
pub(crate) fn is_in_repository(folder: &Path) -> bool {
    let succeeds = |command: &mut Command| run(command.stdout(Stdio::null()).stderr(Stdio::null())).is_ok();
    succeeds(git(folder).args(["rev-parse", "--is-inside-work-tree"]))
        && !succeeds(git(folder).args(["check-ignore", "--quiet", "."]))
}

/// Creates a repository in the folder of a new project, with all files in its first commit.
///
/// # Errors
/// Returns an error if Git fails.
pub(crate) fn create(root: &Path, message: &str) -> Result<(), ProcessError> {
    run(git(root).args(["init", "--quiet", "--initial-branch", "main"]))?;
    run(git(root).args(["add", "--all"]))?;
    let mut commit = git(root);
    // Git refuses to commit without an identity, which a new machine does not have.
    if run(git(root).args(["var", "GIT_COMMITTER_IDENT"]).stdout(Stdio::null()).stderr(Stdio::null())).is_err() {
        commit.args(["-c", "user.name=new-project", "-c", "user.email=new-project@localhost"]);
    }
    run(commit.args(["commit", "--quiet", "--no-gpg-sign", "--no-verify", "--message", message]))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A repository in a temporary folder with one commit, and its root.
    fn repository() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("kit");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("file"), "one\n").unwrap();
        create(&root, "One").unwrap();
        (folder, root)
    }

    #[test]
    fn the_origin_has_no_credentials_and_is_not_relative() {
        let (folder, root) = repository();
        let other = folder.path().canonicalize().unwrap().join("ferrite");
        fs::create_dir(&other).unwrap();
        assert_eq!(origin(&root), root.display().to_string());
        run(git(&root).args(["remote", "add", "origin", "url"])).unwrap();
        // Assembled, so that detect-secrets does not find a password in this file.
        let with_password = format!("https://{}@example.com/a/ferrite", ["ada", "t0ken"].join(":"));
        for (url, expected) in [
            (with_password.as_str(), "https://example.com/a/ferrite"),
            ("HTTP://t@ken@example.com:8080", "HTTP://example.com:8080"),
            ("https://example.com/a@b", "https://example.com/a@b"),
            ("ssh://git@example.com/a/ferrite", "ssh://git@example.com/a/ferrite"),
            ("git@example.com:a/ferrite", "git@example.com:a/ferrite"),
            ("../ferrite", &other.display().to_string()),
            ("/no/such/repository", "/no/such/repository"),
        ] {
            run(git(&root).args(["config", "remote.origin.url", url])).unwrap();
            assert_eq!(origin(&root), expected);
        }
    }

    #[test]
    fn the_origin_has_no_credentials_of_rewritten_urls() {
        let (_folder, root) = repository();
        run(git(&root).args(["remote", "add", "origin", "https://example.com/ferrite"])).unwrap();
        run(git(&root).args(["config", "url.https://t0ken@example.com/.insteadOf", "https://example.com/"])).unwrap();
        assert_eq!(origin(&root), "https://example.com/ferrite");
    }

    #[test]
    fn warns_of_changes_that_an_upgrade_does_not_find() {
        let (folder, kit) = repository();
        let root = folder.path().join("clone");
        run(git(folder.path()).args(["clone", "--quiet"]).arg(&kit).arg(&root)).unwrap();
        assert!(warnings(&kit).unwrap().is_empty(), "without origin, the source is the repository itself");
        fs::write(root.join("untracked"), "").unwrap();
        assert!(warnings(&root).unwrap().is_empty());

        fs::write(root.join("file"), "two\n").unwrap();
        let changed = warnings(&root).unwrap();
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        run(git(&root).args(identity).args(["commit", "--quiet", "--no-gpg-sign", "--all", "--message", "Two"])).unwrap();
        let committed = warnings(&root).unwrap();
        run(git(&root).args(["tag", "v1.0.0"])).unwrap();

        assert_eq!(changed.len(), 1);
        assert!(changed[0].starts_with("warning: the project contains changes of Ferrite"), "{changed:?}");
        let commit = commit(&root).unwrap();
        let expected = format!("warning: origin does not have the commit {commit}; push it before ./scripts/upgrade");
        assert_eq!(committed, [expected]);
        assert!(warnings(&root).unwrap().is_empty());
    }
}
