//! `./scripts/new-function` adds a function with its resources and tests, and `./scripts/remove-function` removes one.

mod add;
mod changes;
mod events;
#[cfg(test)]
mod fixture;
mod name;
mod operations;
mod parameters;
mod payload_code;
mod prefix;
mod project;
mod remove;
mod render;
mod resources;
mod route;
mod sample;
mod schedule;
mod test_modules;
mod trigger;

use std::process::{Command as Process, ExitCode};

use clap::{Args, Parser, Subcommand};
use ferrite_generated_files::generated_files;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::functions::{cargo, remove_package_variables};
use ferrite_local_stack::{command, process};

use self::changes::Changes;
use self::name::FunctionName;
use self::prefix::Prefix;
use self::project::Project;
use self::route::Route;
use self::schedule::Schedule;
use self::trigger::{Access, Trigger};

#[derive(Parser)]
#[command(name = "ferrite", bin_name = "./scripts/ferrite", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a function with its resources, a unit test and end-to-end tests
    NewFunction(NewFunction),
    /// Remove a function, its resources and its tests
    RemoveFunction {
        /// Name of the function, which is the name of its folder in functions/
        name: String,
    },
}

#[derive(Args)]
struct NewFunction {
    /// Name of the function: a verb and a noun in kebab case, such as count-notes
    name: FunctionName,
    #[command(flatten)]
    trigger: TriggerOptions,
    /// Who may call the route
    // clap ignores `requires` if the required option conflicts with another one that is present.
    #[arg(long, value_enum, requires = "route", conflicts_with_all = ["on", "schedule", "upload", "stream"])]
    auth: Option<Access>,
}

/// What invokes the function.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct TriggerOptions {
    /// Serve a route of the API, such as 'GET /notes/{noteId}'
    #[arg(long, value_name = "'METHOD /PATH'", requires = "auth")]
    route: Option<Route>,
    /// Handle a domain event, such as note.created
    #[arg(long, value_name = "EVENT")]
    on: Option<String>,
    /// Run on a schedule, such as 'rate(1 day)'
    #[arg(long, value_name = "EXPRESSION")]
    schedule: Option<Schedule>,
    /// Handle uploads to a folder of the bucket, such as 'uploads/'
    #[arg(long, value_name = "PREFIX")]
    upload: Option<Prefix>,
    /// Handle changes in the table
    #[arg(long)]
    stream: bool,
}

impl NewFunction {
    /// The trigger. clap ensures that there is exactly one.
    fn trigger(self) -> (FunctionName, Trigger) {
        let TriggerOptions { route, on, schedule, upload, stream: _ } = self.trigger;
        let route = route.zip(self.auth).map(|(route, access)| Trigger::Route(route, access));
        let others = on.map(Trigger::Event).or(schedule.map(Trigger::Schedule)).or(upload.map(Trigger::Upload));
        (self.name, route.or(others).unwrap_or(Trigger::Stream))
    }
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    command::run(|| run(command))
}

fn run(command: Command) -> anyhow::Result<()> {
    let project = Project::read(Checkout::here()?)?;
    match command {
        Command::NewFunction(arguments) => {
            let (name, trigger) = arguments.trigger();
            apply(&project, &add::add(&project, &name, &trigger)?)?;
            report(&format!("\nWrite the work in functions/{name}/src/handler.rs. Test it with:"));
            report(&format!("  ./scripts/test {}", name.snake_case()));
            Ok(())
        }
        Command::RemoveFunction { name } => {
            let removal = remove::remove(&project, &name)?;
            apply(&project, &removal.changes)?;
            removal.print_leftovers(&Project::read(project.checkout().clone())?)
        }
    }
}

/// Files that contain the API document, which `./scripts/generate` derives from the code.
const DOCUMENTS: [&str; 2] = ["shared/api/openapi.json", "shared/api/openapi.html"];

/// Writes the changes and updates the files that are derived from them.
fn apply(project: &Project, changes: &Changes) -> anyhow::Result<()> {
    let derived = generated_files(project.root())?.into_iter().map(|file| file.path);
    let others = DOCUMENTS.into_iter().chain(["Cargo.lock"]).map(str::to_owned);
    let generated: Vec<String> = derived.chain(others).collect();
    let differences = changes.apply(project.root(), &generated, || {
        let files = generated_files(project.root())?;
        files.iter().filter(|file| !file.is_current()).try_for_each(|file| file.write(project.root()))?;
        if changes.text(add::OPERATIONS).is_some() {
            let mut generate = Process::new("./scripts/generate");
            remove_package_variables(&mut generate);
            process::run(generate.current_dir(project.root()))?;
        }
        // Adds the crate to Cargo.lock, or removes it.
        process::capture(cargo(project.checkout()).args(["metadata", "--format-version", "1"]))?;
        Ok(())
    })?;
    differences.iter().for_each(|difference| report(difference));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["ferrite", "new-function", "count-notes"].iter().chain(options))
    }

    #[test]
    fn only_routes_have_access_rules() {
        assert!(parse(&["--route", "GET /notes", "--auth", "customer"]).is_ok());
        assert!(parse(&["--stream"]).is_ok());
        let rejected: [(&[&str], &str); 4] = [
            (&["--route", "GET /notes"], "--auth"),
            (&["--auth", "customer"], "--route"),
            (&["--auth", "customer", "--stream"], "cannot be used with"),
            (&["--on", "note.created", "--stream"], "cannot be used with"),
        ];
        for (options, message) in rejected {
            let error = parse(options).err().unwrap().to_string();
            assert!(error.contains(message), "{options:?}: {error}");
        }
    }
}
