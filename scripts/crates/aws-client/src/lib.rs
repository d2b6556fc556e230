//! The one AWS client of the scripts and the tests: signed requests, with no more than they need of each API.
//!
//! [`client::AwsClient`] calls AWS or an emulator. [`emulator`] reads what only emulators tell, such as the e-mails that SES
//! was asked to send. [`signer`] signs a single request, for the proxies in `tests/`.

pub mod client;
pub mod emulator;
pub mod endpoint;
pub mod error;
pub mod function_keys;
pub mod signer;
