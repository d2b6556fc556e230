//! What every function needs around its handler, so that its `main.rs` is a dozen lines and its handler is only its own
//! decision.
//!
//! [`http::serve`] runs a handler behind API Gateway, [`sqs::serve`] one behind a queue, [`event::serve`]
//! one that takes any other event; [`config`] reads the
//! environment in init; [`log`] writes the log; [`SystemClock`] and [`RandomIds`] are the world's clock and identifiers.

pub mod config;
pub mod event;
pub mod events;
pub mod http;
mod init;
pub mod log;
mod panics;
pub mod sqs;
mod world;

pub use init::InitError;
pub use world::{RandomIds, SystemClock};
