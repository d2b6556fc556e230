//! The JWT issuer of the scripts and the tests. No function contains it: `authorize` has it only as a dev-dependency.
//!
//! [`signing_key`] signs arbitrary tokens with a key for each algorithm that `authorize` accepts, for tests. [`issuer`]
//! is the issuer of local stacks, whose key is stored in the checkout.

pub mod issuer;
pub mod signing_key;
