//! `./scripts/test`: every check and test, with the totals in the last line.
//!
//! To add a step that depends on nothing but the checkout, add it to `steps.rs`. A new test of the workspace runs by itself.

mod aws_tests;
mod cleanup;
mod docker;
mod gates;
mod options;
mod packaged_kit;
mod progress;
mod schemathesis;
mod shipped;
mod site;
mod steps;
mod suite;
mod test_groups;

use std::process::ExitCode;

use anyhow::bail;
use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_local_stack::emulator::EmulatorKind;

use self::options::Options;

/// Run all checks and tests; AWS_ENDPOINT_URL names an emulator to use instead of starting one
#[derive(Parser)]
#[command(bin_name = "./scripts/test")]
struct Arguments {
    /// Only the tests that need no emulator: seconds
    #[arg(long)]
    unit: bool,
    /// Only the tests whose name contains this, and no lints
    filter: Option<String>,
    /// The emulator to start, unless AWS_ENDPOINT_URL or --stack is given
    #[arg(long, value_enum, default_value_t, conflicts_with = "unit")]
    emulator: EmulatorKind,
    /// LocalStack's own image in Docker
    #[arg(long, requires = "emulator", conflicts_with = "stack")]
    docker: bool,
    /// Only the end-to-end tests, on a stack that is deployed already: on AWS, unless AWS_ENDPOINT_URL is set
    #[arg(long, value_name = "NAME", conflicts_with_all = ["unit", "emulator"])]
    stack: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { unit, filter, emulator, docker, stack } = Arguments::parse();
    command::run(|| {
        if docker && emulator == EmulatorKind::Ministack {
            bail!("--docker goes with --emulator localstack");
        }
        suite::test(&Checkout::here()?, &Options { unit, filter, emulator, docker, stack })
    })
}
