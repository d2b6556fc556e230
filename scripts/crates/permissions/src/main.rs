//! `./scripts/permissions`: shows what each function's role allows, and checks that the tests need all of it.

mod removal;

use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_role_audit::report::show;

/// Print what each function's role allows, and how often the last ./scripts/test used it
#[derive(Parser)]
#[command(bin_name = "./scripts/permissions")]
struct Arguments {
    /// Instead, remove each permission from its deployed role in turn, and run the end-to-end tests until one fails
    #[arg(long)]
    without: bool,
    /// Check only the functions whose names contain this text
    #[arg(requires = "without")]
    function: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { without, function } = Arguments::parse();
    command::run(|| {
        let checkout = Checkout::here()?;
        if without { removal::without(&checkout, function.as_deref()) } else { Ok(show(&checkout)?) }
    })
}
