//! What every Lambda function needs around its handler: what Powertools for AWS Lambda gives other languages, for a few
//! microseconds per invocation. A function's `main.rs` then has a dozen lines, and its handler only business logic.
//!
//! Four entry points run a handler with everything around it: [`http::serve`] behind API Gateway or a function URL,
//! [`batch`] behind a queue or a stream, [`schedule::serve`] behind a schedule, and [`event::serve`] for other events that
//! are delivered as a whole. Each feature is one module and, where it goes around the handler, one Tower layer:
//!
//! | feature | module |
//! |---|---|
//! | configuration, read in init | [`config`] |
//! | the log, written with `tracing` | [`log`] |
//! | metrics | [`metrics`] |
//! | traces, from the request to the last worker | [`trace`] |
//! | idempotency | [`idempotency`], [`http::idempotency`] |
//! | partial failure of batches | [`batch`] |
//! | problem documents, conditional requests, `HEAD` | [`http`] |
//! | deadlines | [`deadline`] |
//! | panics | [`panics`] |
//!
//! See [`middleware`] for adding your own.

pub mod batch;
pub mod config;
pub mod deadline;
pub mod event;
pub mod http;
pub mod idempotency;
mod init;
pub mod invocation;
pub mod log;
pub mod metrics;
pub mod middleware;
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

/// A boxed future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
