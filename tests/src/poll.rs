//! Waiting for what comes about by itself.

use std::time::{Duration, Instant};

/// How long something may take to come about before the test that waits for it fails: many times what it takes on a
/// machine that is busy with something else.
const DEADLINE: Duration = Duration::from_secs(60);
/// The environment variable with another number of seconds, for runs in which what is waited for is not to come.
pub const PATIENCE: &str = "FERRITE_PATIENCE";
const PAUSE: Duration = Duration::from_millis(50);

/// What `look` finds, as soon as it finds something; `what` names it should it never come.
///
/// # Panics
/// Nothing came about in time.
#[track_caller]
#[allow(clippy::panic, reason = "it fails the test that waits")]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let patience = std::env::var(PATIENCE).ok().and_then(|seconds| seconds.parse().ok());
    let deadline = patience.map_or(DEADLINE, Duration::from_secs);
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        if begin.elapsed() > deadline {
            panic!("waited {} s in vain for {what}", deadline.as_secs());
        }
        std::thread::sleep(PAUSE);
    }
}
