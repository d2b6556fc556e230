//! What every implementation of a port must do, in memory and on AWS alike.
//!
//! Each module has one suite and a macro that turns it into tests of the store that it is given:
//!
//! ```text
//! ferrite_domain::order_store_contract!(MemoryStore::default());
//! ```
//!
//! The checks make identifiers of their own, so that they can share a table.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "assertions for tests; their names say what they check")]

pub mod bus;
pub mod customers;
pub mod email;
pub mod files;
pub mod gateway;
pub mod idempotency;
pub mod links;
pub mod order_listings;
pub mod orders;
pub mod products;
pub mod queue;
pub mod reports;
mod sample;

pub use sample::{image, now, product};

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
