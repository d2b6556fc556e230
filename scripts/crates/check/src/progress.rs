//! The totals of a run, and the way that every step reports to them.

use anyhow::anyhow;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::process::{check_interrupted, interrupted};
use ferrite_test_runner::counts::Counts;

/// A step of the run that depends on nothing but the checkout.
pub(crate) struct Step {
    title: String,
    work: Work,
}

type Work = Box<dyn Fn(&Checkout) -> anyhow::Result<Outcome>>;

/// The outcome of a step that did not fail as a whole.
pub(crate) enum Outcome {
    /// It passed, and is not counted as a test.
    Passed,
    /// It ran tests, some of which may have failed.
    Tests(Counts),
    /// It could not run, for this reason.
    NotRun(String),
}

impl Step {
    /// A step with a title.
    pub(crate) fn new(title: impl Into<String>, work: impl Fn(&Checkout) -> anyhow::Result<Outcome> + 'static) -> Self {
        Self { title: title.into(), work: Box::new(work) }
    }
}

/// What the steps so far came to.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The tests by outcome. A step that fails as a whole counts as a failed test.
    pub(crate) totals: Counts,
    failures: Vec<String>,
    not_run: Vec<String>,
}

impl Progress {
    /// Runs a step.
    ///
    /// # Errors
    /// Only after an interrupt. A failure is noted, and the run continues.
    pub(crate) fn run(&mut self, checkout: &Checkout, step: &Step) -> anyhow::Result<()> {
        match self.step(&step.title, || (step.work)(checkout))? {
            Some(Outcome::Tests(counts)) if counts.failed > 0 => self.add_failed(&step.title, counts),
            Some(Outcome::Tests(counts)) => self.totals += counts,
            Some(Outcome::NotRun(reason)) => {
                report(&format!("  not run: {reason}"));
                self.add_not_run(format!("{}: {reason}", step.title));
            }
            Some(Outcome::Passed) | None => {}
        }
        Ok(())
    }

    /// Runs the work of a step. A failure is noted, and the result is then `None`.
    ///
    /// # Errors
    /// Only after an interrupt.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Option<T>> {
        match step(title, work) {
            Ok(result) => Ok(Some(result)),
            Err(error) if interrupted() => Err(error),
            Err(error) => {
                report(&format!("  {error:#}"));
                self.add_failed(title, Counts::default());
                Ok(None)
            }
        }
    }

    /// Adds the counts of a step that failed, with at least one failure.
    pub(crate) fn add_failed(&mut self, title: &str, mut counts: Counts) {
        counts.failed = counts.failed.max(1);
        self.totals += counts;
        self.failures.push(title.to_owned());
    }

    /// Notes something that did not run, with the reason.
    pub(crate) fn add_not_run(&mut self, what: String) {
        self.not_run.push(what);
    }

    /// Whether something has failed so far.
    pub(crate) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Prints what did not run, what failed, and the totals in the last line.
    ///
    /// # Errors
    /// When something failed.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        check_interrupted()?;
        if !self.not_run.is_empty() {
            report("Not run:");
        }
        for not_run in &self.not_run {
            report(&format!("  {not_run}"));
        }
        for failure in &self.failures {
            report(&format!("failed: {failure}"));
        }
        report(&self.totals.to_string());
        if self.totals.failed > 0 { Err(anyhow!(AlreadyReported)) } else { Ok(()) }
    }
}
