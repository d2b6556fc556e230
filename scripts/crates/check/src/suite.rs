//! The whole run, one step after the other, with the totals in the last line.

use std::panic::resume_unwind;
use std::process::Command;
use std::thread;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::emulator::EmulatorKind;
use ferrite_local_stack::process::{ProcessError, each_line};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, GATES, install};
use ferrite_test_runner::binaries::{Built, Needs, build_tests};
use ferrite_test_runner::counts::Counts;

use crate::aws_tests;
use crate::options::Options;
use crate::packaged_kit;
use crate::progress::{Outcome, Progress, Step};
use crate::shipped::Shipped;
use crate::steps::{RUN, cargo_tests, emulator_tests, gates, rust_lints, template_lints};
use crate::test_groups::run_group;

/// The command behind `./scripts/chaos`.
const CHAOS: &str = "ferrite-chaos";

/// Runs `./scripts/test`. The last line printed is the totals.
///
/// # Errors
/// When a check or test failed, or after an interrupt.
pub(crate) fn test(checkout: &Checkout, options: &Options) -> anyhow::Result<()> {
    let mut progress = Progress::default();
    run(checkout, options, &mut progress)?;
    progress.finish()
}

fn run(checkout: &Checkout, options: &Options, progress: &mut Progress) -> anyhow::Result<()> {
    let is_whole = !options.unit && !options.only_on_aws() && options.filter.is_none();
    if options.unit {
        report("(--unit: no lints, no template checks, nothing that needs an emulator)");
    } else if options.only_on_aws() {
        report("(--emulator, --stack: only what depends on AWS; ./scripts/test runs the rest)");
        if options.stack.is_none() && !options.docker && options.filter.is_none() {
            progress.run(checkout, &emulator_tests(options.emulator))?;
        }
    } else if is_whole {
        lint(checkout, progress)?;
    } else {
        report("(a filter: no lints, no template checks)");
    }

    let built = progress.step("Building the tests", || Ok(build_tests(checkout, !options.unit)?))?;
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
        for step in cargo_tests().into_iter().chain(packaged_kit::steps()) {
            progress.run(checkout, &step)?;
        }
    }
    aws_tests::run(checkout, options, &built, progress)?;
    if is_whole {
        progress.run(checkout, &chaos(&built))?;
    }
    if let Some(shipped) = shipped {
        progress.step("Sizes as shipped", || shipped.check_sizes(checkout))?;
    }
    Ok(())
}

/// Lints and gates. The tools are installed meanwhile.
fn lint(checkout: &Checkout, progress: &mut Progress) -> anyhow::Result<()> {
    let tools = thread::scope(|scope| {
        let tools = scope.spawn(|| {
            install(checkout, &DEPLOY_TOOLS)?;
            EmulatorKind::Ministack.install(checkout)?;
            install(checkout, &GATES)?;
            anyhow::Ok(())
        });
        for step in rust_lints() {
            progress.run(checkout, &step)?;
        }
        anyhow::Ok(tools.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    if progress.step("Tools", || tools)?.is_none() {
        return Ok(());
    }
    for step in template_lints().into_iter().chain(gates()).chain([emulator_tests(EmulatorKind::Ministack)]) {
        progress.run(checkout, &step)?;
    }
    Ok(())
}

/// `./scripts/chaos --short` with the functions that were built for the tests. Each of its runs counts as a test.
fn chaos(built: &Built) -> Step {
    let command = built.commands.iter().find(|binary| binary.name == CHAOS).map(|binary| binary.path.clone());
    let functions = built.functions.clone();
    Step::new("Chaos runs (scripts/chaos --short)", move |checkout| {
        let Some(command) = &command else {
            return Ok(Outcome::NotRun(format!("the workspace has no command {CHAOS}")));
        };
        // Where --no-build expects them.
        Staging::in_run(&checkout.run_folder("chaos")?)?.put(&functions)?;
        let mut counts = Counts::default();
        let mut chaos = Command::new(command);
        let outcome = each_line(chaos.args(["--short", "--no-build"]).current_dir(checkout.root()), |line| {
            report(&format!("  {line}"));
            counts.passed += usize::from(line.starts_with("shown: "));
            counts.failed += usize::from(line.starts_with("NOT shown: "));
        });
        match outcome {
            Err(ProcessError::Failed { .. }) if counts.failed > 0 => Ok(Outcome::Tests(counts)),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(Outcome::Tests(counts)),
        }
    })
}
