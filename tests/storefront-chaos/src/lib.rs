//! A chaos run of the storefront: customers compete for scarce stock while AWS calls fail, functions are killed and
//! events are delivered twice. Then the faults stop, the system finishes its work, and the run checks the invariants.
//!
//! | topic | file |
//! |---|---|
//! | the phases of a run | `run.rs` |
//! | the actions of customers | `script.rs` plans them, `customer.rs` performs them |
//! | the work in the background | `background.rs` |
//! | messages that cannot be processed | `poison.rs` |
//! | waiting until all work is done | `quiesce.rs` |
//! | the invariants | `invariants.rs`, checked on a `snapshot.rs` |

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
