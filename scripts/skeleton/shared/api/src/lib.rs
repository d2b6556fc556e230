//! Request and response bodies of the HTTP API. JSON fields are in camelCase, times are in RFC 3339 format, and optional
//! response fields are omitted instead of `null`.

mod error;
mod note;
#[cfg(feature = "schema")]
pub mod openapi;

pub use error::ApiError;
pub use note::{NewNoteBody, NoteBody};

/// OAuth scope that grants admin access.
pub const NOTES_WRITE: &str = "notes:write";
