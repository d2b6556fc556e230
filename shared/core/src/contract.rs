//! Contract tests: the behavior that every implementation of a port must have, in memory and on AWS.
//!
//! Each module contains one test suite and a macro that runs it against an implementation:
//!
//! ```text
//! ferrite_core::idempotency_store_contract!(MemoryIdempotency::default());
//! ```
//!
//! Each test generates its own identifiers, so the tests can share a table.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test assertions whose names describe what they check")]

pub mod bus;
#[cfg(feature = "feature-flags")]
pub mod feature_flags;
pub mod generated_files;
pub mod idempotency;
pub mod queue;

use crate::Timestamp;

/// Generates one test for each check of a suite. Each test creates its implementation with `$adapter`, which may `.await`.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($suite:path, $adapter:expr, $($check:ident)*) => {$(
        #[tokio::test]
        async fn $check() {
            use $suite as suite;
            suite::$check(&$adapter).await;
        }
    )*};
}

/// Returns a fixed time for tests.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_795_384_800_000)
}
