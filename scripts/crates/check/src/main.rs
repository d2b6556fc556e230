//! `./scripts/test`: runs every check and test and prints the totals in the last line.
//!
//! To add a step that needs only the checkout, add it to `steps.rs`. New tests of workspace crates run without further
//! configuration.

mod aws_tests;
mod background;
mod cleanup;
mod dev_stack;
mod docker;
mod gates;
mod moved_tools;
mod new_project;
mod openapi;
mod options;
mod packaged_kit;
mod progress;
mod schemathesis;
mod shipped;
mod site;
mod steps;
mod suite;
mod test_groups;
mod upgraded_project;

use std::process::ExitCode;

use anyhow::bail;
use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_local_stack::emulator::EmulatorKind;

use self::options::Options;

/// Run all checks and tests; uses the emulator at AWS_ENDPOINT_URL if it is set
#[derive(Parser)]
#[command(bin_name = "./scripts/test")]
struct Arguments {
    /// Run only the tests that need no emulator, which takes seconds after the first build
    #[arg(long)]
    unit: bool,
    /// Run all tests, but no lints, documentation tests, release builds and chaos runs
    #[arg(long, conflicts_with_all = ["unit", "filter"])]
    tests: bool,
    /// Run only the tests whose names contain this text, or all tests of the function or crate with this name, and no lints,
    /// on the stack of ./scripts/dev if it is running
    filter: Option<String>,
    /// With a filter, deploy a stack for the tests even if ./scripts/dev is running
    #[arg(long, requires = "filter", conflicts_with_all = ["unit", "stack"])]
    own_stack: bool,
    /// Emulator to start if neither AWS_ENDPOINT_URL nor --stack is given
    #[arg(long, value_enum, default_value_t, conflicts_with = "unit")]
    emulator: EmulatorKind,
    /// Run the official LocalStack image in Docker
    #[arg(long, requires = "emulator", conflicts_with = "stack")]
    docker: bool,
    /// Run only the end-to-end tests against a deployed stack, on AWS unless AWS_ENDPOINT_URL is set
    #[arg(long, value_name = "NAME", conflicts_with_all = ["unit", "emulator"])]
    stack: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { unit, tests, filter, own_stack, emulator, docker, stack } = Arguments::parse();
    command::run(|| {
        if docker && emulator == EmulatorKind::Ministack {
            bail!("--docker requires --emulator localstack");
        }
        suite::test(&Checkout::here()?, &Options { unit, tests, filter, own_stack, emulator, docker, stack })
    })
}
