#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! | feature | module |
//! |---|---|
//! | configuration, validated during init | [`config`] |
//! | structured logs from `tracing` events | [`log`] |
//! | metrics in Embedded Metric Format | [`metrics`] |
//! | traces from the request to the last worker | [`trace`] |
//! | idempotency | [`idempotency`], [`http::idempotency`] |
//! | partial batch failures | [`batch`] |
//! | problem documents, conditional requests, `HEAD` | [`http`] |
//! | deadlines | [`deadline`] |
//! | panic handling | [`panics`] |
//!
//! To add your own middleware, see [`middleware`].

pub mod batch;
pub mod config;
pub mod deadline;
pub mod event;
mod failure;
pub mod http;
pub mod idempotency;
mod init;
pub mod invocation;
pub mod log;
pub mod metrics;
pub mod middleware;
pub mod panics;
pub mod s3;
pub mod schedule;
mod settings;
mod shutdown;
mod system;
pub mod trace;

use std::pin::Pin;

pub use failure::Failure;
pub use init::InitError;
pub use lambda_runtime::{service_fn, tower};
pub use system::{RandomIds, RandomSecrets, SystemClock};

/// A boxed, sendable future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A boxed future that stays on its thread.
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
