//! The steps that depend on nothing but the checkout. Add a step to the function with its peers.

use std::process::Command;

use anyhow::Context as _;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::emulator::{EmulatorKind, Installed};
use ferrite_local_stack::functions::cargo;
use ferrite_local_stack::process::{ProcessError, each_line, each_line_logged, run};
use ferrite_local_stack::tools::{DEPLOY_TOOLS, GATES, Tools, install};
use ferrite_test_runner::counts::Counts;

use crate::gates::{dependencies, policies, secrets};
use crate::progress::{Outcome, Step};

/// The templates that are linted.
const TEMPLATES: [&str; 3] = ["template.yaml", "infra/firewall.yaml", "infra/operations.yaml"];

/// The name of this run's folder below `.ferrite/`.
pub(crate) const RUN: &str = "test";

/// Format and lints of the Rust code.
pub(crate) fn rust_lints() -> Vec<Step> {
    vec![
        Step::new("Format", |checkout| {
            run(cargo(checkout).args(["fmt", "--all", "--check"]))?;
            Ok(Outcome::Passed)
        }),
        Step::new("Clippy", |checkout| {
            run(cargo(checkout).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
            Ok(Outcome::Passed)
        }),
    ]
}

/// Lints of the templates.
pub(crate) fn template_lints() -> Vec<Step> {
    let lints = TEMPLATES.into_iter().flat_map(|template| {
        [
            tool_step(format!("sam validate --lint ({template})"), move |sam| {
                let mut command = sam.command("sam");
                command.args(["validate", "--lint", "--template-file", template]);
                // It needs a region, but makes no calls.
                command.env("AWS_DEFAULT_REGION", "us-east-1");
                command
            }),
            tool_step(format!("cfn-lint ({template})"), move |sam| {
                let mut command = sam.command("cfn-lint");
                command.arg(template);
                command
            }),
        ]
    });
    lints.collect()
}

fn tool_step(title: String, command: impl Fn(&Tools) -> Command + 'static) -> Step {
    Step::new(title, move |checkout| {
        run(command(&install(checkout, &DEPLOY_TOOLS)?).current_dir(checkout.root()))?;
        Ok(Outcome::Passed)
    })
}

/// What a security reviewer asks first.
pub(crate) fn gates() -> Vec<Step> {
    vec![
        Step::new("Policies of the templates (checkov)", |checkout| {
            policies::check(checkout, &install(checkout, &GATES)?, RUN)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Secrets in the tracked files (detect-secrets)", |checkout| {
            secrets::check(checkout, &install(checkout, &GATES)?)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Dependencies (cargo-deny)", |checkout| {
            dependencies::check(checkout, &install(checkout, &GATES)?)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Advisories (cargo-deny)", |checkout| {
            let checked = dependencies::check_advisories(checkout, &install(checkout, &GATES)?)?;
            let not_run = || Outcome::NotRun("not checked, the database could not be fetched".to_owned());
            Ok(if checked { Outcome::Passed } else { not_run() })
        }),
    ]
}

/// Tests with other features or targets than those of the workspace's build.
pub(crate) fn cargo_tests() -> Vec<Step> {
    vec![
        cargo_test("Documentation tests", &["--workspace", "--doc"]),
        cargo_test("Tests of the feature otlp", &["--package", "ferrite-runtime", "--features", "otlp", "--lib", "trace"]),
        cargo_test(
            "Event schemas",
            &["--package", "ferrite-domain", "--features", "schema,testing", "--lib", "--test", "schemas"],
        ),
        cargo_test("The API's document", &["--package", "ferrite-api", "--features", "schema"]),
    ]
}

/// A `cargo test` with these arguments.
fn cargo_test(title: &str, arguments: &'static [&str]) -> Step {
    cargo_tests_step(title, move |checkout| {
        let mut command = cargo(checkout);
        command.arg("test").args(arguments);
        Ok(command)
    })
}

/// A run of `cargo test`, whose command `command` makes.
pub(crate) fn cargo_tests_step(title: &str, command: impl Fn(&Checkout) -> anyhow::Result<Command> + 'static) -> Step {
    Step::new(title, move |checkout| {
        let mut counts = Counts::default();
        let outcome = each_line(&mut command(checkout)?, |line| {
            if let Some(some) = Counts::of_libtest(line) {
                counts += some;
            } else if line.contains("FAILED") || line.starts_with("error") || line.starts_with("---- ") {
                report(&format!("  {line}"));
            }
        });
        tests(counts, outcome)
    })
}

/// The tests of an emulator's launcher, patches and plug-ins.
pub(crate) fn emulator_tests(kind: EmulatorKind) -> Step {
    Step::new(format!("Launcher and patches of {}", kind.name()), move |checkout| {
        run_emulator_tests(checkout, &kind.install(checkout)?)
    })
}

fn run_emulator_tests(checkout: &Checkout, emulator: &Installed) -> anyhow::Result<Outcome> {
    let log = checkout.run_folder(RUN)?.join("launcher-tests.log");
    let folder = format!("tests/emulators/tests/{}", emulator.kind().folder());
    let mut command = emulator.tools().command("python");
    command.args(["-m", "unittest", "discover", "-s", &folder, "-t", "tests/emulators"]).current_dir(checkout.root());
    let mut output = String::new();
    let outcome = each_line_logged(&mut command, &log, |line| {
        output.push_str(line);
        output.push('\n');
    });
    match (Counts::of_unittest(&output), outcome) {
        (Some(counts), outcome) => tests(counts, outcome),
        (None, outcome) => outcome.map(|()| Outcome::Passed).context("no test result"),
    }
}

/// The outcome of a test runner. If it failed without a failed test, its error is the outcome.
fn tests(counts: Counts, outcome: Result<(), ProcessError>) -> anyhow::Result<Outcome> {
    match outcome {
        Err(error) if counts.failed == 0 => Err(error.into()),
        Err(error) => {
            report(&format!("  {error}"));
            Ok(Outcome::Tests(counts))
        }
        Ok(()) => Ok(Outcome::Tests(counts)),
    }
}
