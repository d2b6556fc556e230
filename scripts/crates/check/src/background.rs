//! Steps that run in a thread of their own, one after the other, while cargo compiles.

use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::interrupted;

use crate::progress::{Outcome, Progress, Step};

/// Running steps. [`Background::finish`] reports their results, so that they do not mix with the output of cargo.
///
/// Dropping it waits for the steps. After an interrupt they end at once, because the signal also ends their processes.
pub(crate) struct Background {
    thread: Option<JoinHandle<Vec<Finished>>>,
}

/// The result of a step.
struct Finished {
    title: String,
    elapsed: Duration,
    outcome: anyhow::Result<Outcome>,
}

impl Background {
    /// Starts `first` and then `others`. If `first` fails, the others do not run, because they depend on it.
    pub(crate) fn start(checkout: &Checkout, first: Step, others: Vec<Step>) -> Self {
        let checkout = checkout.clone();
        let thread = thread::spawn(move || {
            let first = run(&checkout, first);
            let can_continue = first.outcome.is_ok();
            let mut finished = vec![first];
            for step in others {
                if interrupted() {
                    break;
                }
                finished.push(if can_continue { run(&checkout, step) } else { not_run(step, &finished[0].title) });
            }
            finished
        });
        Self { thread: Some(thread) }
    }

    /// Waits for the steps and reports them.
    ///
    /// # Errors
    /// Returns an error only after an interrupt. Failures are added to `progress`.
    pub(crate) fn finish(mut self, progress: &mut Progress) -> anyhow::Result<()> {
        let results = progress.step("Waiting for the checks in the background", || Ok(self.join()))?;
        for Finished { title, elapsed, outcome } in results.unwrap_or_default() {
            progress.add_finished(&title, elapsed, outcome)?;
        }
        Ok(())
    }

    fn join(&mut self) -> Vec<Finished> {
        let joined = self.thread.take().map(JoinHandle::join);
        joined.map_or_else(Vec::new, |results| results.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(checkout: &Checkout, step: Step) -> Finished {
    let started = Instant::now();
    let outcome = step.run(checkout);
    Finished { title: step.title, elapsed: started.elapsed(), outcome }
}

fn not_run(step: Step, failed: &str) -> Finished {
    let reason = format!("the step \"{failed}\" failed");
    Finished { title: step.title, elapsed: Duration::ZERO, outcome: Ok(Outcome::NotRun(reason)) }
}
