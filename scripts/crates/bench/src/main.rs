//! `./scripts/bench`: the size and the speed of each function, compared with two yardsticks: the floor (lambda_runtime alone)
//! and the default (the SDK with its default features).
//!
//! Every function runs as it ships, with a Runtime API and an AWS endpoint of this program, and has to handle its event.

mod aws_endpoint;
mod bench;
mod budgets;
mod cap;
mod conditions;
mod environment;
mod error;
mod figures;
mod hooks;
mod measure;
mod runtime_api;
mod subject;
mod table;
mod tls;

use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_storefront_tools::workload::STOREFRONT;

use self::bench::Options;

/// Measure every function as shipped: sizes, init, first and warm invocations, memory, logs
#[derive(Parser)]
#[command(bin_name = "./scripts/bench")]
struct Arguments {
    /// Only these functions
    functions: Vec<String>,
    /// How often each is started with each memory size
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    starts: u16,
    /// Measure what the last run has built
    #[arg(long)]
    no_build: bool,
    /// Limit the CPU by stopping and continuing the process, even if the kernel could do it
    #[arg(long)]
    signals: bool,
    /// Print JSON in place of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Arguments { functions, starts, no_build, signals, json } = Arguments::parse();
    let options = Options { functions, starts: starts.into(), no_build, signals, json };
    command::run(|| bench::bench(&Checkout::here()?, &STOREFRONT, &options))
}
