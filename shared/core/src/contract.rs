//! What every implementation of a port must do, in memory and on AWS alike.
//!
//! Each module has one suite, and a macro that turns it into tests of the implementation that it is given:
//!
//! ```text
//! ferrite_core::idempotency_store_contract!(MemoryIdempotency::default());
//! ```
//!
//! The tests make their own identifiers, so that they can share a table.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "assertions for tests; their names say what they check")]

pub mod bus;
pub mod idempotency;
pub mod queue;

use crate::Timestamp;

/// One test for each check of a suite, on the value of `$open`, which may `.await`.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($suite:path, $open:expr, $($check:ident)*) => {$(
        #[tokio::test]
        async fn $check() {
            use $suite as suite;
            suite::$check(&$open).await;
        }
    )*};
}

/// A fixed time for tests.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_795_384_800_000)
}
