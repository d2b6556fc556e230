//! Runs git in one repository.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, bail, ensure};
use ferrite_local_stack::process::check_interrupted;
use semver::Version;

/// The first version with `git merge-tree --write-tree`.
const MINIMUM_VERSION: Version = Version::new(2, 38, 0);

/// Variables that redirect git to another repository. They are set if a git hook or alias started this program.
const REPOSITORY_VARIABLES: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// A repository: the folder in which git runs.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    folder: PathBuf,
    variables: Vec<(OsString, OsString)>,
    /// Whether commands run even after a signal to this program.
    ignores_signals: bool,
}

impl Git {
    /// Returns the repository that contains `folder`, without checking it.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), variables: Vec::new(), ignores_signals: false }
    }

    /// Returns the same settings for commands in another folder.
    pub(crate) fn in_folder(&self, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..self.clone() }
    }

    /// Returns the same repository for restoring the work tree after an interrupt.
    pub(crate) fn ignoring_signals(&self) -> Self {
        Self { ignores_signals: true, ..self.clone() }
    }

    /// Returns the same repository with an environment variable for git.
    pub(crate) fn with(&self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let mut git = self.clone();
        git.variables.push((name.into(), value.as_ref().to_owned()));
        git
    }

    /// A git command in the repository.
    ///
    /// It runs in its own process group, so Ctrl-C on the terminal does not stop it halfway.
    pub(crate) fn command<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new("git");
        for variable in REPOSITORY_VARIABLES {
            command.env_remove(variable);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(["-c", "core.quotePath=false"]).args(arguments).current_dir(&self.folder).process_group(0);
        command
    }

    /// Runs git and returns its standard output without the line break at the end.
    ///
    /// # Errors
    /// Returns an error with the output of git if it fails, and an error after a signal to this program.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> anyhow::Result<String> {
        self.run_with_input(arguments, "")
    }

    /// Like [`Self::run`], with `input` as standard input.
    ///
    /// # Errors
    /// Returns the errors of [`Self::run`].
    pub(crate) fn run_with_input<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
        input: &str,
    ) -> anyhow::Result<String> {
        let mut command = self.command(arguments);
        let output = self.output(&mut command, input)?;
        ensure!(output.status.success(), failure(&command, &output));
        text(output.stdout)
    }

    /// Runs git and returns whether it exited with 0, or its standard output and exit code if that is 1.
    ///
    /// # Errors
    /// Returns an error with the output of git for all other exit codes.
    pub(crate) fn outcome<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> anyhow::Result<(bool, String)> {
        let mut command = self.command(arguments);
        let output = self.output(&mut command, "")?;
        match output.status.code() {
            Some(code @ (0 | 1)) => Ok((code == 0, text(output.stdout)?)),
            _ => bail!(failure(&command, &output)),
        }
    }

    /// Runs git and returns its output, whatever its exit code is.
    ///
    /// # Errors
    /// Returns an error if git cannot be run.
    pub(crate) fn output_of<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> anyhow::Result<Output> {
        self.output(&mut self.command(arguments), "")
    }

    /// Returns the ID of the commit that `revision` names, or `None` if the repository does not contain it.
    ///
    /// # Errors
    /// Returns an error if git cannot be run.
    pub(crate) fn commit(&self, revision: &str) -> anyhow::Result<Option<String>> {
        let revision = format!("{revision}^{{commit}}");
        let output =
            self.output(&mut self.command(["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]), "")?;
        Ok(if output.status.success() { Some(text(output.stdout)?) } else { None })
    }

    /// Returns the path of a file in the git directory of this work tree.
    ///
    /// # Errors
    /// Returns an error if the folder is not in a repository.
    pub(crate) fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        Ok(self.folder.join(self.run(["rev-parse", "--git-path", name])?))
    }

    fn output(&self, command: &mut Command, input: &str) -> anyhow::Result<Output> {
        if !self.ignores_signals {
            check_interrupted()?;
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run git; install it")?;
        let stdin = child.stdin.take();
        // A thread writes the input, because git may write more output than the pipe holds before it has read everything.
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Some(mut stdin) = stdin {
                    // If git exits early, its exit status and message are more useful than this error.
                    let _ = stdin.write_all(input.as_bytes());
                }
            });
            child.wait_with_output()
        });
        output.context("cannot read the output of git")
    }
}

/// Checks that git is installed and new enough.
///
/// # Errors
/// Returns an error that names the version that is required.
pub(crate) fn check_version() -> anyhow::Result<()> {
    let output = Command::new("git").arg("--version").output().context("cannot run git; install it")?;
    let text = text(output.stdout)?;
    // For example "git version 2.39.5 (Apple Git-154)" or "git version 2.47.3".
    let numbers = text.split_whitespace().nth(2).unwrap_or_default();
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let version = Version::new(next(), next(), next());
    ensure!(version >= MINIMUM_VERSION, "git {version} is too old; install git {MINIMUM_VERSION} or newer");
    Ok(())
}

fn text(bytes: Vec<u8>) -> anyhow::Result<String> {
    let mut text = String::from_utf8(bytes).context("git printed a path that is not UTF-8; rename the file")?;
    text.truncate(text.trim_end_matches('\n').len());
    Ok(text)
}

fn failure(command: &Command, output: &Output) -> String {
    let arguments: Vec<_> = command.get_args().skip(2).take(2).map(OsStr::to_string_lossy).collect();
    let messages = String::from_utf8_lossy(&output.stderr);
    format!("git {} failed ({}): {}", arguments.join(" "), output.status, messages.trim())
}
