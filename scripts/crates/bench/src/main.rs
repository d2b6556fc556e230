//! `./scripts/bench`: measures the size and speed of each function and compares them with two reference functions: the
//! floor (only `lambda_runtime`) and the default (the AWS SDK with its default features).
//!
//! Every function runs as it is shipped. This program serves the Runtime API and an AWS endpoint, and checks that each
//! function handles its event.

mod aws_endpoint;
mod bench;
mod budgets;
mod conditions;
mod cpu_limit;
mod environment;
mod error;
mod measure;
mod middleware_overhead;
mod results;
mod runtime_api;
mod subject;
mod table;
mod tls;

use std::process::ExitCode;

use clap::Parser;
use ferrite_application_tools::workload::WORKLOAD;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;

use self::bench::Options;

/// Measure every function as shipped: sizes, init, first and warm invocations, memory, logs
#[derive(Parser)]
#[command(bin_name = "./scripts/bench")]
struct Arguments {
    /// Measure only these functions
    functions: Vec<String>,
    /// Number of cold starts per function and memory size
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    starts: u16,
    /// Measure the functions that the previous run built
    #[arg(long)]
    no_build: bool,
    /// Limit the CPU by stopping and resuming the process, even if cgroups are available
    #[arg(long)]
    signals: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Arguments { functions, starts, no_build, signals, json } = Arguments::parse();
    let options = Options { functions, starts: starts.into(), no_build, signals, json };
    command::run(|| bench::bench(&Checkout::here()?, &WORKLOAD, &options))
}
