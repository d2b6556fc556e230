//! What every function needs around its handler, so that its `main.rs` is a dozen lines and its handler is only its own
//! decision: what Powertools for AWS Lambda gives other languages, at the price of a few microseconds.
//!
//! Four entry points run a handler with everything around it: [`http::serve`] behind API Gateway or a function URL,
//! [`batch`] behind a queue or a stream, [`schedule::serve`] behind a schedule, [`event::serve`] for other events that are
//! delivered as a whole. Each concern is one module and,
//! where it goes around the handler, one Tower layer:
//!
//! | concern | module |
//! |---|---|
//! | configuration, read in init | [`config`] |
//! | the log | [`log`] |
//! | metrics | [`metrics`] |
//! | traces, from the request to the last worker | [`trace`] |
//! | doing a thing once | [`idempotency`], [`http::idempotency`] |
//! | records of a batch, each by itself | [`batch`] |
//! | problem documents, conditional requests, `HEAD` | [`http`] |
//! | being cut off in time | [`deadline`] |
//! | panics | [`panics`] |
//!
//! A concern of your own goes the same way: see [`layer`].

pub mod batch;
pub mod config;
pub mod deadline;
pub mod event;
pub mod http;
pub mod idempotency;
mod init;
pub mod invocation;
pub mod layer;
pub mod log;
pub mod metrics;
pub mod panics;
pub mod schedule;
mod settings;
mod shutdown;
pub mod trace;
mod world;

use std::pin::Pin;

pub use init::InitError;
pub use lambda_runtime::{service_fn, tower};
pub use world::{RandomIds, SystemClock};

/// A future on the heap, which one thread may hand to another.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
