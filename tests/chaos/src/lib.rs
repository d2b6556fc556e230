//! Seeded faults between the functions and the emulator that they take for AWS.
//!
//! The emulator listens on one port and tells its functions another in `AWS_ENDPOINT_URL`: the [`Proxy`]'s. Each call
//! that comes is named ([`Operation`]), meets the fault that the [`Plan`] has for it, and is counted ([`Tally`]). The
//! events that got through are kept, to be delivered again ([`Duplicates`]). [`storm`] has customers live through it, and
//! compares what is left. With faults off, the proxy is there for its record alone: which function asked for which action on
//! which resource ([`Need`]), what `scripts/permissions` compares with the roles.
//!
//! | to find out | read |
//! |---|---|
//! | what can happen to a call, and when it does | `faults.rs` |
//! | how each service says no | `answers.rs` |
//! | what a fault does to a call | `way.rs` |
//! | how a batch fails in part | `partial.rs` |
//! | which permissions a call needs | `record.rs` |
//! | how a function is killed in the middle of a call | `kill.rs` |
//! | what is broken to see whether a storm finds it | `sabotage.rs` |

mod answers;
mod call;
mod duplicates;
mod faults;
mod functions;
mod kill;
mod partial;
mod proxy;
mod record;
mod sabotage;
pub mod storm;
mod tally;
mod way;
mod writes;

pub use call::{Operation, Service};
pub use duplicates::{Duplicates, Published};
pub use faults::{Chosen, Fault, Kind, Plan};
pub use functions::{Functions, ResignError};
pub use proxy::Proxy;
pub use record::{Need, Times};
pub use sabotage::Sabotage;
pub use tally::Tally;
pub use writes::Write;
