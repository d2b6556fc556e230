//! `./scripts/dev`, `token` and `deploy`.

mod deploy;
mod dev;
mod token;
mod watch;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_local_stack::emulator::EmulatorKind;

use self::dev::Mode;
use self::token::Bearer;

#[derive(Parser)]
#[command(name = "ferrite", bin_name = "./scripts/ferrite", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine, and deploy every edit to it (port: FERRITE_PORT, 4566)
    Dev(DevArguments),
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
    /// Delete the state of the last run, and start from nothing
    #[arg(long)]
    reset: bool,
    /// The emulator to run on
    #[arg(long, value_enum, default_value_t)]
    emulator: EmulatorKind,
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
    /// No token, but the keys that verify all of them (a JWK Set)
    #[arg(long)]
    jwks: bool,
}

#[derive(Args)]
struct DeployArguments {
    /// A section of samconfig.toml: staging, production …
    environment: String,
    /// The processor of the functions [default: the environment's in samconfig.toml, or arm64; on an emulator, this machine's]
    #[arg(long, value_parser = ["arm64", "x86_64"])]
    architecture: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(|| run(arguments.command))
}

fn run(command: Command) -> anyhow::Result<()> {
    let checkout = Checkout::here()?;
    match command {
        Command::Dev(arguments) => {
            let mode = match (arguments.stop, arguments.detach) {
                (true, _) => Mode::Stop,
                (_, true) => Mode::Detach,
                _ => Mode::Watch,
            };
            dev::dev(&checkout, mode, arguments.reset, arguments.emulator)
        }
        Command::Token(arguments) if arguments.jwks => Ok(token::print_jwks(&checkout)?),
        Command::Token(arguments) => {
            let bearer = arguments.customer.map_or(Bearer::Admin, Bearer::Customer);
            Ok(token::print_token(&checkout, &bearer)?)
        }
        Command::Deploy(arguments) => deploy::deploy(&checkout, &arguments.environment, arguments.architecture.as_deref()),
    }
}
