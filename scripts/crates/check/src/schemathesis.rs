//! Hostile input: Schemathesis calls the API in every way that its own document allows and forbids, and checks the responses.

use std::path::Path;
use std::time::Duration;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::process::each_line_logged;
use ferrite_local_stack::tools::{SCHEMATHESIS, install};
use ferrite_storefront_tools::scopes::ADMIN_SCOPE;
use ferrite_token_issuer::issuer::Issuer;

/// Longer than a run takes.
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The folder with the settings and the hooks.
const FOLDER: &str = "tests/schemathesis";

/// The same each time, so that failures can be reproduced. Later cases also depend on earlier responses.
const SEED: &str = "1";

/// For each operation and each way to generate cases, which takes about two minutes in total.
const EXAMPLES: &str = "40";

/// Calls the API at `api` according to the document that it serves, and prints the number of cases.
///
/// # Errors
/// When a response differs from the document. The error quotes the end of the log, which has each case as a curl command.
pub(crate) fn call_from_document(checkout: &Checkout, api: &str, run_folder: &Path) -> anyhow::Result<()> {
    let tools = install(checkout, &SCHEMATHESIS)?;
    let token = Issuer::open(&checkout.keys())?.mint("schemathesis", &[ADMIN_SCOPE], TOKEN_LIFETIME);
    let folder = checkout.path(FOLDER);
    let mut command = tools.command("schemathesis");
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("{api}/openapi.json"), "--url", api, "--no-color"])
        // One worker, because CPython 3.11 counts the depth of `ast.parse` for all threads together (its issue 106905), so that
        // two workers fail at times with "AST constructor recursion depth mismatch".
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--workers", "1"])
        // It finds its hooks as a module, and stores its data in the current folder.
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("FERRITE_TOKEN", token)
        .current_dir(run_folder);
    each_line_logged(&mut command, &run_folder.join("schemathesis.log"), |line| {
        if line.contains(" generated, ") {
            report(&format!("  {} (seed {SEED})", line.trim()));
        }
    })?;
    Ok(())
}
