//! The application's entities, business rules, and ports. The crate does not depend on AWS or HTTP, and it takes the time
//! and new identifiers as arguments.
//!
//! Input is parsed once into the types in this crate, so the code behind the edge does not validate it again. [`ports`]
//! contains a narrow trait for each operation that the rules need from the outside. `memory` implements every port in
//! memory. `contract` contains the tests that each implementation must pass, in memory and on AWS.

#[cfg(feature = "testing")]
pub mod contract;
mod event;
#[cfg(feature = "testing")]
pub mod memory;
mod note;
pub mod ports;
#[cfg(feature = "schema")]
mod schema;

pub use event::{DomainEvent, NoteCreated};
pub use note::{AuthorId, Note, NoteId, NoteText};
