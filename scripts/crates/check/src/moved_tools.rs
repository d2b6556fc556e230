//! Checks that the tools of a moved or copied checkout work without a new installation.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::{FileError, at, delete_folder_if_exists};
use ferrite_local_stack::process::capture;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, MINISTACK, NODE, ToolSet, install, is_installed};

use crate::progress::{Outcome, Step};
use crate::steps::{KIT_TESTS, RUN};

/// Each kind of tool: scripts with a Python entry point, binaries, and a script that starts another script of its set.
const SETS: [(&ToolSet, &[&[&str]]); 3] = [
    (
        &DEPLOY_TOOLS,
        &[&["cfn-lint", "--version"], &["cargo-lambda", "lambda", "--version"], &["python", "-m", "ziglang", "version"]],
    ),
    (&MINISTACK, &[&["python", "-c", "import ministack"]]),
    (&NODE, &[&["node", "--version"], &["npm", "--version"]]),
];

/// The tools in a copy of `.tools/` at another path. Only the kit's repository has this check, not its projects.
pub(crate) fn moved_tools(checkout: &Checkout) -> Option<Step> {
    checkout.has(KIT_TESTS).then(|| Step::new("Tools of a copied checkout", check_copy))
}

fn check_copy(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let copy = checkout.run_folder(RUN)?.join("copied-checkout");
    delete_folder_if_exists(&copy)?;
    let result = SETS.iter().try_for_each(|(set, commands)| check(checkout, &copy, set, commands));
    let removed = delete_folder_if_exists(&copy);
    result?;
    removed?;
    Ok(Outcome::Passed)
}

fn check(checkout: &Checkout, copy: &Path, set: &ToolSet, commands: &[&[&str]]) -> anyhow::Result<()> {
    install(checkout, set)?;
    let lock = copy.join(set.lock_file());
    fs::create_dir_all(lock.with_file_name("")).map_err(at(&lock))?;
    fs::copy(checkout.path(set.lock_file()), &lock).map_err(at(&lock))?;
    let source = checkout.path(set.folder());
    link_folder(&source, &copy.join(set.folder()))?;
    let copied = Checkout::at(copy);
    ensure!(is_installed(&copied, set)?, "{}: a copy would be installed again; its stamp depends on the path", set.folder());
    let bin = source.join("bin");
    for entry in fs::read_dir(&bin).map_err(at(&bin))?.flatten() {
        // Otherwise, the script would start the tools of the original, as long as these exist. The scripts that activate an
        // environment in a shell are not used.
        let path = entry.path();
        let is_script = path.extension().is_none() && !path.is_symlink();
        let text = fs::read_to_string(&path).unwrap_or_default();
        let is_moved = !is_script || !text.contains(&*source.to_string_lossy());
        ensure!(is_moved, "{} contains the path of its environment", path.display());
    }
    let tools = install(&copied, set)?;
    for command in commands {
        let [program, arguments @ ..] = command else { continue };
        capture(tools.command(program).args(arguments)).with_context(|| format!("in a copied {}", set.folder()))?;
    }
    Ok(())
}

/// Copies a folder, with hard links to its files.
fn link_folder(source: &Path, copy: &Path) -> Result<(), FileError> {
    let mut folders: Vec<(PathBuf, PathBuf)> = vec![(source.to_owned(), copy.to_owned())];
    while let Some((source, copy)) = folders.pop() {
        fs::create_dir_all(&copy).map_err(at(&copy))?;
        for entry in fs::read_dir(&source).map_err(at(&source))?.flatten() {
            let (from, to) = (entry.path(), copy.join(entry.file_name()));
            let kind = entry.file_type().map_err(at(&from))?;
            if kind.is_dir() {
                folders.push((from, to));
            } else if kind.is_symlink() {
                let target = fs::read_link(&from).map_err(at(&from))?;
                std::os::unix::fs::symlink(target, &to).map_err(at(&to))?;
            } else {
                fs::hard_link(&from, &to).map_err(at(&to))?;
            }
        }
    }
    Ok(())
}
