//! `./scripts/upgrade`: merges a newer release of Ferrite into a project.
//!
//! The program of the project's release fetches the new release, and generates the project as it was when it was created
//! or last upgraded. Then it runs the program of the new release, which generates the new project and merges the two.

mod changelog;
mod git;
mod line_merge;
mod lockfile;
mod manifest;
mod merge;
mod record;
mod releases;
mod state;
mod template_merge;
mod trees;
mod upgrade;

use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;

/// Merge a newer release of Ferrite into this project
#[derive(Parser)]
#[command(bin_name = "./scripts/upgrade")]
struct Arguments {
    /// A release, such as 1.2.0, or a commit of Ferrite's repository [default: the newest release]
    version: Option<String>,
    /// Do not run the unit tests of the upgraded project
    #[arg(long)]
    no_test: bool,
    /// Finish an upgrade whose conflicts are resolved, or whose tests failed
    #[arg(long = "continue", conflicts_with_all = ["version", "abort"])]
    resume: bool,
    /// Undo the last upgrade, and delete files that were created since it started
    #[arg(long, conflicts_with_all = ["version", "no_test"])]
    abort: bool,
    /// Merge a release as this request describes; the program of the old release sets this
    #[arg(long, hide = true, value_name = "JSON", conflicts_with_all = ["version", "no_test", "resume", "abort"])]
    apply: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { version, no_test, resume, abort, apply } = Arguments::parse();
    command::run(|| {
        if let Some(request) = apply {
            return upgrade::apply_release(&request);
        }
        let checkout = Checkout::here()?;
        if resume {
            upgrade::resume(&checkout, no_test)
        } else if abort {
            upgrade::abort(&checkout)
        } else {
            upgrade::start(&checkout, version.as_deref(), no_test)
        }
    })
}
