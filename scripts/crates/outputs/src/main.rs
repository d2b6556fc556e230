//! `./scripts/outputs`: prints the outputs of the stack at `AWS_ENDPOINT_URL` if it is set, otherwise of the stack that
//! `./scripts/dev` is running.

use std::process::ExitCode;

use clap::Parser;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_local_stack::console::{print, send_progress_to_stderr};
use ferrite_local_stack::running::RunningStack;
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::stack::outputs;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};

/// Print the outputs of the local stack as JSON
#[derive(Parser)]
#[command(bin_name = "./scripts/outputs")]
struct Arguments;

fn main() -> ExitCode {
    Arguments::parse();
    command::run(print_outputs)
}

fn print_outputs() -> anyhow::Result<()> {
    send_progress_to_stderr();
    let checkout = Checkout::here()?;
    let target = match Target::from_environment()? {
        Some(target) => target,
        None => RunningStack::load(&checkout)?.target(),
    };
    let config = Section::load(&checkout, "local")?;
    let tools = install(&checkout, &DEPLOY_TOOLS)?;
    let outputs = outputs(&tools, Some(&target), &config.stack)?;
    print(&serde_json::Value::Object(outputs).to_string());
    Ok(())
}
