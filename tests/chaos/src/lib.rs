//! Seeded faults between the functions and the emulator that they take for AWS.
//!
//! A [`proxy::FaultProxy`] sits between the two. Each call meets the fault that the [`faults::Plan`] has for it, and is counted
//! ([`fault_counts`]). The events that were published are kept, so that they can be delivered again ([`duplicates`]).
//! What runs under these faults, and what must be true afterwards, is up to the application: `tests/storefront-chaos` for the
//! storefront.
//!
//! | to find out | read |
//! |---|---|
//! | which faults there are, and which call meets one | `faults.rs` |
//! | how each service reports an error | `responses.rs` |
//! | what a fault does to a call | `interceptor.rs` |
//! | how a batch fails in part | `partial.rs` |
//! | how a function is killed during a call | `kill.rs` |
//! | how the system is broken on purpose, to see whether a chaos run finds it | `mutation.rs` |

pub mod duplicates;
pub mod fault_counts;
pub mod faults;
mod interceptor;
mod kill;
pub mod mutation;
mod operations;
mod partial;
pub mod proxy;
mod responses;
pub mod writes;
