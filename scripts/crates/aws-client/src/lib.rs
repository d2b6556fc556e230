//! The AWS client of the scripts and the tests. It supports only the operations that they need.
//!
//! [`client::AwsClient`] calls AWS or an emulator. [`emulator`] reads data that only emulators expose, such as the
//! e-mails that SES accepted. [`signer`] signs a single request, for the proxies in `tests/`.

pub mod client;
pub mod emulator;
pub mod endpoint;
pub mod error;
pub mod function_keys;
// The same file as in `ferrite-aws`, because a dependency on that crate would add the AWS SDK to every script.
#[path = "../../../../shared/aws/src/partition.rs"]
mod partition;
pub mod signer;
