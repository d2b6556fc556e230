//! `scripts/permissions --without`: each permission is taken out of its deployed role in turn, to see a test fail.
//!
//! Every end-to-end test first runs by itself, so that it is known which of them can notice what. Then each permission is
//! missing while those run that had used it, the quickest first, until one fails. What Lambda alone needs of a role,
//! MiniStack does not ask for: that is said, and not tried.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ferrite_chaos::Need;
use ferrite_tests::poll::PATIENCE;
use serde_json::Value;

use super::PermissionsError;
use super::comparison::covers;
use super::recorder::Recorder;
use super::roles::{ByLambda, Function, Grant, Policy, functions, needed_by_lambda, policies};
use crate::aws::Aws;
use crate::checkout::Checkout;
use crate::console::{print, seconds, step};
use crate::emulator::{Emulator, EmulatorKind, StartOptions, free_port, functions_log};
use crate::endpoint::Target;
use crate::process::go_on;
use crate::running::{Claim, Running};
use crate::skipped::Place;
use crate::test_binaries::{Needs, TestBinary, build_tests};
use crate::test_stack::{deploy, section_for};
use crate::trouble::{Trouble, at};
use crate::under_test::UnderTest;

const RUN: &str = "permissions";

/// For how long a test waits for what a missing permission keeps from coming: by themselves, most take less than one.
const SECONDS: &str = "20";

/// How often a test may fail once the permission is back: what failed without it is tried again after a while, and in a
/// stream it holds up what is behind it until then.
const RECOVERIES: u32 = 4;

/// Takes out each permission of the functions whose names contain `filter`, all where there is none.
///
/// # Errors
/// When one can be taken out and no test fails.
pub fn without(checkout: &Checkout, filter: Option<&str>) -> Result<(), Trouble> {
    let program = std::env::current_exe().map_err(at(Path::new("ferrite")))?;
    let built = step("Building the tests", || build_tests(checkout, true))?;
    let claim = Claim::take(checkout, RUN)?.ok_or(PermissionsError::RunsAlready)?;
    let _ = claim.clear();
    let run_folder = checkout.run_folder(RUN)?;
    let port = free_port()?;
    let (target, recorder) = (Target::local(port), Recorder::open(port)?);
    let config = section_for(checkout, Place::On(EmulatorKind::Ministack))?;
    let stack = format!("{}-{RUN}", config.stack.trim_end_matches("-local"));
    let (_emulator, outputs) = step(&format!("Deploying template.yaml as {stack}"), || {
        let options = StartOptions { functions_port: Some(recorder.port()), ..StartOptions::default() };
        let emulator = Emulator::start(checkout, &EmulatorKind::Ministack.install(checkout)?, &run_folder, port, options)?;
        claim.note(&Running::started_here(port, emulator.group(), false))?;
        Ok::<_, Trouble>((emulator, deploy(checkout, &built, &target, &run_folder, &config, &stack)?))
    })?;
    let aws = Aws::emulator(target.clone());
    let functions = functions(&aws, &stack)?;
    recorder.introduce(&functions);
    let tests = Tests {
        binaries: built.tests.iter().filter(|binary| binary.needs == Needs::Stack).collect(),
        stack: UnderTest::new(checkout, &run_folder, outputs, program)?,
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
            let attempt = format!("{} without {}", grant.function, grant.what());
            print(&format!("{attempt}: {outcome}"));
            if matches!(outcome, Outcome::Unnoticed | Outcome::Unclear { .. }) {
                unnoticed.push(attempt);
            }
        }
    }
    match (unnoticed.is_empty(), failing.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(PermissionsError::Unnoticed(unnoticed.join(", ")).into()),
        (true, false) => Err(PermissionsError::FailsAnyway(failing.join(", ")).into()),
    }
}

/// The end-to-end tests, to be run one by one.
struct Tests<'a> {
    binaries: Vec<&'a TestBinary>,
    stack: UnderTest,
    target: Target,
    functions_log: PathBuf,
    log: PathBuf,
}

/// A test that ran by itself.
struct Rehearsal<'a> {
    binary: &'a TestBinary,
    test: String,
    took: Duration,
    /// What was asked for meanwhile, also for what an earlier test had left under way.
    needs: Vec<Need>,
}

impl<'a> Tests<'a> {
    /// Those that pass, the quickest first, and the names of those that fail already with everything in place.
    fn rehearse(&self, recorder: &Recorder) -> Result<(Vec<Rehearsal<'a>>, Vec<String>), Trouble> {
        let (mut rehearsals, mut failing) = (Vec::new(), Vec::new());
        for binary in &self.binaries {
            for test in binary.tests()? {
                recorder.forget();
                let begun = Instant::now();
                if !self.passes(binary, &test)? {
                    failing.push(test);
                    continue;
                }
                let handled = recorder.record().into_iter().filter(|(_, times)| times.handled > 0);
                let needs = handled.map(|(need, _)| need).collect();
                rehearsals.push(Rehearsal { binary, test, took: begun.elapsed(), needs });
            }
        }
        rehearsals.sort_by_key(|rehearsal| rehearsal.took);
        Ok((rehearsals, failing))
    }

    fn passes(&self, binary: &TestBinary, test: &str) -> Result<bool, Trouble> {
        binary.passes(test, &self.log, |command: &mut Command| {
            self.target.apply(command);
            self.stack.apply(command);
            command.env("FERRITE_FUNCTIONS_LOG", &self.functions_log).env(PATIENCE, SECONDS);
        })
    }
}

struct Removal<'a> {
    aws: &'a Aws,
    functions: &'a [Function],
    tests: &'a Tests<'a>,
    rehearsals: &'a [Rehearsal<'a>],
}

/// What came of taking out a permission.
enum Outcome {
    /// A test failed, and passes again with the permission.
    Noticed { by: String, after: Duration },
    /// No test failed.
    Unnoticed,
    /// A test failed, and then also with the permission.
    Unclear { by: String },
    /// Only Lambda itself needs it.
    NotTried(ByLambda),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Noticed { by, after } => write!(f, "noticed by {by} after {}", seconds(*after)),
            Self::Unnoticed => f.write_str("NOT NOTICED"),
            Self::Unclear { by } => write!(f, "NOT CLEAR: {by} fails with it, too"),
            Self::NotTried(by) => write!(f, "not tried: {}", by.reason()),
        }
    }
}

impl Removal<'_> {
    fn try_without(&self, policy: &Policy, grant: &Grant, by_lambda: &[(Grant, ByLambda)]) -> Result<Outcome, Trouble> {
        let can_notice = |rehearsal: &&Rehearsal<'_>| rehearsal.needs.iter().any(|need| covers(grant, need));
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
            go_on()?;
            if self.tests.passes(binary, test)? {
                return Ok(Outcome::Noticed { by, after });
            }
        }
        Ok(Outcome::Unclear { by })
    }

    fn first_to_fail<'a>(&self, witnesses: &[&'a Rehearsal<'a>]) -> Result<Option<&'a Rehearsal<'a>>, Trouble> {
        for rehearsal in witnesses {
            go_on()?;
            if !self.tests.passes(rehearsal.binary, &rehearsal.test)? {
                return Ok(Some(rehearsal));
            }
        }
        Ok(None)
    }

    /// Gives the role this policy, and ends its function's environments: one that runs may still know what it has read.
    fn change(&self, policy: &Policy, document: &Value) -> Result<(), Trouble> {
        policy.put(self.aws, document)?;
        let deployed = self.functions.iter().find(|function| function.name == policy.function);
        deployed.map_or(Ok(()), |function| self.aws.set_timeout(&function.deployed_name, function.timeout))
    }
}
