//! Traces: one from the HTTP request through stream, bus, queue and worker.
//!
//! Lambda names the place in X-Ray's trace that an invocation has; where it does not, the client's `traceparent` does, or
//! a new trace begins. What a handler changes carries that place along as its [`cause`]; the event that tells of the change
//! has it in its envelope, and the worker that handles the event goes on in the same trace. Every line of the log has the
//! trace as `xray_trace_id`.
//!
//! ```
//! use ferrite_runtime::trace;
//!
//! # async fn charge() {}
//! # async fn handler() {
//! let placed_for = trace::cause(); // to be kept with what is written
//! trace::span("charge", charge()).await; // named where the deadline cuts it off, and a span of its own with `otlp`
//! # let _ = placed_for;
//! # }
//! ```
//!
//! With the feature `otlp` the spans are sent to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names; without it,
//! nothing of that is compiled.

#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
mod untraced;

use std::sync::Arc;

use ferrite_core::{TraceContext, TraceParent};
use uuid::Uuid;

use crate::invocation::{self, Invocation};
#[cfg(feature = "otlp")]
pub use otlp::{Exported, layer};
#[cfg(feature = "otlp")]
pub(crate) use otlp::{Span, child, record};
#[cfg(not(feature = "otlp"))]
pub use untraced::layer;
#[cfg(not(feature = "otlp"))]
pub(crate) use untraced::{child, record};

/// What runs now, for whoever is to learn of what it changes.
pub fn cause() -> TraceContext {
    let cause = |scope: &invocation::Scope| TraceContext {
        traceparent: Some(scope.place),
        correlation_id: scope.correlation_id.clone(),
    };
    invocation::current(cause).unwrap_or_default()
}

/// Runs `work` under a name: what the log says was running when the deadline cuts it off.
pub async fn span<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let Some(scope) = invocation::current(Clone::clone) else { return work.await };
    let _running = Running::begin(&scope.invocation, name.to_owned());
    let (scope, _span) = child(scope, name);
    invocation::scoped(scope, work).await
}

/// Something that an invocation is busy with, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    invocation: Arc<Invocation>,
    number: u64,
}

impl Running {
    pub(crate) fn begin(invocation: &Arc<Invocation>, name: String) -> Self {
        let mut written = invocation.written();
        let number = written.running.last().map_or(0, |(last, _)| last + 1);
        written.running.push((number, name));
        drop(written);
        Self { invocation: Arc::clone(invocation), number }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.invocation.written().running.retain(|(number, _)| *number != self.number);
    }
}

/// A place in a trace that begins here. Nobody else records it, so it counts as not sampled.
pub(crate) fn new_trace() -> TraceParent {
    // X-Ray's identifiers begin with the time ("X-Ray concepts", "Trace ID format"), and so does a UUIDv7.
    let seconds = jiff::Timestamp::now().as_second();
    let random = Uuid::now_v7().as_u128() & ((1 << 96) - 1);
    let trace_id = (u128::from(u32::try_from(seconds).unwrap_or(u32::MAX)) << 96) | random;
    TraceParent { trace_id, span_id: new_span(), sampled: false }
}

/// An identifier for a span: never zero, because the variant of a UUID is not.
pub(crate) fn new_span() -> u64 {
    Uuid::now_v7().as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;

    use super::*;
    use crate::invocation::testing::{invoked, invoked_with};

    #[tokio::test]
    async fn what_is_written_is_caused_by_the_invocation_in_its_place_of_the_trace() {
        let mut context = Context::default();
        context.xray_trace_id =
            Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".to_owned());
        let (cause, _) = invoked_with(context, async { cause() }).await;
        let place = cause.traceparent.unwrap();
        assert_eq!(place.to_string(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
    }

    #[tokio::test]
    async fn a_trace_begins_where_nobody_began_one() {
        let (first, _) = invoked(async { cause().traceparent.unwrap() }).await;
        let (second, _) = invoked(async { cause().traceparent.unwrap() }).await;
        assert_ne!(first.trace_id, second.trace_id);
        assert!(first.to_string().parse::<TraceParent>().is_ok());
    }

    #[tokio::test]
    async fn what_runs_is_known_by_name_while_it_runs() {
        let (during, invocation) = invoked(async {
            span("outer", span("inner", async { invocation::current(|scope| scope.invocation.running()) })).await.unwrap()
        })
        .await;
        assert_eq!(during, ["a test", "outer", "inner"]);
        assert_eq!(invocation.running(), ["a test"]);
    }
}
