#![doc = include_str!("../README.md")]

mod cloud_event;
#[cfg(feature = "testing")]
pub mod contract;
#[cfg(feature = "feature-flags")]
pub mod feature_flags;
pub mod id;
mod idempotency;
pub mod json;
#[cfg(feature = "testing")]
pub mod memory;
mod page;
pub mod ports;
#[cfg(feature = "schema")]
pub mod schema;
mod subject;
pub mod text;
mod time;
mod trace_context;
mod value;
mod version;

pub use cloud_event::{CloudEvent, Event, EventId, InvalidEvent};
pub use page::{Cursor, Page, PageLimit, PageRequest};
pub use subject::Subject;
pub use text::{CorrelationId, IdempotencyKey, Reason};
pub use time::{Day, Timestamp};
pub use trace_context::{InvalidTraceParent, TraceContext, TraceParent};
pub use value::ValueError;
pub use version::Version;

/// Crates that the exported macros refer to.
#[doc(hidden)]
pub mod macros {
    #[cfg(feature = "schema")]
    pub use schemars;
    pub use serde;
    pub use uuid;
}
