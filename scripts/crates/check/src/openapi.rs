//! Linters of the OpenAPI document. They run with all recommended rules, and warnings are errors.

use std::process::Command;

use anyhow::Context as _;
use ferrite_generated_files::COMMAND;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::npm::{OPENAPI_TOOLS, install_packages};
use ferrite_local_stack::process::each_line_logged;

use crate::progress::{Outcome, Step};
use crate::steps::RUN;

const DOCUMENT: &str = "shared/api/openapi.json";

/// Checks that the document has no errors and no warnings. A project without the folder of the linters has no such checks.
pub(crate) fn document_lints(checkout: &Checkout) -> Vec<Step> {
    if !checkout.has(OPENAPI_TOOLS.manifest_folder) {
        return Vec::new();
    }
    vec![
        lint("spectral", |spectral| {
            spectral.args(["lint", "--ruleset", "tests/openapi-client/spectral.yaml", "--fail-severity", "hint", DOCUMENT]);
        }),
        lint("redocly", |redocly| {
            redocly.args(["lint", "--config", "tests/openapi-client/redocly.yaml", "--format", "stylish", DOCUMENT]);
        }),
    ]
}

fn lint(tool: &'static str, arguments: fn(&mut Command)) -> Step {
    Step::new(format!("OpenAPI document ({tool})"), move |checkout| {
        let log = checkout.run_folder(RUN)?.join(format!("{tool}.log"));
        let mut command = install_packages(checkout, &OPENAPI_TOOLS)?.command(tool);
        arguments(&mut command);
        let result = each_line_logged(command.current_dir(checkout.root()), &log, |_| {});
        result.with_context(|| format!("{DOCUMENT} is generated: change the types or operations, and run {COMMAND}"))?;
        Ok(Outcome::Passed)
    })
}
