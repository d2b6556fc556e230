//! The order of the steps in a run of `./scripts/test`.

use std::process::Command;

use anyhow::bail;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::emulator::EmulatorKind;
use ferrite_local_stack::process::{ProcessError, each_line};
use ferrite_local_stack::staging::Staging;
use ferrite_test_runner::binaries::{Built, Needs, build_tests};
use ferrite_test_runner::counts::Counts;

use crate::aws_tests;
use crate::background::Background;
use crate::moved_tools::moved_tools;
use crate::new_project::{self, Programs};
use crate::openapi::document_lints;
use crate::options::Options;
use crate::packaged_kit;
use crate::progress::{Outcome, Progress, Step};
use crate::shipped::Shipped;
use crate::steps::{RUN, cargo_tests, emulator_tests, format, gates, generated, template_lints, tools};
use crate::test_groups::run_group;
use crate::upgraded_project;

/// The command for chaos runs, and its program. Projects without the example do not have it.
const CHAOS_COMMAND: &str = "scripts/chaos";
const CHAOS: &str = "ferrite-chaos";

/// Runs `./scripts/test`. The last line that it prints contains the totals.
///
/// # Errors
/// Returns an error if a check or test failed, or after an interrupt.
pub(crate) fn test(checkout: &Checkout, options: &Options) -> anyhow::Result<()> {
    let mut progress = Progress::default();
    run(checkout, options, &mut progress)?;
    if let Some(filter) = &options.filter
        && progress.is_empty()
    {
        bail!("no test matches {filter:?}; a filter is the name of a function or crate, or a part of the name of a test");
    }
    progress.finish()
}

fn run(checkout: &Checkout, options: &Options, progress: &mut Progress) -> anyhow::Result<()> {
    let is_whole = !options.unit && !options.tests && !options.only_on_aws() && options.filter.is_none();
    let mut background = None;
    if options.unit {
        report("(--unit: only tests that need no emulator)");
        progress.run(checkout, &generated())?;
    } else if options.only_on_aws() {
        report("(--emulator, --stack: only tests that depend on AWS; ./scripts/test runs the others)");
        if options.stack.is_none()
            && !options.docker
            && options.filter.is_none()
            && let Some(step) = emulator_tests(checkout, options.emulator)
        {
            progress.run(checkout, &step)?;
        }
    } else if is_whole {
        progress.run(checkout, &format())?;
        progress.run(checkout, &generated())?;
        let lints = template_lints(checkout)?.into_iter().chain(document_lints(checkout)).chain(gates(checkout));
        let lints = lints.chain(moved_tools(checkout)).chain(emulator_tests(checkout, EmulatorKind::Ministack));
        background = Some(Background::start(checkout, tools(), lints.collect()));
    } else if options.tests {
        report("(--tests: only tests, without lints, documentation tests, release builds and chaos runs)");
    } else {
        report("(a filter: only tests, without lints and template checks)");
    }

    let built = build(checkout, !options.unit, is_whole, progress)?;
    if let Some(background) = background {
        background.finish(progress)?;
    }
    let Some(built) = built else { return Ok(()) };
    if options.only_on_aws() {
        return aws_tests::run(checkout, options, &built, progress);
    }
    run_group(options, progress, "Unit tests", &built.tests, Needs::Nothing, &[], |_| {})?;
    if options.unit {
        return Ok(());
    }
    let mut shipped = None;
    if is_whole {
        shipped = progress.step("Starting the build of the functions as they ship", || Shipped::begin(checkout, RUN))?;
        for step in cargo_tests(checkout).into_iter().chain(packaged_kit::steps(checkout)) {
            progress.run(checkout, &step)?;
        }
    }
    aws_tests::run(checkout, options, &built, progress)?;
    if is_whole && checkout.has(CHAOS_COMMAND) {
        progress.run(checkout, &chaos(&built))?;
    }
    if let Some(shipped) = shipped {
        progress.step("Sizes as shipped", || shipped.check_sizes(checkout))?;
    }
    if is_whole
        && checkout.has(new_project::COMMAND)
        && let Some(programs) = progress.step("Commands for projects", || Programs::copy(checkout, &built))?
    {
        progress.run(checkout, &new_project::step(programs.clone()))?;
        progress.run(checkout, &upgraded_project::step(programs))?;
    }
    Ok(())
}

/// Builds the tests. With `deny_warnings`, adds a failure if the compiler or clippy printed warnings.
fn build(
    checkout: &Checkout,
    everything: bool,
    deny_warnings: bool,
    progress: &mut Progress,
) -> anyhow::Result<Option<Built>> {
    let built = progress.step("Building the tests with clippy", || Ok(build_tests(checkout, everything)?))?;
    if let Some(Built { warnings, .. }) = built
        && warnings > 0
    {
        report(&format!("  warnings of the compiler and clippy: {warnings}"));
        if deny_warnings {
            progress.add_failed("Clippy", Counts::default());
        }
    }
    Ok(built)
}

/// `./scripts/chaos --short` with the functions that were built for the tests. Each of its runs counts as a test.
fn chaos(built: &Built) -> Step {
    let command = built.commands.iter().find(|binary| binary.name == CHAOS).map(|binary| binary.path.clone());
    let functions = built.functions.clone();
    Step::new("Chaos runs (scripts/chaos --short)", move |checkout| {
        let Some(command) = &command else {
            return Ok(Outcome::NotRun(format!("the workspace has no command {CHAOS}")));
        };
        // --no-build uses the functions in this folder.
        Staging::open(&checkout.run_folder("chaos")?)?.put(&functions)?;
        let mut counts = Counts::default();
        let mut chaos = Command::new(command);
        let outcome = each_line(chaos.args(["--short", "--no-build"]).current_dir(checkout.root()), |line| {
            report(&format!("  {line}"));
            counts.passed += usize::from(line.starts_with("passed: "));
            counts.failed += usize::from(line.starts_with("FAILED: "));
        });
        match outcome {
            Err(error @ ProcessError::Failed { .. }) if counts.failed > 0 => {
                Ok(Outcome::Failures(counts, error.to_string()))
            }
            Err(error) => Err(error.into()),
            Ok(()) => Ok(Outcome::Passes(counts)),
        }
    })
}
