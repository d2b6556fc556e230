//! The one JWT issuer of the scripts and the tests. No function is built with it: `authorize` has it as a dev-dependency.
//!
//! [`signing_key`] has a key for each algorithm that `authorize` accepts, and signs whatever a test asks for. [`issuer`] is
//! the issuer of local stacks, whose key lies in the checkout.

pub mod issuer;
pub mod signing_key;
