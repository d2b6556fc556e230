//! `./scripts/generate`: regenerates everything that is derived from the template and the code.

mod contracts;

use std::process::{Command, ExitCode};

use anyhow::bail;
use clap::Parser;
use ferrite_generated_files::{COMMAND, generated_files};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_local_stack::console::{print, report};
use ferrite_local_stack::functions::remove_package_variables;
use ferrite_local_stack::process::run;

/// Regenerate everything that is derived from the template and the code
///
/// Derived from template.yaml: the preflight routes, the throttling of write routes and the policy of dead-letter queues in
/// template.yaml, the lists of infra/operations.yaml, the settings of `cargo lambda deploy`, and the table of triggers in
/// functions/README.md. Derived from the code: openapi.json, the documentation page, and the JSON Schemas of the events.
#[derive(Parser)]
#[command(bin_name = "./scripts/generate")]
struct Arguments {
    /// Change nothing. Print what would change, and fail if something would
    #[arg(long, conflicts_with = "snapshots")]
    check: bool,
    /// Also accept all responses of the API as new snapshots, which needs an emulator. Review the diff of the snapshots
    #[arg(long)]
    snapshots: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(|| generate(&arguments))
}

fn generate(arguments: &Arguments) -> anyhow::Result<()> {
    let checkout = Checkout::here()?;
    let files = generated_files(checkout.root())?;
    let outdated: Vec<_> = files.iter().filter(|file| !file.is_current()).collect();
    if arguments.check {
        outdated.iter().for_each(|file| print(&file.diff()));
        let contracts = contracts::check(&checkout);
        if !outdated.is_empty() {
            let names: Vec<_> = outdated.iter().map(|file| file.path.as_str()).collect();
            bail!("out of date: {}; run {COMMAND}", names.join(", "));
        }
        return contracts;
    }
    for file in &outdated {
        report(&format!("▸ Updating {}", file.path));
    }
    outdated.iter().try_for_each(|file| file.write(checkout.root()))?;
    contracts::write(&checkout)?;
    if arguments.snapshots {
        let mut test = Command::new("./scripts/test");
        remove_package_variables(&mut test);
        run(test.arg("responses").env("INSTA_UPDATE", "always").current_dir(checkout.root()))?;
    }
    Ok(())
}
