//! `scripts/test`: every check and test, one after the other, with the totals at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::budget::{check_sizes, http_functions};
use crate::build::cargo;
use crate::chaos::prove;
use crate::checkout::Checkout;
use crate::console::{say, step};
use crate::counts::Counts;
use crate::deploy::build_for_lambda;
use crate::emulator::{Emulator, free_port, functions_log};
use crate::endpoint::Target;
use crate::process::{each_line_logged, go_on, run};
use crate::running::{Claim, Running};
use crate::samconfig::Section;
use crate::stack::{Deployment, host_architecture, output};
use crate::stage::Stage;
use crate::test_binaries::{Built, Needs, TestBinary, build_tests};
use crate::tools::{DEPLOY_TOOLS, MINISTACK, POWERTOOLS, Tools, install};
use crate::trouble::{Trouble, at};

const RUN: &str = "test";

/// Runs `scripts/test`. The last line printed is the totals.
///
/// # Errors
/// When a check or test failed, or a signal came.
pub fn test(checkout: &Checkout, unit: bool, filter: Option<&str>) -> Result<(), Trouble> {
    // Asked now: the build of the tests may put another file in its place.
    let program = std::env::current_exe().map_err(at(Path::new("ferrite")))?;
    let mut suite = Suite { checkout, filter, program, totals: Counts::default(), failures: Vec::new() };
    suite.run(unit)?;
    for failure in &suite.failures {
        say(&format!("failed: {failure}"));
    }
    say(&suite.totals.to_string());
    if suite.totals.failed > 0 {
        return Err(Trouble::TestsFailed);
    }
    Ok(())
}

struct Suite<'a> {
    checkout: &'a Checkout,
    filter: Option<&'a str>,
    program: PathBuf,
    totals: Counts,
    failures: Vec<String>,
}

impl Suite<'_> {
    fn run(&mut self, unit: bool) -> Result<(), Trouble> {
        if unit {
            say("(--unit: no lints, no template checks, nothing that needs an emulator)");
        } else if self.filter.is_some() {
            say("(a filter: no lints, no template checks)");
        } else {
            self.lint()?;
        }
        let built = self.step("Building the tests", || build_tests(self.checkout, !unit))?;
        let Some(built) = built else { return Ok(()) };
        self.run_binaries("Unit tests", &built.tests, Needs::Nothing, |_| {})?;
        if unit {
            return Ok(());
        }
        if self.filter.is_none() {
            let mut command = cargo(self.checkout);
            command.args(["test", "--workspace", "--doc"]);
            self.cargo_tests("Documentation tests", &mut command)?;
            let mut command = cargo(self.checkout);
            command.args(["test", "--package", "ferrite-runtime", "--features", "otlp", "--lib", "trace"]);
            self.cargo_tests("Tests of the feature otlp", &mut command)?;
            let mut command = cargo(self.checkout);
            command.args(["test", "--package", "ferrite-domain", "--features", "schema,testing", "--test", "schemas"]);
            self.cargo_tests("Event schemas", &mut command)?;
        }
        self.run_on_aws(&built)?;
        if self.filter.is_some() {
            return Ok(());
        }
        self.storms(&built)?;
        self.sizes()
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
    fn sizes(&mut self) -> Result<(), Trouble> {
        let checkout = self.checkout;
        let Some(tools) = self.step("Tools", || install(checkout, &DEPLOY_TOOLS))? else { return Ok(()) };
        self.step("Sizes as shipped", || {
            let folder = checkout.run_folder(RUN)?.join("shipped");
            build_for_lambda(checkout, &tools, &folder, host_architecture(), &http_functions(checkout)?)?;
            check_sizes(checkout, &folder)
        })?;
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
            let tools = scope.spawn(|| Ok((install(checkout, &DEPLOY_TOOLS)?, install(checkout, &MINISTACK)?)));
            self.step("Format", || run(cargo(checkout).args(["fmt", "--all", "--check"])))?;
            self.step("Clippy", || {
                let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                run(cargo(checkout).args(clippy))
            })?;
            Ok::<_, Trouble>(tools.join().unwrap_or(Err(Trouble::Interrupted)))
        })?;
        let Some((sam, ministack)) = self.step("Tools", || tools)? else {
            return Ok(());
        };
        for template in ["template.yaml", "infra/operations.yaml"] {
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
        self.launcher_tests(&ministack)
    }

    fn launcher_tests(&mut self, ministack: &Tools) -> Result<(), Trouble> {
        let log = self.checkout.run_folder(RUN)?.join("launcher-tests.log");
        let mut command = ministack.command("python");
        command
            .args(["-m", "unittest", "discover", "-s", "tests/emulators/tests", "-t", "tests/emulators"])
            .current_dir(self.checkout.root());
        let mut output = String::new();
        let outcome = step("Emulator launcher tests", || {
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
                self.add_failed("Emulator launcher tests", counts.unwrap_or_default());
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
        prepare: impl Fn(&mut Command),
    ) -> Result<(), Trouble> {
        let mut total = Counts::default();
        let mut failed = Vec::new();
        let filter = self.filter;
        // Each failure is noted below; the outcome is only shown.
        let _ = step(title, || {
            for binary in binaries.iter().filter(|binary| binary.needs == needs) {
                match binary.run(filter, &prepare) {
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

    /// The tests that need AWS: on the caller's endpoint, or on an emulator that lives as long as they run.
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
        let Some((target, emulator)) =
            self.step("An AWS endpoint for the tests", || aws_endpoint(self.checkout, &run_folder, &claim))?
        else {
            return Ok(());
        };
        if adapters {
            self.run_binaries("Adapter tests", &built.tests, Needs::Aws, |command| {
                target.apply(command);
            })?;
        }
        if conformance {
            self.conformance(built, &target)?;
        }
        if end_to_end {
            let log = emulator.is_some().then(|| functions_log(&run_folder));
            self.end_to_end(built, &target, &run_folder, log.as_deref())?;
        }
        if emulator.is_some() && !self.failures.is_empty() {
            say(&format!("What the functions logged: {}", functions_log(&run_folder).display()));
        }
        Ok(())
    }

    /// The tests that hold the runtime to Powertools.
    fn conformance(&mut self, built: &Built, target: &Target) -> Result<(), Trouble> {
        let checkout = self.checkout;
        let Some(powertools) = self.step("Powertools", || install(checkout, &POWERTOOLS))? else { return Ok(()) };
        self.run_binaries("Conformance with Powertools (Python)", &built.tests, Needs::Powertools, |command| {
            target.apply(command).env("FERRITE_CONFORMANCE_PYTHON", powertools.path("python"));
        })
    }

    fn end_to_end(
        &mut self,
        built: &Built,
        target: &Target,
        run_folder: &Path,
        functions_log: Option<&Path>,
    ) -> Result<(), Trouble> {
        let config = Section::require(self.checkout, "local")?;
        let stack = format!("{}-test", config.stack.trim_end_matches("-local"));
        let Some(stack) = self.step(&format!("Deploying template.yaml as {stack}"), || {
            deploy(self.checkout, built, target, run_folder, &config, &stack)
        })?
        else {
            return Ok(());
        };
        let (keys, program) = (self.checkout.keys(), self.program.clone());
        if functions_log.is_none() {
            say("  not run here: logs::*, which need the functions' log of an emulator that this suite started");
        }
        self.run_binaries("End-to-end tests", &built.tests, Needs::Stack, |command| {
            command.envs(functions_log.map(|log| ("FERRITE_FUNCTIONS_LOG", log)));
            target
                .apply(command)
                .env("FERRITE_API_URL", &stack.api)
                .env("FERRITE_KEYS_DIR", &keys)
                .env("FERRITE_PROGRAM", &program)
                .env("FERRITE_OUTPUTS", &stack.outputs);
        })
    }
}

/// The caller's endpoint, or a MiniStack of our own on a free port.
fn aws_endpoint(checkout: &Checkout, run_folder: &Path, claim: &Claim) -> Result<(Target, Option<Emulator>), Trouble> {
    if let Some(target) = Target::from_environment()? {
        say(&format!("  AWS_ENDPOINT_URL: {}", target.endpoint.url()));
        return Ok((target, None));
    }
    let ministack = install(checkout, &MINISTACK)?;
    let port = free_port()?;
    let emulator = Emulator::start(checkout, &ministack, run_folder, port, None)?;
    claim.note(&Running::started_here(port, emulator.group(), false))?;
    say(&format!("  MiniStack on port {port}"));
    Ok((Target::local(port), Some(emulator)))
}

/// A stack deployed for the end-to-end tests.
struct Deployed {
    api: String,
    outputs: PathBuf,
}

fn deploy(
    checkout: &Checkout,
    built: &Built,
    target: &Target,
    run_folder: &Path,
    config: &Section,
    stack: &str,
) -> Result<Deployed, Trouble> {
    let sam = install(checkout, &DEPLOY_TOOLS)?;
    let stage = Stage::in_run(run_folder)?;
    stage.put(&built.functions)?;
    stage.copy_template(checkout)?;
    let deployment = Deployment { checkout, sam: &sam, target, config };
    let outputs = deployment.deploy(&stage, stack, run_folder)?;
    let path = run_folder.join("outputs.json");
    let api = output(&outputs, "ApiUrl")?.to_owned();
    fs::write(&path, Value::Object(outputs).to_string()).map_err(at(&path))?;
    Ok(Deployed { api, outputs: path })
}
