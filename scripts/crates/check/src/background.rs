//! Steps that run in a thread of their own, one after the other, while cargo compiles.

use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::interrupted;

use crate::progress::{Outcome, Progress, Step};

/// Running steps. [`Background::finish`] reports their results together, so that they do not mix with the output of cargo.
pub(crate) struct Background {
    thread: JoinHandle<Vec<Finished>>,
}

/// A step that ended.
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
                if !can_continue || interrupted() {
                    break;
                }
                finished.push(run(&checkout, step));
            }
            finished
        });
        Self { thread }
    }

    /// Waits for the steps and reports them.
    ///
    /// # Errors
    /// Returns an error only after an interrupt. Failures are added to `progress`.
    pub(crate) fn finish(self, progress: &mut Progress) -> anyhow::Result<()> {
        for Finished { title, elapsed, outcome } in self.thread.join().unwrap_or_else(|panic| resume_unwind(panic)) {
            progress.add_finished(&title, elapsed, outcome)?;
        }
        Ok(())
    }
}

fn run(checkout: &Checkout, step: Step) -> Finished {
    let started = Instant::now();
    let outcome = step.run(checkout);
    Finished { title: step.title, elapsed: started.elapsed(), outcome }
}
