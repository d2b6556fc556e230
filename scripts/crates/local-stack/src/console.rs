//! What the scripts print: a line when a step begins, and one with its duration when it ends.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static STDOUT_IS_FOR_DATA: AtomicBool = AtomicBool::new(false);

/// From now on, prints steps and their progress on stderr, and leaves stdout to [`print`].
pub fn keep_stdout_for_data() {
    STDOUT_IS_FOR_DATA.store(true, Ordering::Relaxed);
}

/// Prints one line of progress. A closed stdout (`| head`) is ignored, so that the command still cleans up.
pub fn report(line: &str) {
    if STDOUT_IS_FOR_DATA.load(Ordering::Relaxed) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    } else {
        print(line);
    }
}

/// Prints one line of a command's result on stdout.
pub fn print(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Runs one step of a command, and prints when it begins and how long it took.
///
/// # Errors
/// The step's own.
pub fn step<T, E>(title: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    report(&format!("▸ {title}"));
    let started = Instant::now();
    let outcome = work();
    let result = if outcome.is_ok() { "done" } else { "failed" };
    report(&format!("  {result} in {}", seconds(started.elapsed())));
    outcome
}

/// A duration as people read it: `0.1 s`, `12.3 s`, `2 min 5 s`.
#[must_use]
pub fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// Reports the progress of a long step, at most every few seconds.
pub struct Progress {
    what: String,
    reported_at: Instant,
}

impl Progress {
    /// For a step whose lines begin with `what`.
    #[must_use]
    pub fn new(what: &str) -> Self {
        Self { what: what.to_owned(), reported_at: Instant::now() }
    }

    /// Prints `state`, unless something was printed less than four seconds ago.
    pub fn report(&mut self, state: &str) {
        if self.reported_at.elapsed() >= Duration::from_secs(4) {
            report(&format!("  {}: {state}", self.what));
            self.reported_at = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_durations_in_their_largest_units() {
        assert_eq!(seconds(Duration::from_millis(140)), "0.1 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }
}
