//! `./scripts/permissions --without`: removes each permission from its deployed role in turn, to see a test fail.
//!
//! First, every end-to-end test runs on its own, to learn which permissions it uses. Then each permission is missing while the
//! tests run that use it, the fastest first, until one fails. MiniStack does not check permissions that only Lambda itself
//! uses, so those are reported and not tried.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_proxy::record::UsedPermission;
use ferrite_aws_proxy::recorder::Recorder;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{print, seconds, step};
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, StartOptions, free_port, functions_log};
use ferrite_local_stack::process::check_interrupted;
use ferrite_local_stack::running::{RunLock, Running};
use ferrite_local_stack::target::apply_target;
use ferrite_role_audit::comparison::covers;
use ferrite_role_audit::roles::{ByLambda, Function, Grant, Policy, for_proxy, functions, needed_by_lambda, policies};
use ferrite_test_runner::binaries::{Needs, TestBinary, build_tests};
use ferrite_test_runner::places::Place;
use ferrite_test_runner::stack::{deploy, section_for};
use ferrite_test_runner::variables::UnderTest;
use serde_json::Value;

const RUN: &str = "permissions";

/// The variable with the number of seconds that a test waits for something to happen.
const TIMEOUT: &str = "FERRITE_PATIENCE";
/// How long a test waits for what a missing permission prevents. Most tests take less than a second.
const TIMEOUT_SECONDS: &str = "20";

/// How often a test may fail once the permission is back. Events that failed without it are retried after a while, and in a
/// stream they block later ones until then.
const RECOVERIES: u32 = 4;

/// Removes each permission of the functions whose names contain `filter`, or of all functions.
///
/// # Errors
/// When no test fails without a permission.
pub(crate) fn without(checkout: &Checkout, filter: Option<&str>) -> anyhow::Result<()> {
    let built = step("Building the tests", || build_tests(checkout, true))?;
    let lock = RunLock::acquire(checkout, RUN)?;
    let lock = lock.context("./scripts/permissions --without runs in this checkout already")?;
    lock.clear();
    let run_folder = checkout.run_folder(RUN)?;
    let port = free_port()?;
    let target = Target::local(port);
    let recorder = Recorder::open(port).context("the recording proxy")?;
    let config = section_for(checkout, Place::Ministack)?;
    let stack = format!("{}-{RUN}", config.stack.trim_end_matches("-local"));
    let (_emulator, outputs) = step(&format!("Deploying template.yaml as {stack}"), || {
        let options = StartOptions { functions_port: Some(recorder.port()), ..StartOptions::default() };
        let emulator = Emulator::start(checkout, &EmulatorKind::Ministack.install(checkout)?, &run_folder, port, options)?;
        lock.record(&Running::started_here(port, emulator.group(), false))?;
        anyhow::Ok((emulator, deploy(checkout, &built, &target, &run_folder, &config, &stack)?))
    })?;
    let aws = AwsClient::new(target.clone());
    let functions = functions(&aws, &stack)?;
    recorder.set_functions(for_proxy(&functions));
    let tests = Tests {
        binaries: built.tests.iter().filter(|binary| binary.needs == Needs::Stack).collect(),
        stack: UnderTest::new(checkout, &run_folder, outputs, &built)?,
        target,
        functions_log: functions_log(&run_folder),
        log: run_folder.join("tests.log"),
    };
    let (rehearsals, failing) = step("Each end-to-end test by itself", || tests.rehearse(&recorder))?;
    let removal = Removal { aws: &aws, functions: &functions, tests: &tests, rehearsals: &rehearsals };
    let by_lambda = needed_by_lambda(&aws, &functions)?;
    let mut unnoticed = Vec::new();
    for policy in policies(&aws, &functions)?.iter().filter(|policy| policy.function.contains(filter.unwrap_or_default())) {
        for grant in policy.grants() {
            let outcome = removal.try_without(policy, &grant, &by_lambda)?;
            let attempt = format!("{} without {}", grant.function, grant.describe());
            print(&format!("{attempt}: {outcome}"));
            if matches!(outcome, Outcome::Unnoticed | Outcome::Unclear { .. }) {
                unnoticed.push(attempt);
            }
        }
    }
    match (unnoticed.is_empty(), failing.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => bail!("no test fails without these: {}", unnoticed.join(", ")),
        (true, false) => bail!("{} fails although nothing was removed", failing.join(", ")),
    }
}

/// The end-to-end tests, which run one by one.
struct Tests<'a> {
    binaries: Vec<&'a TestBinary>,
    stack: UnderTest,
    target: Target,
    functions_log: PathBuf,
    log: PathBuf,
}

/// A test that ran on its own.
struct Rehearsal<'a> {
    binary: &'a TestBinary,
    test: String,
    took: Duration,
    /// The permissions that were used meanwhile, which includes work that an earlier test had started.
    uses: Vec<UsedPermission>,
}

impl<'a> Tests<'a> {
    /// The tests that pass, the fastest first, and the names of those that fail with all permissions.
    fn rehearse(&self, recorder: &Recorder) -> anyhow::Result<(Vec<Rehearsal<'a>>, Vec<String>)> {
        let mut rehearsals = Vec::new();
        let mut failing = Vec::new();
        for binary in &self.binaries {
            for test in binary.tests()? {
                recorder.clear_record();
                let begun = Instant::now();
                if !self.passes(binary, &test)? {
                    failing.push(test);
                    continue;
                }
                let handled = recorder.record().into_iter().filter(|(_, times)| times.handled > 0);
                let uses = handled.map(|(used, _)| used).collect();
                rehearsals.push(Rehearsal { binary, test, took: begun.elapsed(), uses });
            }
        }
        rehearsals.sort_by_key(|rehearsal| rehearsal.took);
        Ok((rehearsals, failing))
    }

    fn passes(&self, binary: &TestBinary, test: &str) -> anyhow::Result<bool> {
        Ok(binary.passes(test, &self.log, |command: &mut Command| {
            apply_target(&self.target, command);
            self.stack.apply(command);
            command.env("FERRITE_FUNCTIONS_LOG", &self.functions_log).env(TIMEOUT, TIMEOUT_SECONDS);
        })?)
    }
}

struct Removal<'a> {
    aws: &'a AwsClient,
    functions: &'a [Function],
    tests: &'a Tests<'a>,
    rehearsals: &'a [Rehearsal<'a>],
}

/// The outcome of removing a permission.
enum Outcome {
    /// A test failed, and passes again with the permission.
    Noticed { by: String, after: Duration },
    /// No test failed.
    Unnoticed,
    /// A test failed, and then also with the permission.
    Unclear { by: String },
    /// Only Lambda itself uses it.
    NotTried(ByLambda),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Noticed { by, after } => write!(f, "noticed by {by} after {}", seconds(*after)),
            Self::Unnoticed => f.write_str("NOT NOTICED"),
            Self::Unclear { by } => write!(f, "NOT CLEAR: {by} also fails with it"),
            Self::NotTried(by) => write!(f, "not tried: {}", by.reason()),
        }
    }
}

impl Removal<'_> {
    fn try_without(&self, policy: &Policy, grant: &Grant, by_lambda: &[(Grant, ByLambda)]) -> anyhow::Result<Outcome> {
        let can_notice = |rehearsal: &&Rehearsal<'_>| rehearsal.uses.iter().any(|used| covers(grant, used));
        let witnesses: Vec<_> = self.rehearsals.iter().filter(can_notice).collect();
        if witnesses.is_empty()
            && let Some((_, by)) = by_lambda.iter().find(|(needed, _)| needed == grant)
        {
            return Ok(Outcome::NotTried(*by));
        }
        let begun = Instant::now();
        self.change(policy, &policy.without(grant))?;
        let noticed = self.first_to_fail(&witnesses)?;
        let after = begun.elapsed();
        self.change(policy, &policy.document)?;
        let Some(Rehearsal { binary, test, .. }) = noticed else { return Ok(Outcome::Unnoticed) };
        let by = test.clone();
        for _ in 0..RECOVERIES {
            check_interrupted()?;
            if self.tests.passes(binary, test)? {
                return Ok(Outcome::Noticed { by, after });
            }
        }
        Ok(Outcome::Unclear { by })
    }

    fn first_to_fail<'a>(&self, witnesses: &[&'a Rehearsal<'a>]) -> anyhow::Result<Option<&'a Rehearsal<'a>>> {
        for rehearsal in witnesses {
            check_interrupted()?;
            if !self.tests.passes(rehearsal.binary, &rehearsal.test)? {
                return Ok(Some(rehearsal));
            }
        }
        Ok(None)
    }

    /// Replaces the policy, and ends the function's environments, because a running one may have cached what it read.
    fn change(&self, policy: &Policy, document: &Value) -> anyhow::Result<()> {
        policy.put(self.aws, document)?;
        let deployed = self.functions.iter().find(|function| function.name == policy.function);
        if let Some(function) = deployed {
            self.aws.set_timeout(&function.deployed_name, function.timeout)?;
        }
        Ok(())
    }
}
