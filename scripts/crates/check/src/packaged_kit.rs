//! The kit without a fork: its crates as packages, and a project that depends only on these packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::delete_folder_if_exists;
use ferrite_local_stack::functions::cargo;
use ferrite_local_stack::process::run;

use crate::progress::{Outcome, Step};
use crate::steps::{RUN, cargo_tests_step};

/// The kit crates.
const KIT: [&str; 3] = ["ferrite-core", "ferrite-runtime", "ferrite-aws"];

/// The sample project, which is outside the workspace.
const SAMPLE: &str = "tests/sample";

/// Limit that keeps the sample small.
const MAX_SAMPLE_LINES: usize = 80;

/// Packages the kit, and builds and tests the sample project with the packages. Projects do not have the sample.
pub(crate) fn steps(checkout: &Checkout) -> Vec<Step> {
    if !checkout.has(SAMPLE) {
        return Vec::new();
    }
    vec![
        Step::new("Packages of the kit", |checkout| {
            package(checkout)?;
            check_source(checkout)?;
            Ok(Outcome::Passed)
        }),
        cargo_tests_step("Sample project with the packaged kit", |checkout| {
            let mut command = cargo(checkout);
            // The target folder of the workspace already contains many dependencies.
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.path("target"), PathBuf::from);
            command.args(["test", "--locked", "--manifest-path"]).arg(checkout.path(SAMPLE).join("Cargo.toml"));
            command.arg("--target-dir").arg(target);
            for name in KIT {
                let path = packaged(&packages(checkout)?, name)?.with_extension("");
                command.arg("--config").arg(format!("patch.crates-io.{name}.path={:?}", path.display().to_string()));
            }
            Ok(command)
        }),
    ]
}

/// The folder that contains the packages.
fn packages(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    Ok(checkout.run_folder(RUN)?.join("packages"))
}

/// Creates the packages and unpacks them. Cargo's verification is disabled, because it would build each package separately;
/// the sample project builds all of them once.
fn package(checkout: &Checkout) -> anyhow::Result<()> {
    let folder = packages(checkout)?;
    delete_folder_if_exists(&folder)?;
    let mut command = cargo(checkout);
    command.args(["package", "--quiet", "--no-verify", "--allow-dirty", "--target-dir"]).arg(&folder);
    for name in KIT {
        command.args(["--package", name]);
    }
    run(&mut command)?;
    for name in KIT {
        let archive = packaged(&folder, name)?;
        run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.join("package")))?;
    }
    Ok(())
}

/// Finds the archive of a crate, `NAME-VERSION.crate`.
fn packaged(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = folder.join("package");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let is_archive = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.ends_with(".crate") && file.starts_with(&format!("{name}-"))
    };
    let archive = entries.filter_map(|entry| Some(entry.ok()?.path())).find(is_archive);
    archive.with_context(|| format!("cargo package wrote no archive of {name} to {}", folder.display()))
}

/// Checks the format and the length of the sample. `cargo fmt` ignores it, because it is not a member of the workspace.
fn check_source(checkout: &Checkout) -> anyhow::Result<()> {
    let sources = checkout.path(SAMPLE).join("src/bin");
    let entries = fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))?;
    let files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let mut lines = 0;
    for file in &files {
        lines += fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?.lines().count();
    }
    ensure!(lines < MAX_SAMPLE_LINES, "{SAMPLE} has {lines} lines, but the limit is {MAX_SAMPLE_LINES}");
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "--config-path"]).arg(checkout.path("rustfmt.toml")).args(&files);
    run(rustfmt.current_dir(checkout.root()))?;
    Ok(())
}
