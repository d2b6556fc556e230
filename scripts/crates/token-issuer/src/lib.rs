//! The JWT issuer used by the scripts and tests. It is not compiled into any function: `authorize` has it only as a
//! dev-dependency.
//!
//! [`signing_key`] is for tests: it signs arbitrary tokens, with one key per algorithm that `authorize` accepts.
//! [`providers`] has the claims of tokens from common identity providers.
//! [`issuer`] is the token issuer that local stacks trust. Its key is stored in the working copy.

pub mod issuer;
pub mod providers;
pub mod signing_key;
