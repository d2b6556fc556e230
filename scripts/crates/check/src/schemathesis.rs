//! Hostile input: Schemathesis calls a stack in every way that its own document allows and forbids, and holds the answers to it.

use std::path::Path;

use ferrite_tests::issuer::{ADMIN_SCOPE, Issuer};

use crate::checkout::Checkout;
use crate::console::say;
use crate::process::each_line_logged;
use crate::token::{ADMIN, LIFETIME};
use crate::tools::{SCHEMATHESIS, install};
use crate::trouble::Trouble;

/// The settings, with what is not checked and why, and the hooks.
const FOLDER: &str = "tests/schemathesis";

/// The same one each time, so that what fails is nobody's bad luck. What comes after an answer depends on the answer too.
const SEED: &str = "1";

/// For each operation and each way of making cases: some two minutes altogether.
const EXAMPLES: &str = "40";

/// Calls the API at `api` from the document that it serves, and prints how many cases there were.
///
/// # Errors
/// When an answer is not as the document says: the error quotes the end of the log, which has each case as a line of curl.
pub fn call_from_document(checkout: &Checkout, api: &str, run_folder: &Path) -> Result<(), Trouble> {
    let tools = install(checkout, &SCHEMATHESIS)?;
    let token = Issuer::open(&checkout.keys())?.mint(ADMIN, &[ADMIN_SCOPE], LIFETIME)?;
    let folder = checkout.path(FOLDER);
    let mut command = tools.command("schemathesis");
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("{api}/openapi.json"), "--url", api, "--no-color"])
        // One worker: CPython 3.11 counts the depth of `ast.parse` for all threads together (its issue 106905), so that two of
        // Schemathesis's stop each other now and then with "AST constructor recursion depth mismatch".
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--workers", "1"])
        // It finds its hooks as a module, and keeps what it learns where it runs.
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("FERRITE_TOKEN", token)
        .current_dir(run_folder);
    each_line_logged(&mut command, &run_folder.join("schemathesis.log"), |line| {
        if line.contains(" generated, ") {
            say(&format!("  {} (seed {SEED})", line.trim()));
        }
    })
}
