//! Schemathesis sends valid and invalid requests that it generates from the API document, and checks the responses.

use std::path::Path;
use std::time::Duration;

use ferrite_application_tools::scopes::ADMIN_SCOPE;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::process::each_line_logged;
use ferrite_local_stack::tools::{SCHEMATHESIS, install};
use ferrite_token_issuer::issuer::Issuer;

/// Longer than any run.
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The folder with the settings and the hooks.
pub(crate) const FOLDER: &str = "tests/schemathesis";

/// A fixed seed, so that failures can be reproduced. Later cases also depend on earlier responses.
const SEED: &str = "1";

/// Number of examples for each operation and each method of generating cases.
const EXAMPLES: &str = "40";

/// Calls the API at `api` according to its document, and prints the number of cases.
///
/// # Errors
/// Returns an error if a response does not conform to the document. It quotes the end of the log, which contains a curl
/// command for each failed case.
pub(crate) fn call_from_document(checkout: &Checkout, api: &str, run_folder: &Path) -> anyhow::Result<()> {
    let tools = install(checkout, &SCHEMATHESIS)?;
    let token = Issuer::open(&checkout.keys_folder())?.mint("schemathesis", &[ADMIN_SCOPE], TOKEN_LIFETIME);
    let folder = checkout.path(FOLDER);
    let mut command = tools.command("schemathesis");
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("{api}/openapi.json"), "--url", api, "--no-color"])
        // One worker, because CPython 3.11 counts the depth of `ast.parse` for all threads together (CPython issue 106905).
        // Two workers sometimes fail with "AST constructor recursion depth mismatch".
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--workers", "1"])
        // Schemathesis imports its hooks as a module and stores data in the current folder.
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
