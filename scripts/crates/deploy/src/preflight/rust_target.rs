//! Whether Rust can compile for the architecture of the functions.

use std::path::Path;
use std::process::Command;

use super::finding::Finding;

/// Looks for the standard library of the architecture. Without it, cargo-lambda builds for minutes before it fails.
pub(crate) fn check(architecture: &str) -> Finding {
    let target = if architecture == "arm64" { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    let folder = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => return Finding::Error(format!("rustc failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => {
            return Finding::Error(format!("cannot run rustc: {error}; install Rust with rustup (https://rustup.rs)"));
        }
    };
    let has_rustup = Command::new("rustup").arg("--version").output().is_ok_and(|output| output.status.success());
    finding(target, Path::new(&folder).is_dir(), has_rustup)
}

fn finding(target: &str, is_installed: bool, has_rustup: bool) -> Finding {
    match (is_installed, has_rustup) {
        (true, _) => Finding::Good(format!("Rust can compile for {target}")),
        (false, true) => {
            Finding::Error(format!("Rust cannot compile for {target}; install its target: rustup target add {target}"))
        }
        (false, false) => Finding::Error(format!(
            "Rust cannot compile for {target}, and there is no rustup to add it. Install Rust with rustup \
             (https://rustup.rs) and run: rustup target add {target}; or install the standard library for it with your \
             package manager (Debian and Ubuntu: libstd-rust-dev of that architecture)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_target_that_compiles_this_test() {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        if cfg!(target_os = "linux") {
            assert!(matches!(check(architecture), Finding::Good(_)));
        }
    }

    #[test]
    fn missing_target_is_an_error_with_the_fix() {
        for (has_rustup, fix) in [(true, "rustup target add some-target"), (false, "package manager")] {
            let finding = finding("some-target", false, has_rustup);
            assert!(matches!(&finding, Finding::Error(text) if text.contains(fix)), "{finding:?}");
        }
    }
}
