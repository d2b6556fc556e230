//! `./scripts/deploy ENVIRONMENT`: asks for missing settings, checks the AWS account, builds every function for Lambda, and
//! runs `sam deploy`.

mod aws_settings;
mod costs;
mod deploy;
mod missing;
mod parameter;
mod preflight;
mod questions;
mod saved_settings;
mod stack_name;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;

/// Build all functions for Lambda and deploy the stack to an environment in samconfig.toml
#[derive(Parser)]
#[command(bin_name = "./scripts/deploy")]
struct Arguments {
    /// Environment to deploy: a section of samconfig.toml, such as staging or production
    environment: String,
    /// Architecture of the functions [default: from samconfig.toml, or arm64; on an emulator, that of this machine]
    #[arg(long, value_parser = ["arm64", "x86_64"])]
    architecture: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { environment, architecture } = Arguments::parse();
    command::run(|| deploy::deploy(&Checkout::here()?, &environment, architecture.as_deref()))
}
