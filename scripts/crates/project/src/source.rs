//! The files of the kit's repository.

use std::path::Path;
use std::process::Command;

use ferrite_local_stack::process::{ProcessError, capture};

/// A `git` command that runs in `folder`, whatever repository the environment names.
#[must_use]
pub fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git
}

/// The paths of the tracked files that exist in the work tree, relative to its root.
///
/// # Errors
/// Returns an error if `root` is not in a Git repository.
pub(crate) fn tracked_files(root: &Path) -> Result<Vec<String>, ProcessError> {
    let list = capture(git(root).args(["ls-files", "-z"]))?;
    let paths = list.split('\0').filter(|path| !path.is_empty() && root.join(path).is_file());
    Ok(paths.map(str::to_owned).collect())
}
