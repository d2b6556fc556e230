//! Injects faults into the AWS calls that Lambda functions send to an emulator. A seed determines the faults.
//!
//! A [`proxy::FaultProxy`] runs between the functions and the emulator. It injects the faults of a
//! [`faults::FaultPlan`] and counts them ([`fault_counts`]). It also keeps the published events, so that they can be
//! delivered again ([`duplicates`]). The application provides the workload and the invariants to check afterwards, as
//! `tests/storefront-chaos` does.
//!
//! | topic | file |
//! |---|---|
//! | the kinds of faults, and the calls that get one | `faults.rs` |
//! | the error responses of each service | `responses.rs` |
//! | how faults are injected into calls | `interceptor.rs` |
//! | partial batch failures | `partial.rs` |
//! | killing a function during a call | `kill.rs` |
//! | breaking the system deliberately, to test that a chaos run detects it | `mutation.rs` |

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
