//! `scripts/test`: every check and test, one after the other, with the totals at the end.

mod shipped;
mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use ferrite_tests::made::MADE;

use self::shipped::Shipped;
use self::site::Site;
use crate::build::cargo;
use crate::chaos::prove;
use crate::checkout::Checkout;
use crate::cleaning::clean;
use crate::console::{say, step};
use crate::counts::Counts;
use crate::emulator::{EmulatorKind, Installed, functions_log};
use crate::gates::{dependencies, policies, secrets};
use crate::permissions;
use crate::process::{each_line_logged, go_on, run};
use crate::running::Claim;
use crate::schemathesis::call_from_document;
use crate::skipped::{END_TO_END, Place, Skipped, skipped_at};
use crate::stack::{output, outputs};
use crate::test_binaries::{Built, Needs, TestBinary, build_tests};
use crate::test_stack::{deploy, section_for};
use crate::tools::{DEPLOY_TOOLS, GATES, POWERTOOLS, Tools, install};
use crate::trouble::{Trouble, at};
use crate::under_test::UnderTest;

const RUN: &str = "test";

/// Runs `scripts/test`. The last line printed is the totals.
///
/// # Errors
/// When a check or test failed, or a signal came.
pub fn test(checkout: &Checkout, asked: &Asked) -> Result<(), Trouble> {
    // Asked now: the build of the tests may put another file in its place.
    let program = std::env::current_exe().map_err(at(Path::new("ferrite")))?;
    let filter = asked.filter.as_deref();
    let mut suite =
        Suite { checkout, asked, filter, program, totals: Counts::default(), failures: Vec::new(), left_out: Vec::new() };
    suite.run()?;
    if !suite.left_out.is_empty() {
        say("Not run:");
    }
    for left_out in &suite.left_out {
        say(&format!("  {left_out}"));
    }
    for failure in &suite.failures {
        say(&format!("failed: {failure}"));
    }
    say(&suite.totals.to_string());
    if suite.totals.failed > 0 {
        return Err(Trouble::TestsFailed);
    }
    Ok(())
}

/// What `scripts/test` is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Only the tests that need nothing else.
    pub unit: bool,
    /// Only the tests whose names contain this.
    pub filter: Option<String>,
    /// What takes the place of AWS, unless there is a stack or an endpoint of the caller's.
    pub emulator: EmulatorKind,
    /// The emulator runs in Docker, as it comes.
    pub docker: bool,
    /// A stack that is deployed already, at the caller's endpoint or on AWS: only the end-to-end tests, on that.
    pub stack: Option<String>,
}

struct Suite<'a> {
    checkout: &'a Checkout,
    asked: &'a Asked,
    filter: Option<&'a str>,
    program: PathBuf,
    totals: Counts,
    failures: Vec<String>,
    /// What did not run, and why.
    left_out: Vec<String>,
}

impl Suite<'_> {
    fn run(&mut self) -> Result<(), Trouble> {
        let unit = self.asked.unit;
        // Neither says anything of what runs by itself, and without them the suite has run that.
        let only_on_aws = self.asked.emulator != EmulatorKind::default() || self.asked.stack.is_some();
        if unit {
            say("(--unit: no lints, no template checks, nothing that needs an emulator)");
        } else if only_on_aws {
            say("(--emulator, --stack: only what depends on what takes the place of AWS; ./scripts/test runs the rest)");
            self.test_other_emulator()?;
        } else if self.filter.is_some() {
            say("(a filter: no lints, no template checks)");
        } else {
            self.lint()?;
        }
        let built = self.step("Building the tests", || build_tests(self.checkout, !unit))?;
        let Some(built) = built else { return Ok(()) };
        if only_on_aws {
            return self.run_on_aws(&built);
        }
        self.run_binaries("Unit tests", &built.tests, Needs::Nothing, &[], |_| {})?;
        if unit {
            return Ok(());
        }
        let mut shipped = None;
        if self.filter.is_none() {
            let checkout = self.checkout;
            shipped = self.step("The functions as they ship, built meanwhile", || Shipped::begin(checkout))?;
            let mut command = cargo(self.checkout);
            command.args(["test", "--workspace", "--doc"]);
            self.cargo_tests("Documentation tests", &mut command)?;
            let mut command = cargo(self.checkout);
            command.args(["test", "--package", "ferrite-runtime", "--features", "otlp", "--lib", "trace"]);
            self.cargo_tests("Tests of the feature otlp", &mut command)?;
            let mut command = cargo(self.checkout);
            command.args([
                "test",
                "--package",
                "ferrite-domain",
                "--features",
                "schema,testing",
                "--lib",
                "--test",
                "schemas",
            ]);
            self.cargo_tests("Event schemas", &mut command)?;
            let mut command = cargo(self.checkout);
            command.args(["test", "--package", "ferrite-api", "--features", "schema"]);
            self.cargo_tests("The API's document", &mut command)?;
        }
        self.run_on_aws(&built)?;
        if self.filter.is_some() {
            return Ok(());
        }
        self.storms(&built)?;
        match shipped {
            Some(shipped) => self.sizes(shipped),
            None => Ok(()),
        }
    }

    /// `scripts/chaos` in short, and the proof that it can fail.
    fn storms(&mut self, built: &Built) -> Result<(), Trouble> {
        let Some(proofs) = self.step("Storms (scripts/chaos)", || prove(self.checkout, &built.functions))? else {
            return Ok(());
        };
        for (name, report) in proofs {
            match report {
                None => self.totals.passed += 1,
                Some(report) => {
                    say(&report.to_string());
                    self.add_failed(name, Counts::default());
                }
            }
        }
        Ok(())
    }

    /// The HTTP functions as they ship, held to what they may weigh.
    fn sizes(&mut self, shipped: Shipped) -> Result<(), Trouble> {
        let checkout = self.checkout;
        self.step("Sizes as shipped", || shipped.check_sizes(checkout))?;
        Ok(())
    }

    /// One step, timed. A failure is noted and does not stop the run: the outcome is then `None`.
    fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T, Trouble>) -> Result<Option<T>, Trouble> {
        match step(title, work) {
            Ok(outcome) => Ok(Some(outcome)),
            Err(Trouble::Interrupted) => Err(Trouble::Interrupted),
            Err(trouble) => {
                go_on()?;
                say(&format!("  {trouble}"));
                self.totals.failed += 1;
                self.failures.push(title.to_owned());
                Ok(None)
            }
        }
    }

    fn lint(&mut self) -> Result<(), Trouble> {
        let checkout = self.checkout;
        let tools = thread::scope(|scope| {
            let tools = scope.spawn(|| {
                let ministack = EmulatorKind::Ministack.install(checkout)?;
                Ok((install(checkout, &DEPLOY_TOOLS)?, ministack, install(checkout, &GATES)?))
            });
            self.step("Format", || run(cargo(checkout).args(["fmt", "--all", "--check"])))?;
            self.step("Clippy", || {
                let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                run(cargo(checkout).args(clippy))
            })?;
            Ok::<_, Trouble>(tools.join().unwrap_or(Err(Trouble::Interrupted)))
        })?;
        let Some((sam, ministack, gates)) = self.step("Tools", || tools)? else {
            return Ok(());
        };
        for template in ["template.yaml", "infra/firewall.yaml", "infra/operations.yaml"] {
            self.step(&format!("sam validate --lint ({template})"), || {
                let mut command = sam.command("sam");
                command.args(["validate", "--lint", "--template-file", template]);
                // It asks for a region and calls nobody.
                run(command.env("AWS_DEFAULT_REGION", "us-east-1").current_dir(checkout.root()))
            })?;
            self.step(&format!("cfn-lint ({template})"), || {
                run(sam.command("cfn-lint").arg(template).current_dir(checkout.root()))
            })?;
        }
        self.gates(&gates)?;
        self.emulator_tests(&ministack)
    }

    /// What a security reviewer asks first.
    fn gates(&mut self, tools: &Tools) -> Result<(), Trouble> {
        let checkout = self.checkout;
        self.step("Policies of the templates (checkov)", || policies::check(checkout, tools, RUN))?;
        self.step("Secrets in the tracked files (detect-secrets)", || secrets::check(checkout, tools))?;
        self.step("Dependencies (cargo-deny)", || dependencies::check(checkout, tools))?;
        let checked = self.step("Advisories (cargo-deny)", || dependencies::check_advisories(checkout, tools))?;
        if checked == Some(false) {
            self.left_out.push("advisories: not checked, the database could not be fetched".to_owned());
        }
        Ok(())
    }

    /// That of an emulator other than the default, which [`Self::lint`] has.
    fn test_other_emulator(&mut self) -> Result<(), Trouble> {
        let (checkout, asked) = (self.checkout, self.asked);
        if asked.stack.is_some() || asked.docker || self.filter.is_some() {
            return Ok(());
        }
        match self.step("Tools", || asked.emulator.install(checkout))? {
            Some(installed) => self.emulator_tests(&installed),
            None => Ok(()),
        }
    }

    /// What the launcher of an emulator promises, and its patches or plug-ins.
    fn emulator_tests(&mut self, emulator: &Installed) -> Result<(), Trouble> {
        let title = format!("Launcher and patches of {}", emulator.kind().name());
        let log = self.checkout.run_folder(RUN)?.join("launcher-tests.log");
        let folder = format!("tests/emulators/tests/{}", emulator.kind().folder());
        let mut command = emulator.tools().command("python");
        command
            .args(["-m", "unittest", "discover", "-s", &folder, "-t", "tests/emulators"])
            .current_dir(self.checkout.root());
        let mut output = String::new();
        let outcome = step(&title, || {
            each_line_logged(&mut command, &log, |line| {
                output.push_str(line);
                output.push('\n');
            })
        });
        go_on()?;
        match (Counts::of_unittest(&output), outcome) {
            (Some(counts), Ok(())) => self.totals += counts,
            (counts, outcome) => {
                if let Err(trouble) = outcome {
                    say(&format!("  {trouble}"));
                }
                self.add_failed(&title, counts.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Counts of a step that failed: at least one failure, whatever its runner managed to print.
    fn add_failed(&mut self, title: &str, mut counts: Counts) {
        counts.failed = counts.failed.max(1);
        self.totals += counts;
        self.failures.push(title.to_owned());
    }

    fn cargo_tests(&mut self, title: &str, command: &mut Command) -> Result<(), Trouble> {
        let mut counts = Counts::default();
        let outcome = step(title, || {
            crate::process::each_line(command, |line| {
                if let Some(some) = Counts::of_libtest(line) {
                    counts += some;
                } else if line.contains("FAILED") || line.starts_with("error") || line.starts_with("---- ") {
                    say(&format!("  {line}"));
                }
            })
        });
        go_on()?;
        if outcome.is_err() {
            self.add_failed(title, counts);
        } else {
            self.totals += counts;
        }
        Ok(())
    }

    fn run_binaries(
        &mut self,
        title: &str,
        binaries: &[TestBinary],
        needs: Needs,
        skipped: &[&str],
        prepare: impl Fn(&mut Command),
    ) -> Result<(), Trouble> {
        let mut total = Counts::default();
        let mut failed = Vec::new();
        let filter = self.filter;
        // Each failure is noted below; the outcome is only shown.
        let _ = step(title, || {
            for binary in binaries.iter().filter(|binary| binary.needs == needs) {
                match binary.run(filter, skipped, &prepare) {
                    Ok(counts) => {
                        total += counts;
                        if counts.failed > 0 {
                            failed.push((binary.name.clone(), Counts::default()));
                        }
                    }
                    Err(Trouble::Interrupted) => return Err(Trouble::Interrupted),
                    Err(trouble) => {
                        say(&format!("  {trouble}"));
                        failed.push((binary.name.clone(), Counts { failed: 1, ..Counts::default() }));
                    }
                }
            }
            say(&format!("  {total}"));
            if failed.is_empty() { Ok(()) } else { Err(Trouble::TestsFailed) }
        });
        go_on()?;
        self.totals += total;
        for (name, extra) in failed {
            self.totals += extra;
            self.failures.push(format!("{title}: {name}"));
        }
        Ok(())
    }

    /// The tests that need AWS: on AWS or the caller's endpoint, or on an emulator that lives as long as they run.
    fn run_on_aws(&mut self, built: &Built) -> Result<(), Trouble> {
        let wanted = |needs: Needs| -> Result<bool, Trouble> {
            for binary in built.tests.iter().filter(|binary| binary.needs == needs) {
                if self.filter.is_none_or(str::is_empty) || binary.matches(self.filter.unwrap_or_default())? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let (adapters, conformance, end_to_end) = (wanted(Needs::Aws)?, wanted(Needs::Powertools)?, wanted(Needs::Stack)?);
        if !adapters && !conformance && !end_to_end {
            return Ok(());
        }
        let Some(claim) = Claim::take(self.checkout, RUN)? else {
            return Err(Trouble::TestsRunAlready);
        };
        let _ = claim.clear();
        let run_folder = self.checkout.run_folder(RUN)?;
        let Some(site) =
            self.step("An AWS endpoint for the tests", || Site::find(self.checkout, self.asked, &run_folder, &claim))?
        else {
            return Ok(());
        };
        self.left_out.extend(
            skipped_at(site.place).map(|Skipped { place, test, reason }| format!("{test} on {}: {reason}", place.name())),
        );
        if self.asked.stack.is_none() {
            if adapters {
                self.run_binaries("Adapter tests", &built.tests, Needs::Aws, &site.skipped(), |command| {
                    site.apply(command);
                })?;
            }
            if conformance {
                self.conformance(built, &site)?;
            }
        }
        if end_to_end && skipped_at(site.place).all(|skipped| skipped.test != END_TO_END) {
            self.end_to_end(built, &site, &run_folder)?;
        }
        if site.emulator.is_some() && !self.failures.is_empty() {
            say(&format!("What the functions logged: {}", functions_log(&run_folder).display()));
        }
        Ok(())
    }

    /// The tests that hold the runtime to Powertools.
    fn conformance(&mut self, built: &Built, site: &Site) -> Result<(), Trouble> {
        let checkout = self.checkout;
        let Some(powertools) = self.step("Powertools", || install(checkout, &POWERTOOLS))? else { return Ok(()) };
        let title = "Conformance with Powertools (Python)";
        self.run_binaries(title, &built.tests, Needs::Powertools, &site.skipped(), |command| {
            site.apply(command);
            command.env("FERRITE_CONFORMANCE_PYTHON", powertools.path("python"));
        })
    }

    fn end_to_end(&mut self, built: &Built, site: &Site, run_folder: &Path) -> Result<(), Trouble> {
        let checkout = self.checkout;
        let outputs = match (&self.asked.stack, &site.target) {
            (None, Some(target)) => {
                let config = section_for(checkout, site.place)?;
                let stack = format!("{}-test", config.stack.trim_end_matches("-local"));
                let title = format!("Deploying template.yaml as {stack}");
                self.step(&title, || deploy(checkout, built, target, run_folder, &config, &stack))?
            }
            (stack, target) => {
                let stack = stack.as_deref().unwrap_or_default();
                self.step(&format!("The stack {stack}"), || {
                    outputs(&install(checkout, &DEPLOY_TOOLS)?, target.as_ref(), stack)
                })?
            }
        };
        let Some(outputs) = outputs else { return Ok(()) };
        let recorded = match &site.recorder {
            None => None,
            Some(recorder) => {
                // The bus is called like the stack.
                let functions = permissions::roles::functions(&site.aws()?, output(&outputs, "BusName")?)?;
                recorder.introduce(&functions);
                Some((recorder, functions))
            }
        };
        let table = output(&outputs, "TableName")?.to_owned();
        let stack = UnderTest::new(checkout, run_folder, outputs, self.program.clone())?;
        let made = run_folder.join("made");
        if made.exists() {
            fs::remove_file(&made).map_err(at(&made))?;
        }
        let log = site.emulator.is_some().then(|| functions_log(run_folder));
        let failed_before = self.totals.failed;
        self.run_binaries("End-to-end tests", &built.tests, Needs::Stack, &site.skipped(), |command| {
            site.apply(command);
            stack.apply(command);
            command.envs(log.iter().map(|log| ("FERRITE_FUNCTIONS_LOG", log)));
            if site.emulator.is_none() {
                command.env(MADE, &made);
            }
        })?;
        if site.emulator.is_none() {
            self.step("Taking away what the tests made", || {
                let deleted = clean(&site.aws()?, &table, &made)?;
                say(&format!("  {deleted} items of {table}"));
                Ok(())
            })?;
        }
        // What tests show that were left out, or broke off, is not in the record.
        if let Some((recorder, functions)) = recorded
            && self.filter.is_none_or(str::is_empty)
            && self.totals.failed == failed_before
        {
            self.step("Permissions: the roles beside what was asked for", || {
                permissions::check(&site.aws()?, &functions, recorder, run_folder)
            })?;
        }
        // The edge of the other emulator is not AWS's in too many ways, and what is made is taken away from nowhere.
        if self.filter.is_none_or(str::is_empty) && site.place == Place::On(EmulatorKind::Ministack) {
            self.step("Hostile input (Schemathesis)", || call_from_document(checkout, stack.api(), run_folder))?;
        }
        Ok(())
    }
}
