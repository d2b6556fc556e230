//! Waiting for what comes about by itself.

use std::time::{Duration, Instant};

/// How long something may take to come about before the test that waits for it fails: many times what it takes on a
/// machine that is busy with something else.
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// What `look` finds, as soon as it finds something; `what` names it should it never come.
///
/// # Panics
/// Nothing came about in time.
#[track_caller]
#[allow(clippy::panic, reason = "it fails the test that waits")]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        if begin.elapsed() > DEADLINE {
            panic!("waited {} s in vain for {what}", DEADLINE.as_secs());
        }
        std::thread::sleep(PAUSE);
    }
}
