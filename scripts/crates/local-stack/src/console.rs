//! Console output of the commands: one line when a step starts, and one with its duration when it ends.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static STDOUT_IS_FOR_DATA: AtomicBool = AtomicBool::new(false);

/// Redirects all further progress output to stderr, so that stdout contains only what [`print`] writes.
pub fn send_progress_to_stderr() {
    STDOUT_IS_FOR_DATA.store(true, Ordering::Relaxed);
}

/// Prints one line of progress. Write errors, for example from a closed stdout (`| head`), are ignored, so that the
/// command still cleans up.
pub fn report(line: &str) {
    if STDOUT_IS_FOR_DATA.load(Ordering::Relaxed) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    } else {
        print(line);
    }
}

/// Prints one line of a command's result to stdout. Write errors are ignored.
pub fn print(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Runs one step of a command, and prints its title and then how long it took.
///
/// # Errors
/// Returns the error of the step.
pub fn step<T, E>(title: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    report(&format!("▸ {title}"));
    let started = Instant::now();
    let result = work();
    let outcome = if result.is_ok() { "finished" } else { "failed" };
    report(&format!("  {outcome} in {}", format_duration(started.elapsed())));
    result
}

/// Formats a duration for display: `0.1 s`, `12.3 s`, `2 min 5 s`.
#[must_use]
pub fn format_duration(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Reports the progress of a long step, at most once every four seconds.
pub struct Progress {
    prefix: String,
    reported_at: Instant,
}

impl Progress {
    /// Creates a reporter whose lines start with `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), reported_at: Instant::now() }
    }

    /// Prints `state`, unless this reporter was created or printed a line less than four seconds ago.
    pub fn report(&mut self, state: &str) {
        if self.reported_at.elapsed() >= Duration::from_secs(4) {
            report(&format!("  {}: {state}", self.prefix));
            self.reported_at = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_durations_in_seconds_or_minutes() {
        assert_eq!(format_duration(Duration::from_millis(140)), "0.1 s");
        assert_eq!(format_duration(Duration::from_secs(125)), "2 min 5 s");
    }
}
