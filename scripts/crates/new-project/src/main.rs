//! `./scripts/new-project NAME DIRECTORY`: creates a project with the kit and an application.

mod create;
mod repository;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_project::{Application, Names};

/// Create a project of your own: the kit, and a skeleton application
#[derive(Parser)]
#[command(bin_name = "./scripts/new-project")]
struct Arguments {
    /// Name of the project, such as my-app; stacks, event types, URNs and metrics are named after it
    name: String,
    /// Folder to create; it must not exist or be empty
    directory: PathBuf,
    /// Start with the example storefront instead of the skeleton application
    #[arg(long)]
    storefront: bool,
}

fn main() -> ExitCode {
    let Arguments { name, directory, storefront } = Arguments::parse();
    let application = if storefront { Application::named("storefront") } else { Application::skeleton() };
    // ./scripts/ferrite changes to the root of the checkout.
    let directory = std::env::var_os("FERRITE_CALLER").map(PathBuf::from).unwrap_or_default().join(directory);
    command::run(|| create::create(&Checkout::here()?, &Names::parse(&name)?, &application, &directory))
}
