#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! | feature | module |
//! |---|---|
//! | configuration, read in init | [`config`] |
//! | the log, written with `tracing` | [`log`] |
//! | metrics | [`metrics`] |
//! | traces, from the request to the last worker | [`trace`] |
//! | idempotency | [`idempotency`], [`http::idempotency`] |
//! | partial batch failures | [`batch`] |
//! | problem documents, conditional requests, `HEAD` | [`http`] |
//! | deadlines | [`deadline`] |
//! | panics | [`panics`] |
//!
//! See [`middleware`] for adding your own.

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
pub mod trace;
mod world;

use std::pin::Pin;

pub use failure::Failure;
pub use init::InitError;
pub use lambda_runtime::{service_fn, tower};
pub use world::{RandomIds, SystemClock};

/// A boxed future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
