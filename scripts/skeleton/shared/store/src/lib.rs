//! Implementations of the ports with DynamoDB.
//!
//! [`Table`] accesses the DynamoDB table, and `keys.rs` is the only file that knows its keys.

mod keys;
mod note_item;
mod notes;
mod stream;
mod table;

pub use stream::{StreamRecordError, to_event};
pub use table::Table;
