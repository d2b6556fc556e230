//! The tests that need AWS. They run on an emulator, at an endpoint from the environment, or on AWS.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::emulator::functions_log;
use ferrite_local_stack::files::at;
use ferrite_local_stack::running::RunLock;
use ferrite_local_stack::stack::{output, outputs};
use ferrite_local_stack::tools::{DEPLOY_TOOLS, POWERTOOLS, install};
use ferrite_role_audit::report::check as check_permissions;
use ferrite_role_audit::roles::{for_proxy, functions};
use ferrite_test_runner::binaries::{Built, Needs};
use ferrite_test_runner::places::{Place, Skipped};
use ferrite_test_runner::stack::{deploy, section_for};
use ferrite_test_runner::variables::{UnderTest, apply_redrive};

use crate::cleanup::delete_partitions;
use crate::dev_stack::DevStack;
use crate::options::Options;
use crate::progress::Progress;
use crate::schemathesis::{self, call_from_document};
use crate::site::Site;
use crate::steps::RUN;
use crate::test_groups::run_group;

/// The variable that names the file in which tests record what they create.
const MADE: &str = "FERRITE_MADE";

/// Runs the tests.
///
/// # Errors
/// Returns an error after an interrupt, or if a test binary cannot list its tests. Failures are added to `progress`.
pub(crate) fn run(checkout: &Checkout, options: &Options, built: &Built, progress: &mut Progress) -> anyhow::Result<()> {
    let is_wanted = |needs: Needs| -> anyhow::Result<bool> {
        for binary in built.tests.iter().filter(|binary| binary.needs == needs) {
            if options.is_complete() || binary.matches(options.filter.as_deref().unwrap_or_default())? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let adapters = is_wanted(Needs::Aws)?;
    let conformance = is_wanted(Needs::Powertools)?;
    let end_to_end = is_wanted(Needs::Stack)?;
    if !adapters && !conformance && !end_to_end {
        return Ok(());
    }
    let lock = RunLock::acquire(checkout, RUN)?.context("./scripts/test is already running in this checkout")?;
    lock.clear();
    let run_folder = checkout.run_folder(RUN)?;
    let dev_stack = if end_to_end { DevStack::find(checkout, options)? } else { None };
    if let Some(dev_stack) = &dev_stack {
        run_on_dev_stack(checkout, options, built, dev_stack, &run_folder, progress)?;
        if !adapters && !conformance {
            return Ok(());
        }
    }
    let site = progress.step("AWS endpoint of the tests", || Site::find(checkout, options, &run_folder, &lock))?;
    let Some(site) = site else { return Ok(()) };
    for Skipped { test, reason, .. } in &site.skipped {
        progress.add_not_run(format!("{test} on {}: {reason}", site.place.name()));
    }
    if options.stack.is_none() {
        if adapters {
            let title = "Adapter tests";
            run_group(options, progress, title, &built.tests, Needs::Aws, &site.skipped_names(), |command| {
                site.apply(command);
                apply_redrive(built, command);
                command.envs(site.emulator.iter().map(|_| ("FERRITE_FUNCTIONS_LOG", functions_log(&run_folder))));
            })?;
        }
        if conformance {
            run_conformance(checkout, options, built, &site, progress)?;
        }
    }
    let is_skipped = |name: &str| site.skipped.iter().any(|skipped| name.ends_with(&format!("/{}", skipped.test)));
    let mut stack_tests = built.tests.iter().filter(|binary| binary.needs == Needs::Stack);
    if end_to_end && dev_stack.is_none() && stack_tests.any(|binary| !is_skipped(&binary.name)) {
        run_end_to_end(checkout, options, options.stack.as_deref(), built, &site, &run_folder, progress)?;
    }
    if site.emulator.is_some() && progress.has_failures() {
        report(&format!("The functions' log: {}", functions_log(&run_folder).display()));
    }
    Ok(())
}

/// Runs the end-to-end tests on the stack of a running `./scripts/dev`, except those that cannot run there.
fn run_on_dev_stack(
    checkout: &Checkout,
    options: &Options,
    built: &Built,
    dev_stack: &DevStack,
    run_folder: &Path,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let site = Site::of_dev_stack(checkout, &dev_stack.running)?;
    let mut names = Vec::new();
    for binary in built.tests.iter().filter(|binary| binary.needs == Needs::Stack) {
        names.extend(binary.tests_matching(options.filter.as_deref().unwrap_or_default())?);
    }
    for Skipped { test, reason, .. } in &site.skipped {
        if names.iter().any(|name| name.contains(test)) {
            progress.add_not_run(format!("{test} on the stack of ./scripts/dev: {reason}; use --own-stack"));
        }
    }
    run_end_to_end(checkout, options, Some(&dev_stack.name), built, &site, run_folder, progress)?;
    dev_stack.warn_if_stale();
    Ok(())
}

/// Compares the runtime with Powertools.
fn run_conformance(
    checkout: &Checkout,
    options: &Options,
    built: &Built,
    site: &Site,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let powertools = progress.step("Powertools", || Ok(install(checkout, &POWERTOOLS)?))?;
    let Some(powertools) = powertools else { return Ok(()) };
    let title = "Conformance with Powertools (Python)";
    run_group(options, progress, title, &built.tests, Needs::Powertools, &site.skipped_names(), |command| {
        site.apply(command);
        command.env("FERRITE_CONFORMANCE_PYTHON", powertools.path("python"));
    })
}

/// Runs the end-to-end tests on `stack`, or on a stack that it deploys.
fn run_end_to_end(
    checkout: &Checkout,
    options: &Options,
    stack: Option<&str>,
    built: &Built,
    site: &Site,
    run_folder: &Path,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let (name, outputs) = match (stack, &site.target) {
        (None, Some(target)) => {
            let config = section_for(checkout, site.place)?;
            let name = format!("{}-test", config.stack.trim_end_matches("-local"));
            let title = format!("Deploying template.yaml as {name}");
            let outputs = progress.step(&title, || Ok(deploy(checkout, built, target, run_folder, &config, &name)?))?;
            (name, outputs)
        }
        (stack, target) => {
            let name = stack.unwrap_or_default().to_owned();
            let outputs = progress.step(&format!("The stack {name}"), || {
                Ok(outputs(&install(checkout, &DEPLOY_TOOLS)?, target.as_ref(), &name)?)
            })?;
            (name, outputs)
        }
    };
    let Some(outputs) = outputs else { return Ok(()) };
    let recorded = match &site.recorder {
        None => None,
        Some(recorder) => {
            let functions = functions(&site.aws()?, &name)?;
            recorder.set_functions(for_proxy(&functions));
            Some((recorder, functions))
        }
    };
    let table = output(&outputs, "TableName")?.to_owned();
    let stack = UnderTest::new(checkout, run_folder, &name, outputs, built)?;
    let made = run_folder.join("made");
    if made.exists() {
        fs::remove_file(&made).map_err(at(&made))?;
    }
    let log = site.emulator.is_some().then(|| functions_log(run_folder));
    let failed_before = progress.totals.failed;
    let title = "End-to-end tests";
    run_group(options, progress, title, &built.tests, Needs::Stack, &site.skipped_names(), |command| {
        site.apply(command);
        stack.apply(command);
        command.envs(log.iter().map(|log| ("FERRITE_FUNCTIONS_LOG", log)));
        if site.emulator.is_none() {
            command.env(MADE, &made);
        }
    })?;
    if site.emulator.is_none() {
        progress.step("Deleting what the tests created", || {
            let deleted = delete_partitions(&site.aws()?, &table, &made)?;
            report(&format!("  {deleted} items of {table}"));
            Ok(())
        })?;
    }
    // The recording is complete only if all tests ran and passed.
    if let Some((recorder, functions)) = recorded
        && options.is_complete()
        && progress.totals.failed == failed_before
    {
        progress.step("Permissions of the roles compared with their use", || {
            Ok(check_permissions(&site.aws()?, &functions, recorder, run_folder)?)
        })?;
    }
    // Only on MiniStack: LocalStack's API Gateway differs too much from AWS, and what Schemathesis creates is not deleted.
    if options.is_complete() && site.place == Place::Ministack && checkout.has(schemathesis::FOLDER) {
        progress.step("Generated requests (Schemathesis)", || call_from_document(checkout, stack.api(), run_folder))?;
    }
    Ok(())
}
