//! The totals of a run, which every step reports to.

use std::time::Duration;

use anyhow::anyhow;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{format_duration, report, step};
use ferrite_local_stack::process::{check_interrupted, interrupted};
use ferrite_test_runner::counts::Counts;

/// A step of the run that needs only the checkout.
pub(crate) struct Step {
    /// The title in the output.
    pub(crate) title: String,
    work: Work,
}

type Work = Box<dyn Fn(&Checkout) -> anyhow::Result<Outcome> + Send>;

/// The outcome of a step that ran to its end, or could not run at all.
pub(crate) enum Outcome {
    /// The step passed. It is not counted as a test.
    Passed,
    /// The step ran tests, and all of them passed.
    Passes(Counts),
    /// The step ran tests, and some of them failed. The message describes the failure of the test runner.
    Failures(Counts, String),
    /// The step could not run, for this reason.
    NotRun(String),
}

impl Step {
    /// Creates a step.
    pub(crate) fn new(
        title: impl Into<String>,
        work: impl Fn(&Checkout) -> anyhow::Result<Outcome> + Send + 'static,
    ) -> Self {
        Self { title: title.into(), work: Box::new(work) }
    }

    /// Does the work of the step.
    ///
    /// # Errors
    /// Returns an error if the step failed as a whole.
    pub(crate) fn run(&self, checkout: &Checkout) -> anyhow::Result<Outcome> {
        (self.work)(checkout)
    }
}

/// The results of the steps so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The tests by outcome. A step that failed as a whole counts as one failed test.
    pub(crate) totals: Counts,
    failures: Vec<String>,
    not_run: Vec<String>,
}

impl Progress {
    /// Runs a step and adds its outcome.
    ///
    /// # Errors
    /// Returns an error only after an interrupt. After a failure, the run continues.
    pub(crate) fn run(&mut self, checkout: &Checkout, step: &Step) -> anyhow::Result<()> {
        if let Some(outcome) = self.step(&step.title, || step.run(checkout))? {
            self.add(&step.title, outcome);
        }
        Ok(())
    }

    /// Runs the work of a step and returns its result. Adds a failure and returns `None` if the work fails.
    ///
    /// # Errors
    /// Returns an error only after an interrupt.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Option<T>> {
        let result = step(title, work);
        self.check(title, result)
    }

    /// Reports and adds the outcome of a step that ran in the background.
    ///
    /// # Errors
    /// Returns an error only after an interrupt.
    pub(crate) fn add_finished(
        &mut self,
        title: &str,
        elapsed: Duration,
        outcome: anyhow::Result<Outcome>,
    ) -> anyhow::Result<()> {
        let has_failed = matches!(outcome, Err(_) | Ok(Outcome::Failures(..)));
        let result = if has_failed { "failed" } else { "finished" };
        report(&format!("▸ {title} (in the background)\n  {result} in {}", format_duration(elapsed)));
        if let Some(outcome) = self.check(title, outcome)? {
            self.add(title, outcome);
        }
        Ok(())
    }

    fn check<T>(&mut self, title: &str, result: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
        match result {
            Ok(result) => Ok(Some(result)),
            Err(error) if interrupted() => Err(error),
            Err(error) => {
                report(&format!("  {error:#}"));
                self.add_failed(title, Counts::default());
                Ok(None)
            }
        }
    }

    fn add(&mut self, title: &str, outcome: Outcome) {
        match outcome {
            Outcome::Passes(counts) => self.totals += counts,
            Outcome::Failures(counts, message) => {
                report(&format!("  {message}"));
                self.add_failed(title, counts);
            }
            Outcome::NotRun(reason) => {
                report(&format!("  not run: {reason}"));
                self.add_not_run(format!("{title}: {reason}"));
            }
            Outcome::Passed => {}
        }
    }

    /// Adds the counts of a step that failed. At least one failure is counted.
    pub(crate) fn add_failed(&mut self, title: &str, mut counts: Counts) {
        counts.failed = counts.failed.max(1);
        self.totals += counts;
        self.failures.push(title.to_owned());
    }

    /// Adds a test or a check that did not run, with the reason.
    pub(crate) fn add_not_run(&mut self, what: String) {
        self.not_run.push(what);
    }

    /// Whether no test has run or was skipped so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.totals == Counts::default() && self.not_run.is_empty()
    }

    /// Whether anything has failed so far.
    pub(crate) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Prints what did not run, what failed, and the totals in the last line.
    ///
    /// # Errors
    /// Returns an error if anything failed.
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
