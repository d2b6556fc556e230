//! `./scripts/permissions --without`: removes each permission from its deployed role in turn, and checks that a test
//! fails.
//!
//! First, every end-to-end test runs by itself, to record which permissions it uses. Then each permission is removed,
//! and the tests that use it run, fastest first, until one fails. MiniStack does not enforce permissions that only
//! Lambda itself uses, so they are reported as skipped.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_proxy::record::UsedPermission;
use ferrite_aws_proxy::recorder::Recorder;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{format_duration, print, step};
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, StartOptions, free_port, functions_log};
use ferrite_local_stack::process::check_interrupted;
use ferrite_local_stack::running::{RunLock, RunningStack};
use ferrite_local_stack::target::apply_target;
use ferrite_role_audit::comparison::covers;
use ferrite_role_audit::roles::{Function, Grant, LambdaUse, Policy, for_proxy, functions, needed_by_lambda, policies};
use ferrite_test_runner::binaries::{Needs, TestBinary, build_tests};
use ferrite_test_runner::places::Place;
use ferrite_test_runner::stack::{deploy, section_for};
use ferrite_test_runner::variables::UnderTest;
use serde_json::Value;

const RUN: &str = "permissions";

/// The environment variable that sets how many seconds a test waits for an expected change.
const TIMEOUT: &str = "FERRITE_PATIENCE";
/// The timeout of tests that run without a permission. Most tests take less than a second.
const TIMEOUT_SECONDS: &str = "20";

/// How often a test is run after the permission is restored, until it passes. Events that failed without the permission
/// are retried with a delay, and in a stream they block later events until then.
const RECOVERY_ATTEMPTS: u32 = 4;

/// Removes each permission of the functions whose names contain `filter`, or of all functions if it is `None`.
///
/// # Errors
/// Returns an error if no test fails without one of the permissions, or if a test fails with all of them.
pub(crate) fn without(checkout: &Checkout, filter: Option<&str>) -> anyhow::Result<()> {
    let built = step("Building the tests", || build_tests(checkout, true))?;
    let lock = RunLock::acquire(checkout, RUN)?;
    let lock = lock.context("./scripts/permissions --without is already running in this checkout")?;
    lock.clear();
    let run_folder = checkout.run_folder(RUN)?;
    let port = free_port()?;
    let target = Target::local(port);
    let recorder = Recorder::open(port).context("cannot start the recording proxy")?;
    let config = section_for(checkout, Place::Ministack)?;
    let stack = format!("{}-{RUN}", config.stack.trim_end_matches("-local"));
    let (_emulator, outputs) = step(&format!("Deploying template.yaml as {stack}"), || {
        let options = StartOptions { functions_port: Some(recorder.port()), ..StartOptions::default() };
        let emulator = Emulator::start(checkout, &EmulatorKind::Ministack.install(checkout)?, &run_folder, port, options)?;
        lock.record(&RunningStack::started_here(port, emulator.group(), false))?;
        anyhow::Ok((emulator, deploy(checkout, &built, &target, &run_folder, &config, &stack)?))
    })?;
    let aws = AwsClient::new(target.clone());
    let functions = functions(&aws, &stack)?;
    recorder.set_functions(for_proxy(&functions));
    let tests = Tests {
        binaries: built.tests.iter().filter(|binary| binary.needs == Needs::Stack).collect(),
        stack: UnderTest::new(checkout, &run_folder, &stack, outputs, &built)?,
        target,
        functions_log: functions_log(&run_folder),
        log: run_folder.join("tests.log"),
    };
    let (runs, failing) = step("Running each end-to-end test by itself", || tests.run_each(&recorder))?;
    let removal = Removal { aws: &aws, functions: &functions, tests: &tests, runs: &runs };
    let lambda_uses = needed_by_lambda(&aws, &functions)?;
    let mut undetected = Vec::new();
    for policy in policies(&aws, &functions)?.iter().filter(|policy| policy.function.contains(filter.unwrap_or_default())) {
        for grant in policy.grants() {
            let outcome = removal.try_without(policy, &grant, &lambda_uses)?;
            let attempt = format!("{} without {}", grant.function, grant.describe());
            print(&format!("{attempt}: {outcome}"));
            if matches!(outcome, Outcome::NotDetected | Outcome::Inconclusive { .. }) {
                undetected.push(attempt);
            }
        }
    }
    match (undetected.is_empty(), failing.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => bail!("no test fails in these cases: {}", undetected.join(", ")),
        (true, false) => bail!("these tests fail with all permissions: {}", failing.join(", ")),
    }
}

/// The end-to-end tests, which run one at a time.
struct Tests<'a> {
    binaries: Vec<&'a TestBinary>,
    stack: UnderTest,
    target: Target,
    functions_log: PathBuf,
    log: PathBuf,
}

/// A test that passed when it ran by itself.
struct TestRun<'a> {
    binary: &'a TestBinary,
    test: String,
    duration: Duration,
    /// The permissions that were used during the test. Work that an earlier test had started may be included.
    used: Vec<UsedPermission>,
}

impl<'a> Tests<'a> {
    /// Runs each test with all permissions. Returns the runs that passed, fastest first, and the names of the tests
    /// that failed.
    fn run_each(&self, recorder: &Recorder) -> anyhow::Result<(Vec<TestRun<'a>>, Vec<String>)> {
        let mut runs = Vec::new();
        let mut failing = Vec::new();
        for binary in &self.binaries {
            for test in binary.tests()? {
                recorder.clear_record();
                let start = Instant::now();
                if !self.passes(binary, &test)? {
                    failing.push(test);
                    continue;
                }
                let handled = recorder.record().into_iter().filter(|(_, counts)| counts.handled > 0);
                let used = handled.map(|(permission, _)| permission).collect();
                runs.push(TestRun { binary, test, duration: start.elapsed(), used });
            }
        }
        runs.sort_by_key(|run| run.duration);
        Ok((runs, failing))
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
    runs: &'a [TestRun<'a>],
}

/// The outcome of removing a permission.
enum Outcome {
    /// A test failed, and passed again after the permission was restored.
    Detected { by: String, after: Duration },
    /// No test failed.
    NotDetected,
    /// A test failed, and still failed after the permission was restored.
    Inconclusive { by: String },
    /// Only Lambda itself uses the permission.
    Skipped(LambdaUse),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Detected { by, after } => write!(f, "detected by {by} after {}", format_duration(*after)),
            Self::NotDetected => f.write_str("NOT DETECTED"),
            Self::Inconclusive { by } => write!(f, "INCONCLUSIVE: {by} still fails with the permission restored"),
            Self::Skipped(lambda_use) => write!(f, "skipped: {}", lambda_use.reason()),
        }
    }
}

impl Removal<'_> {
    fn try_without(&self, policy: &Policy, grant: &Grant, lambda_uses: &[(Grant, LambdaUse)]) -> anyhow::Result<Outcome> {
        let uses_grant = |run: &&TestRun<'_>| run.used.iter().any(|used| covers(grant, used));
        let candidates: Vec<_> = self.runs.iter().filter(uses_grant).collect();
        if candidates.is_empty()
            && let Some((_, lambda_use)) = lambda_uses.iter().find(|(needed, _)| needed == grant)
        {
            return Ok(Outcome::Skipped(*lambda_use));
        }
        let start = Instant::now();
        self.apply(policy, &policy.without(grant))?;
        let failed = self.first_to_fail(&candidates)?;
        let after = start.elapsed();
        self.apply(policy, &policy.document)?;
        let Some(TestRun { binary, test, .. }) = failed else { return Ok(Outcome::NotDetected) };
        let by = test.clone();
        for _ in 0..RECOVERY_ATTEMPTS {
            check_interrupted()?;
            if self.tests.passes(binary, test)? {
                return Ok(Outcome::Detected { by, after });
            }
        }
        Ok(Outcome::Inconclusive { by })
    }

    fn first_to_fail<'a>(&self, runs: &[&'a TestRun<'a>]) -> anyhow::Result<Option<&'a TestRun<'a>>> {
        for run in runs {
            check_interrupted()?;
            if !self.tests.passes(run.binary, &run.test)? {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Replaces the policy. Also ends the function's execution environments, because they may have cached what they
    /// read.
    fn apply(&self, policy: &Policy, document: &Value) -> anyhow::Result<()> {
        policy.put(self.aws, document)?;
        let deployed = self.functions.iter().find(|function| function.name == policy.function);
        if let Some(function) = deployed {
            self.aws.set_timeout(&function.deployed_name, function.timeout)?;
        }
        Ok(())
    }
}
