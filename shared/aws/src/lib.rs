#![doc = include_str!("../README.md")]

#[cfg(feature = "eventbridge")]
mod bus;
mod cached;
mod client;
mod idempotency_table;
mod parameters;
mod partition;
mod prewarm;
#[cfg(feature = "sqs")]
mod queue;
#[cfg(feature = "testing")]
pub mod testing;
mod url_signer;

#[cfg(feature = "eventbridge")]
pub use bus::Bus;
pub use cached::{Cached, CachedError};
pub use client::{AwsEnvironmentError, dynamodb_client, is_connect_error, sdk_config};
pub use idempotency_table::{IdempotencyRecord, IdempotencyTable};
pub use parameters::{ParameterError, ParameterSource, Parameters};
pub use prewarm::{one_attempt, prewarm};
#[cfg(feature = "sqs")]
pub use queue::{DeadLetters, Queue};
pub use url_signer::UrlSigner;
