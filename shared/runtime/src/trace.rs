//! Distributed tracing: one trace from the HTTP request through the stream, event bus and queue to the last worker.
//!
//! An invocation continues the X-Ray trace that Lambda provides. Without one, it continues the trace of the client's
//! `traceparent` header, or starts a new trace. A handler stores [`context`] together with its change. The event about
//! that change carries the trace context, and the worker that processes the event continues the trace. Every log line
//! contains the trace ID as `xray_trace_id`.
//!
//! Spans are `tracing` spans. If the deadline stops a handler, the log names the spans that were open.
//!
//! ```
//! use ferrite_runtime::trace;
//! use tracing::Instrument;
//!
//! # async fn upload() {}
//! # async fn handler() {
//! let trace_context = trace::context(); // stored with the change
//! upload().instrument(tracing::info_span!("upload")).await;
//! # let _ = trace_context;
//! # }
//! ```
//!
//! With the `otlp` feature, `tracing-opentelemetry` exports the spans to the collector at
//! `OTEL_EXPORTER_OTLP_ENDPOINT`. Without the feature, the exporter is not compiled.

#[cfg(not(feature = "otlp"))]
mod disabled;
#[cfg(feature = "otlp")]
mod otlp;

use std::sync::Arc;

use ferrite_core::{TraceContext, TraceParent};
use uuid::Uuid;

use crate::invocation::{self, Invocation};
#[cfg(not(feature = "otlp"))]
pub use disabled::layer;
#[cfg(not(feature = "otlp"))]
pub(crate) use disabled::{current_span_id, record_span};
#[cfg(feature = "otlp")]
pub use otlp::{TraceMiddleware, layer};
#[cfg(feature = "otlp")]
pub(crate) use otlp::{current_span_id, record_span, tracing_layer};

/// Returns the current trace context, which a handler stores or sends with a change. It is empty outside an invocation.
pub fn context() -> TraceContext {
    let context = |scope: &invocation::Scope| {
        let span_id = current_span_id().unwrap_or(scope.traceparent.span_id);
        let traceparent = TraceParent { span_id, ..scope.traceparent };
        TraceContext { traceparent: Some(traceparent), correlation_id: scope.correlation_id.clone() }
    };
    invocation::current(context).unwrap_or_default()
}

/// A guard that lists a span or a record as in progress until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    invocation: Arc<Invocation>,
    number: u64,
}

impl Running {
    pub(crate) fn start(invocation: &Arc<Invocation>, name: String) -> Self {
        let mut state = invocation.state();
        let number = state.running.last().map_or(0, |(last, _)| last + 1);
        state.running.push((number, name));
        drop(state);
        Self { invocation: Arc::clone(invocation), number }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.invocation.state().running.retain(|(number, _)| *number != self.number);
    }
}

/// Starts a new trace. It is marked as not sampled because no other service records it.
pub(crate) fn new_trace() -> TraceParent {
    // An X-Ray trace ID starts with the time ("X-Ray concepts", "Trace ID format").
    let seconds = jiff::Timestamp::now().as_second();
    let random = Uuid::now_v7().as_u128() & ((1 << 96) - 1);
    let trace_id = (u128::from(u32::try_from(seconds).unwrap_or(u32::MAX)) << 96) | random;
    TraceParent { trace_id, span_id: new_span_id(), sampled: false }
}

/// Creates a span ID. It is never zero, because the variant bits of a UUID are not zero.
pub(crate) fn new_span_id() -> u64 {
    Uuid::now_v7().as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;
    use tracing::{Instrument, info_span};

    use super::*;
    use crate::invocation::testing::{in_invocation, in_invocation_with};

    #[tokio::test]
    async fn continues_the_trace_that_lambda_provides() {
        let mut lambda = Context::default();
        lambda.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".to_owned());
        let (current, _) = in_invocation_with(lambda, async { context() }).await;
        let traceparent = current.traceparent.unwrap();
        assert_eq!(traceparent.to_string(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
    }

    #[tokio::test]
    async fn starts_a_trace_if_the_sender_provides_none() {
        let (first, _) = in_invocation(async { context().traceparent.unwrap() }).await;
        let (second, _) = in_invocation(async { context().traceparent.unwrap() }).await;
        assert_ne!(first.trace_id, second.trace_id);
        assert!(first.to_string().parse::<TraceParent>().is_ok());
    }

    #[tokio::test]
    async fn lists_the_open_spans_of_an_invocation() {
        let (during, invocation) = in_invocation(async {
            let inner = async { invocation::current(|scope| scope.invocation.running()).unwrap() };
            async { inner.instrument(info_span!("inner")).await }.instrument(info_span!("outer")).await
        })
        .await;
        assert_eq!(during, ["a test", "outer", "inner"]);
        assert_eq!(invocation.running(), ["a test"]);
    }
}
