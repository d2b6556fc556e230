#![doc = include_str!("../README.md")]

#[cfg(feature = "s3")]
mod bucket;
#[cfg(feature = "eventbridge")]
mod bus;
mod cached;
mod client;
#[cfg(feature = "feature-flags")]
mod feature_flags;
mod idempotency_table;
mod parameters;
mod partition;
mod prewarm;
#[cfg(feature = "sqs")]
mod queue;
mod signed_call;
mod table;
mod table_change;
#[cfg(feature = "testing")]
pub mod testing;
mod url_signer;

#[cfg(feature = "s3")]
pub use bucket::{Bucket, s3_client};
#[cfg(feature = "eventbridge")]
pub use bus::Bus;
pub use cached::{Cached, CachedError};
pub use client::{AwsEnvironmentError, dynamodb_client, is_connect_error, sdk_config};
#[cfg(feature = "feature-flags")]
pub use feature_flags::{AppConfig, AppConfigError, FeatureFlagSource, FeatureFlags, FlagParameter};
pub use idempotency_table::{IdempotencyRecord, IdempotencyTable};
pub use parameters::{ParameterError, ParameterSource, Parameters};
pub use prewarm::{one_attempt, prewarm};
#[cfg(feature = "sqs")]
pub use queue::{DeadLetters, Queue};
pub use table::Table;
pub use table_change::TableChange;
pub use url_signer::UrlSigner;
