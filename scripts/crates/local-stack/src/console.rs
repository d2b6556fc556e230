//! What the scripts print: one line a step when it begins, one when it ends with how long it took.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static STDOUT_IS_FOR_DATA: AtomicBool = AtomicBool::new(false);

/// From now on, steps and their progress are told on stderr, and stdout is left to [`print`].
pub fn keep_stdout_for_data() {
    STDOUT_IS_FOR_DATA.store(true, Ordering::Relaxed);
}

/// Prints one line on stdout. A closed stdout (`| head`) is no reason to leave things running half-done.
pub fn say(line: &str) {
    if STDOUT_IS_FOR_DATA.load(Ordering::Relaxed) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    } else {
        print(line);
    }
}

/// Prints one line of what was asked for on stdout.
pub fn print(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Runs one step of a chore, saying when it begins and how long it took.
///
/// # Errors
/// The step's own.
pub fn step<T, E>(title: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    say(&format!("▸ {title}"));
    let started = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "done" } else { "failed" };
    say(&format!("  {verdict} in {}", seconds(started.elapsed())));
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

/// Says how far a long step has come, every few seconds at most.
pub struct Progress {
    what: String,
    said: Instant,
}

impl Progress {
    /// For a step whose lines begin with `what`.
    #[must_use]
    pub fn new(what: &str) -> Self {
        Self { what: what.to_owned(), said: Instant::now() }
    }

    /// Prints `state`, unless something was printed less than four seconds ago.
    pub fn report(&mut self, state: &str) {
        if self.said.elapsed() >= Duration::from_secs(4) {
            say(&format!("  {}: {state}", self.what));
            self.said = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(140)), "0.1 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }
}
