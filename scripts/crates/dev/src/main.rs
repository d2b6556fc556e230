//! The commands `./scripts/dev` and `./scripts/token`.

mod dev;
mod session;
mod token;
mod update;
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
    /// Run the whole stack on this machine and deploy source changes to it (set FERRITE_PORT to change the port, 4566)
    Dev(DevArguments),
    /// Print a JWT that the local stack accepts
    Token(TokenArguments),
}

#[derive(Args)]
struct DevArguments {
    /// Leave the stack running in the background, without watching for source changes
    #[arg(long, conflicts_with = "stop")]
    detach: bool,
    /// Stop the running stack
    #[arg(long)]
    stop: bool,
    /// Delete the state of the last run before starting
    #[arg(long)]
    reset: bool,
    /// Emulator to run the stack on [default: ministack, or the emulator of a detached stack]
    #[arg(long, value_enum)]
    emulator: Option<EmulatorKind>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct TokenArguments {
    /// Print a token for an admin
    #[arg(long)]
    admin: bool,
    /// Print a token without scopes for the user with this ID
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Print the public keys that verify the tokens, as a JWK Set
    #[arg(long)]
    jwks: bool,
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
            let bearer = arguments.user.map_or(Bearer::Admin, Bearer::User);
            Ok(token::print_token(&checkout, &bearer)?)
        }
    }
}
