//! Waits for something to happen.

use std::time::{Duration, Instant};

/// How long something may take before the waiting test fails: many times as long as on a busy machine.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The environment variable with another number of seconds, for runs in which it will not happen.
pub const TIMEOUT: &str = "FERRITE_PATIENCE";
const PAUSE: Duration = Duration::from_millis(50);

/// Polls `look` until it returns something. `what` names it in the panic message.
///
/// # Panics
/// When nothing was found in time.
#[track_caller]
#[allow(clippy::panic, reason = "the panic fails the waiting test")]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let seconds = std::env::var(TIMEOUT).ok().and_then(|seconds| seconds.parse().ok());
    let timeout = seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        if begin.elapsed() > timeout {
            panic!("waited {} s in vain for {what}", timeout.as_secs());
        }
        std::thread::sleep(PAUSE);
    }
}
