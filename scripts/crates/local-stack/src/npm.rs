//! Installs packages from the npm registry, with the versions and hashes of a lock file, into .tools/.
//!
//! Node.js and npm come from the Python package index like all other tools. Install scripts of packages are not run.

use std::fs::{self, File};
use std::path::Path;

use crate::checkout::Checkout;
use crate::console::step;
use crate::files::at;
use crate::process::each_line_logged;
use crate::tools::{NODE, ToolError, Tools, install};

/// npm packages that share a lock file.
pub struct NpmPackages {
    folder: &'static str,
    /// The folder with package.json, package-lock.json and .npmrc.
    pub manifest_folder: &'static str,
    description: &'static str,
}

/// Linters of the OpenAPI document, the generator of TypeScript types, and the TypeScript compiler.
pub const OPENAPI_TOOLS: NpmPackages = NpmPackages {
    folder: ".tools/openapi-client",
    manifest_folder: "tests/openapi-client",
    description: "Spectral, Redocly CLI, openapi-typescript, TypeScript",
};

/// The files that determine what is installed.
const MANIFEST: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

impl NpmPackages {
    /// Returns the name of the folder `node_modules`, relative to the checkout.
    #[must_use]
    pub fn node_modules(&self) -> String {
        format!("{}/node_modules", self.folder)
    }
}

/// Installs Node.js and the packages, unless they are already installed. The tools are those of the packages, and `node`.
///
/// # Errors
/// Returns an error if there is no suitable Python, or if an installer fails.
pub fn install_packages(checkout: &Checkout, packages: &NpmPackages) -> Result<Tools, ToolError> {
    let node = install(checkout, &NODE)?;
    let folder = checkout.path(packages.folder);
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let guard_path = folder.with_extension("lock");
    let guard = File::create(&guard_path).map_err(at(&guard_path))?;
    guard.lock().map_err(at(&guard_path))?;

    let mut expected_stamp = String::new();
    for name in MANIFEST {
        let path = checkout.path(packages.manifest_folder).join(name);
        expected_stamp.push_str(&fs::read_to_string(&path).map_err(at(&path))?);
    }
    // `npm ci` deletes this folder first, so the stamp does not survive a failed installation.
    let stamp = folder.join("node_modules/installed-from");
    let tools = node.with_folder(folder.join("node_modules/.bin"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == expected_stamp) {
        return Ok(tools);
    }
    step(&format!("Installing {} into {}", packages.description, packages.folder), || -> Result<(), ToolError> {
        for name in MANIFEST {
            let copy = folder.join(name);
            fs::copy(checkout.path(packages.manifest_folder).join(name), &copy).map_err(at(&copy))?;
        }
        npm_ci(&node, &folder, &checkout.path(".tools/npm-cache"))?;
        Ok(fs::write(&stamp, &expected_stamp).map_err(at(&stamp))?)
    })?;
    Ok(tools)
}

fn npm_ci(node: &Tools, folder: &Path, cache: &Path) -> Result<(), ToolError> {
    let mut npm = node.command("npm");
    // Like uv and pip, trust the certificates of the operating system, for example that of a company's proxy.
    npm.env("NODE_USE_SYSTEM_CA", "1");
    // All packages are development dependencies, which NODE_ENV=production would leave out.
    npm.args(["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--cache"])
        .arg(cache)
        .current_dir(folder);
    Ok(each_line_logged(&mut npm, &folder.with_extension("log"), |_| {})?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_pins_every_package_by_hash_and_contains_no_url() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(OPENAPI_TOOLS.manifest_folder);
        if !folder.exists() {
            // A project that does not use these packages.
            return;
        }
        let lock = fs::read_to_string(folder.join("package-lock.json")).unwrap();
        assert!(!lock.contains("://"));
        let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert!(packages.len() > 10);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].is_string() && package["version"].is_string(), "{name}");
        }
    }
}
