//! `ferrite`: what scripts/dev, test, bench, outputs, token and deploy hand over to.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ferrite_scripts::checkout::Checkout;
use ferrite_scripts::endpoint::Target;
use ferrite_scripts::running::Running;
use ferrite_scripts::samconfig::Section;
use ferrite_scripts::token::Bearer;
use ferrite_scripts::trouble::Trouble;
use ferrite_scripts::{bench, console, deploy, dev, process, stack, suite, token, tools};

#[derive(Parser)]
#[command(name = "ferrite", bin_name = "./scripts/ferrite", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine, and every edit live in it (port: FERRITE_PORT, 4566)
    Dev(DevArguments),
    /// Run all checks and tests; AWS_ENDPOINT_URL names an emulator to use instead of starting one
    Test(TestArguments),
    /// Measure every function as shipped: sizes, init, first and warm invocations, memory, logs
    Bench(BenchArguments),
    /// Print the local stack's outputs as JSON
    Outputs,
    /// Print a JWT that the local stack accepts
    Token(TokenArguments),
    /// Build every function for AWS and deploy the stack of one environment of samconfig.toml
    Deploy(DeployArguments),
}

#[derive(Args)]
struct DevArguments {
    /// Leave the stack running, without watching the sources
    #[arg(long, conflicts_with = "stop")]
    detach: bool,
    /// End a stack that was left running
    #[arg(long)]
    stop: bool,
    /// Forget what the last run has left, and start from nothing
    #[arg(long)]
    reset: bool,
}

#[derive(Args)]
struct TestArguments {
    /// Only the tests that need no emulator: seconds
    #[arg(long)]
    unit: bool,
    /// Only the tests whose name contains this, and no lints
    filter: Option<String>,
}

#[derive(Args)]
struct BenchArguments {
    /// Only these functions
    functions: Vec<String>,
    /// How often each is started with each memory
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    starts: u16,
    /// Measure what the last run has built
    #[arg(long)]
    no_build: bool,
    /// Cap the CPU by stopping and continuing the process, also where the kernel has a quota for it
    #[arg(long)]
    signals: bool,
    /// Print data and not a table
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct TokenArguments {
    /// For an admin: the scope products:write
    #[arg(long)]
    admin: bool,
    /// For the customer of this id
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
}

#[derive(Args)]
struct DeployArguments {
    /// A section of samconfig.toml: staging, production …
    environment: String,
    /// The processor that the functions run on [default: the environment's in samconfig.toml, or arm64; on an emulator, this machine's]
    #[arg(long, value_parser = ["arm64", "x86_64"])]
    architecture: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match process::end_children_on_signals().and_then(|()| run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        // 128 + SIGINT, as shells report it.
        Err(Trouble::Interrupted) => {
            eprintln!("stopped");
            ExitCode::from(130)
        }
        Err(Trouble::TestsFailed) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Trouble> {
    let checkout = Checkout::here()?;
    match command {
        Command::Dev(arguments) => {
            let mode = match (arguments.stop, arguments.detach) {
                (true, _) => dev::Mode::Stop,
                (_, true) => dev::Mode::Detach,
                _ => dev::Mode::Watch,
            };
            dev::dev(&checkout, mode, arguments.reset)
        }
        Command::Test(arguments) => suite::test(&checkout, arguments.unit, arguments.filter.as_deref()),
        Command::Bench(arguments) => {
            let BenchArguments { functions, starts, no_build, signals, json } = arguments;
            bench::bench(&checkout, &bench::Options { functions, starts: starts.into(), no_build, signals, json })
        }
        Command::Outputs => print_outputs(&checkout),
        Command::Token(arguments) => {
            let bearer = arguments.customer.map_or(Bearer::Admin, Bearer::Customer);
            token::print(&checkout, &bearer)
        }
        Command::Deploy(arguments) => deploy::deploy(&checkout, &arguments.environment, arguments.architecture.as_deref()),
    }
}

fn print_outputs(checkout: &Checkout) -> Result<(), Trouble> {
    let target = match Target::from_environment()? {
        Some(target) => target,
        None => Running::find(checkout).map(|running| Target::local(running.port)).ok_or(Trouble::NothingRuns)?,
    };
    let config = Section::require(checkout, "local")?;
    let sam = tools::install(checkout, &tools::DEPLOY_TOOLS)?;
    let outputs = stack::outputs(&sam, &target, &config.stack)?;
    console::say(&serde_json::Value::Object(outputs).to_string());
    Ok(())
}
