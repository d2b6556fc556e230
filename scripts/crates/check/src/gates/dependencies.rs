//! cargo-deny: licences, sources, banned and duplicate crates, and known vulnerabilities, as deny.toml says.

use std::process::Command;

use crate::checkout::Checkout;
use crate::console::say;
use crate::process::run;
use crate::tools::Tools;
use crate::trouble::Trouble;

/// Everything that Cargo.lock and the packages themselves tell.
///
/// # Errors
/// When something is found, which cargo-deny has printed.
pub fn check(checkout: &Checkout, tools: &Tools) -> Result<(), Trouble> {
    run(cargo_deny(checkout, tools).args([
        "check",
        "-D",
        "warnings",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))
}

/// Whether the dependencies were held to RustSec's database of advisories, which is fetched from GitHub. `false` where it cannot be.
///
/// # Errors
/// When an advisory concerns a dependency, or a signal came.
pub fn check_advisories(checkout: &Checkout, tools: &Tools) -> Result<bool, Trouble> {
    match run(cargo_deny(checkout, tools).args(["fetch", "db"]).stderr(std::process::Stdio::null())) {
        Err(Trouble::Interrupted) => return Err(Trouble::Interrupted),
        Err(_) => {
            say("  advisories: not checked, the database could not be fetched");
            return Ok(false);
        }
        Ok(()) => {}
    }
    run(cargo_deny(checkout, tools).args(["check", "advisories"])).map(|()| true)
}

fn cargo_deny(checkout: &Checkout, tools: &Tools) -> Command {
    let mut command = tools.command("cargo-deny");
    command.arg("--locked").current_dir(checkout.root());
    command
}
