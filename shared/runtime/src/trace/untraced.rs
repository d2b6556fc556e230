//! What stands in the place of `otlp` where the feature is off: nothing.

use ferrite_core::TraceParent;
use lambda_runtime::tower::layer::util::Identity;

use super::new_span;
use crate::invocation::Scope;

/// A span that nobody measures.
#[derive(Debug)]
pub(crate) struct Open;

/// What runs in the span runs where it would run without.
pub(crate) fn child(scope: Scope, _: &'static str) -> (Scope, Open) {
    (scope, Open)
}

/// The scope of one record: a place of its own in the trace that set it off.
pub(crate) fn record(mut scope: Scope, cause: Option<TraceParent>) -> (Scope, Open) {
    if let Some(place) = cause {
        scope.place = TraceParent { span_id: new_span(), ..place };
    }
    (scope, Open)
}

/// The layer that sends spans: without the feature `otlp`, one that does nothing.
pub fn layer() -> Identity {
    Identity::new()
}
