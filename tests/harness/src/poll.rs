//! Waits until a condition is met.

use std::time::{Duration, Instant};

/// How long a test waits before it fails. This is many times what anything takes on a busy machine.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The environment variable that sets another timeout, in seconds. Runs that expect timeouts use a shorter one.
pub const TIMEOUT: &str = "FERRITE_PATIENCE";
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Calls `check` until it returns a value, and returns that value. `what` describes it in the panic message.
///
/// # Panics
/// Panics if `check` returns nothing before the timeout.
#[track_caller]
#[allow(clippy::panic, reason = "the panic fails the waiting test")]
pub fn wait_for<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let seconds = std::env::var(TIMEOUT).ok().and_then(|seconds| seconds.parse().ok());
    let timeout = seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let start = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        if start.elapsed() > timeout {
            panic!("timed out after {} s waiting for {what}", timeout.as_secs());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
