//! The steps that need only the checkout. Add a step to the function with similar steps.

use std::process::Command;

use anyhow::{Context as _, ensure};
use ferrite_generated_files::{COMMAND, generated_files};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::emulator::{EmulatorKind, InstalledEmulator};
use ferrite_local_stack::files::FileError;
use ferrite_local_stack::functions::cargo;
use ferrite_local_stack::npm::{OPENAPI_TOOLS, install_packages};
use ferrite_local_stack::process::{ProcessError, each_line, each_line_logged, run};
use ferrite_local_stack::staging::templates;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, GATES, SECRETS, Tools, install};
use ferrite_test_runner::binaries::cargo_with_clippy;
use ferrite_test_runner::counts::Counts;

use crate::gates::{dependencies, policies, secrets, unused_dependencies, workflows};
use crate::progress::{Outcome, Step};

/// The name of the run's folder in `.ferrite/`.
pub(crate) const RUN: &str = "test";

/// The tests of the kit itself, which projects do not have.
pub(crate) const KIT_TESTS: &str = "tests/conformance";

/// The tests of the emulators' launchers, which projects do not have.
const EMULATOR_TESTS: &str = "tests/emulators/tests";

/// The format of the Rust code.
pub(crate) fn format() -> Step {
    Step::new("Format", |checkout| {
        run(cargo(checkout).args(["fmt", "--all", "--check"])).context("to format the code, run cargo fmt --all")?;
        Ok(Outcome::Passed)
    })
}

/// Whether the files that are derived from template.yaml agree with it. Tests check those that are derived from the code.
pub(crate) fn generated() -> Step {
    Step::new("Generated files", |checkout| {
        let files = generated_files(checkout.root())?;
        let outdated: Vec<_> = files.iter().filter(|file| !file.is_current()).collect();
        outdated.iter().for_each(|file| report(&file.diff()));
        let names: Vec<_> = outdated.iter().map(|file| file.path.as_str()).collect();
        ensure!(names.is_empty(), "out of date: {}; run {COMMAND}", names.join(", "));
        Ok(Outcome::Passed)
    })
}

/// Installs the tools of the other steps.
pub(crate) fn tools() -> Step {
    Step::new("Tools", |checkout| {
        install(checkout, &DEPLOY_TOOLS)?;
        EmulatorKind::Ministack.install(checkout)?;
        install(checkout, &GATES)?;
        install(checkout, &SECRETS)?;
        if checkout.has(OPENAPI_TOOLS.manifest_folder) {
            install_packages(checkout, &OPENAPI_TOOLS)?;
        }
        Ok(Outcome::Passed)
    })
}

/// Lints of the templates.
///
/// # Errors
/// Returns an error if the folder of the nested templates cannot be read.
pub(crate) fn template_lints(checkout: &Checkout) -> Result<Vec<Step>, FileError> {
    let lints = templates(checkout.root())?.into_iter().flat_map(|template| {
        [
            tool_step("sam validate --lint", template.clone(), |sam, template| {
                let mut command = sam.command("sam");
                command.args(["validate", "--lint", "--template-file", template]);
                // SAM needs a region, but makes no calls.
                command.env("AWS_DEFAULT_REGION", "us-east-1");
                command
            }),
            tool_step("cfn-lint", template, |sam, template| {
                let mut command = sam.command("cfn-lint");
                command.arg(template);
                command
            }),
        ]
    });
    Ok(lints.collect())
}

/// A tool that checks a template. Its output is printed only if it fails.
fn tool_step(tool: &str, template: String, command: fn(&Tools, &str) -> Command) -> Step {
    let log = format!("{}-{}.log", tool.replace(' ', "-"), template.replace('/', "-"));
    Step::new(format!("{tool} ({template})"), move |checkout| {
        let log = checkout.run_folder(RUN)?.join(&log);
        let mut command = command(&install(checkout, &DEPLOY_TOOLS)?, &template);
        each_line_logged(command.current_dir(checkout.root()), &log, |_| {})?;
        Ok(Outcome::Passed)
    })
}

/// Security checks of the templates, the workflows, the tracked files, and the dependencies.
pub(crate) fn gates(checkout: &Checkout) -> Vec<Step> {
    let workflows = checkout.has(workflows::FOLDER).then(|| {
        Step::new("Workflows of GitHub Actions (zizmor)", |checkout| {
            workflows::check(checkout, &install(checkout, &GATES)?, RUN)?;
            Ok(Outcome::Passed)
        })
    });
    let others = [
        Step::new("Policies of the templates (checkov)", |checkout| {
            policies::check(checkout, &install(checkout, &GATES)?, RUN)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Secrets in the tracked files (detect-secrets)", |checkout| {
            secrets::check(checkout, &install(checkout, &SECRETS)?)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Dependencies (cargo-deny)", |checkout| {
            dependencies::check(checkout, &install(checkout, &GATES)?, RUN)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Unused dependencies (cargo-shear)", |checkout| {
            unused_dependencies::check(checkout, &install(checkout, &GATES)?, RUN)?;
            Ok(Outcome::Passed)
        }),
        Step::new("Advisories (cargo-deny)", |checkout| {
            let is_checked = dependencies::check_advisories(checkout, &install(checkout, &GATES)?, RUN)?;
            let not_run = || Outcome::NotRun("the advisory database could not be downloaded".to_owned());
            Ok(if is_checked { Outcome::Passed } else { not_run() })
        }),
    ];
    workflows.into_iter().chain(others).collect()
}

/// Documentation tests and, in the kit's repository, tests of features that the other tests do not enable.
pub(crate) fn cargo_tests(checkout: &Checkout) -> Vec<Step> {
    let mut steps = vec![cargo_test("Documentation tests", &["--workspace", "--doc"])];
    if checkout.has(KIT_TESTS) {
        let otlp = &["--package", "ferrite-runtime", "--features", "otlp", "--lib", "trace"];
        steps.push(cargo_test("Tests of the feature otlp", otlp));
    }
    steps
}

/// A `cargo test` with these arguments.
fn cargo_test(title: &str, arguments: &'static [&str]) -> Step {
    cargo_tests_step(title, move |checkout| {
        let mut command = cargo_with_clippy(checkout);
        command.arg("test").args(arguments);
        Ok(command)
    })
}

/// A run of `cargo test` with the command that `command` returns.
pub(crate) fn cargo_tests_step(
    title: &str,
    command: impl Fn(&Checkout) -> anyhow::Result<Command> + Send + 'static,
) -> Step {
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

/// The tests of the launcher, patches and plug-ins of an emulator. Projects do not have these tests.
pub(crate) fn emulator_tests(checkout: &Checkout, kind: EmulatorKind) -> Option<Step> {
    checkout.has(EMULATOR_TESTS).then(|| {
        Step::new(format!("Launcher and patches of {}", kind.name()), move |checkout| {
            run_emulator_tests(checkout, &kind.install(checkout)?)
        })
    })
}

fn run_emulator_tests(checkout: &Checkout, emulator: &InstalledEmulator) -> anyhow::Result<Outcome> {
    let log = checkout.run_folder(RUN)?.join("launcher-tests.log");
    let folder = format!("{EMULATOR_TESTS}/{}", emulator.kind().folder());
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

/// The outcome of a test runner.
///
/// # Errors
/// Returns the error of a test runner that failed without a failed test.
fn tests(counts: Counts, result: Result<(), ProcessError>) -> anyhow::Result<Outcome> {
    match result {
        Ok(()) => Ok(Outcome::Passes(counts)),
        Err(error) if counts.failed == 0 => Err(error.into()),
        Err(error) => Ok(Outcome::Failures(counts, error.to_string())),
    }
}
