//! A chaos run of the storefront: customers compete for scarce stock while calls fail, functions die and events are delivered
//! twice. Then the faults stop, and what is left is compared with what must be true.
//!
//! | to find out | read |
//! |---|---|
//! | how a run goes | `run.rs` |
//! | what customers do | `script.rs` plans it, `customer.rs` does it |
//! | what else happens meanwhile | `background.rs` |
//! | which messages are planted that cannot be handled | `poison.rs` |
//! | when all work is done | `quiesce.rs` |
//! | what must be true then | `invariants.rs`, checked on a `snapshot.rs` |

mod background;
mod customer;
mod emulator;
pub mod error;
mod history;
mod invariants;
pub mod options;
mod poison;
mod quiesce;
pub mod report;
pub mod run;
mod script;
mod shop;
mod snapshot;
mod stack;
