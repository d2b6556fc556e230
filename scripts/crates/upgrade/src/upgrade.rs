//! The steps of `./scripts/upgrade`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail, ensure};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::functions::{cargo, remove_package_variables};
use ferrite_local_stack::process::{capture, interrupted, run};
use ferrite_project::{Generated, Names, ProjectRecord, RECORD_FILE, generate};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::changelog::changes;
use crate::git::{self, Git};
use crate::merge::{Conflict, LOCK, Merged, Sides, apply, delete_refs, merge, overwritten};
use crate::record::with_release;
use crate::releases::{Release, Releases, parse_version};
use crate::state::{Phase, State};
use crate::trees::{with_subtree, write_folder};

/// Number of files that a message lists.
const MAX_LISTED: usize = 10;

/// What to do with the snapshots, which stay as they are because they need a deployed stack.
const SNAPSHOTS: &str =
    "If the responses of the API have changed, run ./scripts/generate --snapshots, and review the diff of the snapshots.";

/// What the program of the old release passes to the program of the new release.
///
/// The two programs can be years apart: only add optional fields.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The root of the project.
    project: PathBuf,
    /// The folder with the project as it was generated from the old release.
    base: PathBuf,
    /// The files of the application and the generated files in it.
    owned: Vec<String>,
    generated: Vec<String>,
    /// A checkout of the new release.
    source: PathBuf,
    /// The version of the new release.
    version: Version,
    /// Its commit.
    commit: String,
    /// Whether the commit has a tag for the version.
    is_tagged: bool,
    /// Whether to skip the tests of the upgraded project.
    no_test: bool,
}

/// Upgrades the project to the release `version`, or to the newest one.
///
/// # Errors
/// Returns an error if the project is not ready, the release does not exist, or the upgrade has conflicts or fails.
pub(crate) fn start(checkout: &Checkout, version: Option<&str>, no_test: bool) -> anyhow::Result<()> {
    let git = Git::at(checkout.root());
    check_ready(&git, checkout)?;
    let record = ProjectRecord::read(checkout.root())?;
    let folder = checkout.run_folder("upgrade")?;
    let releases = step("Fetching the releases of Ferrite", || Releases::fetch(&record.source, &folder))?;
    let Some(release) = releases.choose(&record, version)? else {
        report(&format!("The project already has the newest release, {}.", record.version));
        return Ok(());
    };
    report(&format!("▸ Upgrading from {} to {}", record.version, release.name()));
    let result = generate_and_merge(checkout, &releases, &record, &release, no_test);
    for name in ["old", "new", "base"] {
        releases.remove(&folder.join(name))?;
    }
    result
}

fn generate_and_merge(
    checkout: &Checkout,
    releases: &Releases,
    record: &ProjectRecord,
    release: &Release,
    no_test: bool,
) -> anyhow::Result<()> {
    let base = checkout.run_folder("upgrade")?.join("base");
    releases.remove(&base)?;
    let old = releases.checkout(&record.commit, "old")?;
    let new = releases.checkout(&release.commit, "new")?;
    ensure!(
        new.join("scripts/crates/upgrade").is_dir(),
        "the release {} has no ./scripts/upgrade; upgrade to a later release",
        release.name()
    );
    let generated = step("Generating the old release", || generate_project(&old, record, &base))?;
    let request = Request {
        project: checkout.root().to_owned(),
        base,
        owned: generated.owned,
        generated: generated.generated,
        source: new.clone(),
        version: release.version.clone(),
        commit: release.commit.clone(),
        is_tagged: release.is_tagged,
        no_test,
    };
    // The crates that both releases depend on are already compiled in the project's target folder.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.path("target"), PathBuf::from);
    let mut program = cargo(&Checkout::at(&new));
    program.args(["run", "--quiet", "--package", "ferrite-upgrade", "--target-dir"]).arg(checkout.path("").join(target));
    // Cargo identifies a crate by its path in the workspace. With the same profile, it would take the crates of this program
    // for those of the project, which contain other names. An environment variable would also change the project's builds.
    program.args(["--config", "profile.dev.debug='limited'"]);
    program.arg("--").arg("--apply").arg(serde_json::to_string(&request)?);
    report("▸ Running the upgrade program of the new release");
    // The program has printed its error.
    run(&mut program).map_err(|_| anyhow!(AlreadyReported))
}

/// Generates a project again, without its record, from the checkout `source` into the new folder `destination`.
fn generate_project(source: &Path, record: &ProjectRecord, destination: &Path) -> anyhow::Result<Generated> {
    let names = Names::parse(&record.name).with_context(|| format!("cannot use the name in {RECORD_FILE}"))?;
    Ok(generate(source, &names, &record.application, destination)?)
}

/// Checks everything that can be checked before a download.
fn check_ready(git: &Git, checkout: &Checkout) -> anyhow::Result<()> {
    git::check_version()?;
    ensure!(
        checkout.path(RECORD_FILE).is_file(),
        "this is not a project of ./scripts/new-project: it has no {RECORD_FILE}, which records the version of Ferrite"
    );
    git.run(["rev-parse", "--show-toplevel"]).context("the project is not in a git repository; run git init")?;
    ensure!(git.commit("HEAD")?.is_some(), "the project has no commit; run git add --all && git commit");
    if let Some(state) = State::in_progress(git)? {
        let State { phase, release, .. } = &state;
        let next = if *phase == Phase::Applied { "finish it with --continue or undo it" } else { "undo it" };
        ensure!(is_undone(git, &state)?, "an upgrade to {release} is in progress; {next} with --abort");
        forget(git)?;
    }
    for (file, operation) in [
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
    ] {
        ensure!(!git.path(file)?.exists(), "a git {operation} is in progress; finish or abort it first");
    }
    let status = git.run(["status", "--porcelain", "--untracked-files=all"])?;
    ensure!(
        status.is_empty(),
        "the work tree has changes; commit them, or run git stash --include-untracked:\n{}",
        listed(status.lines())
    );
    git.run(["var", "GIT_COMMITTER_IDENT"]).context("git does not know your name; set user.name and user.email")?;
    Ok(())
}

/// Merges a release into the project. The program of the new release does this.
///
/// # Errors
/// Returns an error if the upgrade has conflicts or fails.
pub(crate) fn apply_release(request: &str) -> anyhow::Result<()> {
    let request: Request = serde_json::from_str(request).context("cannot read the request of the old release's program")?;
    let checkout = Checkout::at(&request.project);
    let git = Git::at(checkout.root());
    check_ready(&git, &checkout)?;
    let folder = checkout.run_folder("upgrade")?.join("release");
    remove_folder(&folder)?;
    let record = ProjectRecord::read(checkout.root())?;
    let generated = step("Generating the new release", || generate_project(&request.source, &record, &folder));
    let result = generated.and_then(|generated| merge_release(&checkout, &git, &request, &folder, &generated));
    remove_folder(&folder)?;
    result
}

/// Merges the release in the folder `release`, which has the files `generated`, into the project.
fn merge_release(
    checkout: &Checkout,
    git: &Git,
    request: &Request,
    release: &Path,
    generated: &Generated,
) -> anyhow::Result<()> {
    let Request { version, commit, is_tagged, no_test, .. } = request;
    let name = Release { version: version.clone(), commit: commit.clone(), is_tagged: *is_tagged }.name();
    let path = checkout.path(RECORD_FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let old_version = parse_version(&ProjectRecord::read(checkout.root())?)?;
    let start = git.commit("HEAD")?.context("the project has no commit")?;
    let prefix = git.run(["rev-parse", "--show-prefix"])?;
    // Git prints paths relative to its current folder, so run it in the root of the repository.
    let top = PathBuf::from(git.run(["rev-parse", "--show-toplevel"])?);
    let git = &git.in_folder(&top);
    let all = |old: &[String], new: &[String]| old.iter().chain(new).cloned().collect();
    let sides = Sides {
        base: write_folder(git, &request.base)?,
        project: git.run(["rev-parse", &format!("{start}:{prefix}")])?,
        release: write_folder(git, release)?,
        record: (text.clone(), with_release(&text, &version.to_string(), commit)?),
        owned: all(&request.owned, &generated.owned),
        generated: all(&request.generated, &generated.generated),
    };
    let merged = step("Merging", || merge(git, &sides, &name))?;
    let tree = with_subtree(git, &start, &prefix, &merged.tree)?;
    let overwritten = overwritten(git, &top, &start, &tree)?;
    if !overwritten.is_empty() {
        delete_refs(git)?;
        bail!(
            "git ignores these files, but the release adds files with the same paths; move yours:\n{}",
            listed(overwritten.iter().map(String::as_str))
        );
    }
    let changelog = fs::read_to_string(request.source.join("CHANGELOG.md")).unwrap_or_default();
    let changes = changes(&changelog, &old_version, version, !is_tagged);
    let mut state = State {
        phase: Phase::Applying,
        start,
        release: name,
        conflicts: merged.conflicts.keys().map(|path| format!("{prefix}{path}")).collect(),
        manual_steps: changes.manual_steps,
        result: None,
    };
    let applied = apply_merged(git, &mut state, &tree, &prefix, &merged);
    restore_after_interrupt(git, &state, applied.is_err(), applied)?;

    for section in &changes.sections {
        report(&format!("\n{section}"));
    }
    report(&format!("\n{}.", git.run(["diff", "--shortstat", &state.start])?.trim()));
    report_list("The release changes these files, which your project has deleted. They stay deleted:", &merged.kept_deleted);
    report_list("The release no longer has these files, which your project has changed. They stay:", &merged.kept);
    if !merged.conflicts.is_empty() {
        print_manual_steps(&state);
        explain_conflicts(&state, &merged);
        bail!(AlreadyReported);
    }
    let finished = finish(checkout, git, &mut state, *no_test);
    restore_after_interrupt(git, &state, interrupted() && state.phase != Phase::Committed, finished)
}

/// Puts the merged files into the work tree.
fn apply_merged(git: &Git, state: &mut State, tree: &str, prefix: &str, merged: &Merged) -> anyhow::Result<()> {
    state.save(git)?;
    State::keep_program(git, &std::env::current_exe().context("cannot find this program")?)?;
    apply(git, &state.start, tree, prefix, &merged.conflicts)?;
    let message = git.path("MERGE_MSG")?;
    fs::write(&message, message_of(state)).with_context(|| format!("cannot write {}", message.display()))?;
    state.phase = Phase::Applied;
    state.save(git)
}

/// Restores the work tree if `is_needed`, and returns `result`.
fn restore_after_interrupt(git: &Git, state: &State, is_needed: bool, result: anyhow::Result<()>) -> anyhow::Result<()> {
    if is_needed {
        restore(&git.ignoring_signals(), state)?;
        report("The work tree is as it was before the upgrade.");
    }
    result
}

/// Updates Cargo.lock and the generated files, runs the tests, and commits everything.
fn finish(checkout: &Checkout, git: &Git, state: &mut State, no_test: bool) -> anyhow::Result<()> {
    let checked = check(checkout, no_test);
    if let Err(error) = checked {
        if !interrupted() {
            print_manual_steps(state);
            report("\nThe files are merged, but not committed. Solve the problem below, and then run");
            report("./scripts/upgrade --continue (with --no-test to skip the tests). To undo the upgrade, run");
            report("./scripts/upgrade --abort.");
        }
        return Err(error);
    }
    git.run(["add", "--all"])?;
    let is_staged = !git.outcome(["diff", "--cached", "--quiet"])?.0;
    if is_staged {
        git.run(["commit", "--quiet", "--message", &message_of(state)])?;
    }
    state.phase = Phase::Committed;
    state.result = git.commit("HEAD")?;
    state.save(git)?;
    State::drop_program(git)?;
    delete_refs(git)?;
    print_manual_steps(state);
    report(&format!("\nThe project has version {} of Ferrite now. The upgrade is the newest commit.", state.release));
    report("To undo it, run ./scripts/upgrade --abort.");
    report(SNAPSHOTS);
    Ok(())
}

fn check(checkout: &Checkout, no_test: bool) -> anyhow::Result<()> {
    if checkout.path(LOCK).is_file() {
        step("Updating Cargo.lock", || capture(cargo(checkout).args(["metadata", "--quiet", "--format-version", "1"])))?;
    }
    let script = |name: &str| {
        let mut command = Command::new(checkout.path("scripts").join(name));
        remove_package_variables(command.current_dir(checkout.root()));
        command
    };
    if checkout.path("scripts/generate").is_file() {
        step("Regenerating the generated files", || run(&mut script("generate")))?;
    }
    if !no_test {
        step("Running the unit tests", || run(script("test").arg("--unit")))?;
    }
    Ok(())
}

/// Finishes an upgrade after its conflicts are resolved.
///
/// # Errors
/// Returns an error if no upgrade is in progress, conflicts are left, or the checks fail.
pub(crate) fn resume(checkout: &Checkout, no_test: bool) -> anyhow::Result<()> {
    let git = Git::at(checkout.root());
    let mut state = State::in_progress(&git)?.context("no upgrade is in progress")?;
    if is_undone(&git, &state)? {
        forget(&git)?;
        bail!("the upgrade is already undone");
    }
    ensure!(state.phase == Phase::Applied, "the upgrade was interrupted; run ./scripts/upgrade --abort");
    let unmerged = git.run(["diff", "--name-only", "--no-relative", "--diff-filter=U"])?;
    ensure!(unmerged.is_empty(), "resolve these conflicts, and run git add for each file:\n{}", listed(unmerged.lines()));
    let top = PathBuf::from(git.run(["rev-parse", "--show-toplevel"])?);
    let has_markers = |path: &&String| {
        let text = fs::read(top.join(path)).unwrap_or_default();
        text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< ") || line.starts_with(b">>>>>>> "))
    };
    let marked: Vec<&str> = state.conflicts.iter().filter(has_markers).map(String::as_str).collect();
    ensure!(marked.is_empty(), "remove the conflict markers from these files:\n{}", listed(marked.into_iter()));
    finish(checkout, &git, &mut state, no_test)
}

/// Undoes the last upgrade, whether it is in progress or committed.
///
/// # Errors
/// Returns an error if there is none, or if there are later commits.
pub(crate) fn abort(checkout: &Checkout) -> anyhow::Result<()> {
    let git = Git::at(checkout.root());
    let state = State::load(&git)?.context("there is no upgrade to undo")?;
    if is_undone(&git, &state)? {
        forget(&git)?;
        report("The upgrade is already undone.");
        return Ok(());
    }
    let start = &state.start;
    let head = git.commit("HEAD")?.unwrap_or_default();
    let is_committed_by_hand = git.commit("HEAD^")?.as_ref() == Some(start);
    if state.phase == Phase::Committed {
        let result = state.result.as_deref().unwrap_or_default();
        ensure!(head == result, "there are commits after the upgrade; undo it with: git revert {result}");
        let status = git.run(["status", "--porcelain", "--untracked-files=all"])?;
        ensure!(status.is_empty(), "the work tree has changes; commit or stash them first:\n{}", listed(status.lines()));
    } else if head != *start && !is_committed_by_hand {
        bail!("there are commits after the start of the upgrade; to drop them, too, run: git reset --hard {start}");
    }
    report_list("These untracked files are deleted:", &untracked(&git)?);
    restore(&git, &state)?;
    report(&format!("The project is as it was before the upgrade to {}.", state.release));
    Ok(())
}

/// Resets the work tree to the commit before the upgrade. It had no changes and no untracked files then.
fn restore(git: &Git, state: &State) -> anyhow::Result<()> {
    if state.phase == Phase::Applying {
        // If git was killed while it replaced the files, its lock is left.
        let _ = fs::remove_file(git.path("index.lock")?);
    }
    git.run(["reset", "--quiet", "--hard", &state.start])?;
    git.run(["clean", "--quiet", "--force", "-d", ":/"])?;
    forget(git)
}

/// Whether git has undone the upgrade, for example with `git reset --hard`. The merge always changes the record.
fn is_undone(git: &Git, state: &State) -> anyhow::Result<bool> {
    Ok(state.phase == Phase::Applied && git.outcome(["diff", "--quiet", &state.start, "--", RECORD_FILE])?.0)
}

/// Deletes what an upgrade has stored in the git directory.
fn forget(git: &Git) -> anyhow::Result<()> {
    State::delete(git)?;
    delete_refs(git)
}

/// The untracked files in the whole repository, without ignored ones.
fn untracked(git: &Git) -> anyhow::Result<BTreeSet<String>> {
    let status = git.run(["status", "--porcelain", "--untracked-files=all"])?;
    Ok(status.lines().filter_map(|line| line.strip_prefix("?? ")).map(str::to_owned).collect())
}

fn message_of(state: &State) -> String {
    format!("Upgrade Ferrite to {}\n", state.release)
}

fn print_manual_steps(state: &State) {
    if !state.manual_steps.is_empty() {
        report("\nManual steps:");
    }
    for steps in &state.manual_steps {
        report(&format!("\n{steps}"));
    }
}

fn explain_conflicts(state: &State, merged: &Merged) {
    report("\nConflicts: your project and Ferrite have changed the same lines.");
    for (path, Conflict { messages, .. }) in &merged.conflicts {
        report(&format!("  {path}"));
        for message in messages {
            report(&format!("    {message}"));
        }
    }
    let State { release, start, .. } = state;
    report("\nIn these files, the lines after \"<<<<<<< ferrite/project\" are yours, and the lines before");
    report(&format!("\">>>>>>> ferrite/{release}\" are those of the release. Everything else is merged and staged."));
    report("1. Edit the files, remove the markers, and run git add for each file.");
    report("2. Run ./scripts/upgrade --continue.");
    report(&format!("3. {SNAPSHOTS}"));
    report("To undo the upgrade, run ./scripts/upgrade --abort.");
    report(&format!("If that does not start, run git reset --hard {start}."));
}

fn listed<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = lines.collect();
    let mut text: Vec<String> = lines.iter().take(MAX_LISTED).map(|line| format!("  {}", line.trim_end())).collect();
    if lines.len() > MAX_LISTED {
        text.push(format!("  and {} more", lines.len() - MAX_LISTED));
    }
    text.join("\n")
}

fn report_list(title: &str, paths: &BTreeSet<String>) {
    if !paths.is_empty() {
        report(title);
        report(&listed(paths.iter().map(String::as_str)));
    }
}

fn remove_folder(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
