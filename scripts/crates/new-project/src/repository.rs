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

/// Where the kit's repository at `root` was cloned from, or `root` itself.
pub(crate) fn origin(root: &Path) -> String {
    let url = capture(git(root).args(["remote", "get-url", "origin"]).stderr(Stdio::null())).unwrap_or_default();
    let url = url.trim();
    if url.is_empty() { root.display().to_string() } else { url.to_owned() }
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
