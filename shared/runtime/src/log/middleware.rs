//! The middleware that writes one log line for each invocation.

use std::panic::Location;
use std::time::Instant;

use serde_json::{Map, Value};
use tracing::Level;

use super::line::Line;
use super::{Classify, LogSummary, flush, write, write_metrics};
use crate::invocation::{self, InvocationEvent};
use crate::metrics::Document;
use crate::middleware::{Middleware, MiddlewareLayer};
use crate::settings::settings;

/// Returns the layer that writes the log line of the invocation. If the invocation failed, it first writes the buffered
/// lines.
pub fn layer<'a>() -> MiddlewareLayer<'a, LogMiddleware> {
    MiddlewareLayer::new(LogMiddleware)
}

/// The middleware created by [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct LogMiddleware;

/// The state of [`LogMiddleware`] for one invocation: the start time and the fields of the event.
#[derive(Debug)]
pub struct InvocationStart {
    fields: Map<String, Value>,
    started_at: Instant,
}

impl<Q: InvocationEvent, P: Send, E: Send> Middleware<Q, P, E> for LogMiddleware
where
    Result<P, E>: Classify,
{
    type State = InvocationStart;

    fn before(&self, request: &Q) -> InvocationStart {
        InvocationStart { fields: request.fields(), started_at: Instant::now() }
    }

    async fn around(start: InvocationStart, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        let result = work.await;
        end(start, result.counts().failed > 0, result.summary());
        result
    }
}

#[track_caller]
fn end(start: InvocationStart, failed: bool, summary: LogSummary) {
    let level = if failed { Level::ERROR } else { Level::INFO };
    let location = Location::caller();
    invocation::current(|scope| {
        let invocation = &scope.invocation;
        if failed {
            flush(invocation);
        }
        let mut fields = start.fields;
        fields.extend(std::mem::take(&mut invocation.state().fields));
        fields.extend(summary.fields);
        fields.insert("duration_ms".to_owned(), round(start.started_at.elapsed().as_secs_f64() * 1000.0).into());
        let metrics = Document::new(&std::mem::take(&mut invocation.state().metrics));
        if level > settings().level && !invocation.sampled {
            metrics.as_ref().inspect(|metrics| write_metrics(metrics));
            return;
        }
        let LogSummary { message, exception, .. } = summary;
        let location = Some((location.file(), location.line()));
        let line = Line { level, message, location, fields, exception, scope: Some(scope), metrics: metrics.as_ref() };
        write(&line.render());
    });
}

/// Rounds to a tenth of a millisecond.
fn round(millis: f64) -> f64 {
    (millis * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::http::{Problem, Response, no_content};
    use crate::invocation::testing::in_invocation;
    use crate::metrics;

    const PROCESSED: metrics::Metric = metrics::Metric::new("Processed", metrics::Unit::Count);

    /// Runs an invocation that returns `result`. Returns the number of lines that are still buffered, and whether
    /// unwritten metrics remain.
    async fn run_with_result(result: Result<Response, Problem>) -> (usize, bool) {
        let start = InvocationStart { fields: Map::new(), started_at: Instant::now() };
        let work = async {
            tracing::debug!("in progress");
            metrics::count(PROCESSED);
            result
        };
        let (_, invocation) =
            in_invocation(<LogMiddleware as Middleware<crate::http::Request, _, _>>::around(start, work)).await;
        let has_metrics = Document::new(&std::mem::take(&mut invocation.state().metrics)).is_some();
        (invocation.state().buffer.take().0.len(), has_metrics)
    }

    #[tokio::test]
    async fn writes_buffered_lines_only_when_the_invocation_fails() {
        assert_eq!(run_with_result(Ok(no_content())).await, (1, false));
        assert_eq!(run_with_result(Err(Problem::malformed("no"))).await, (1, false));
        assert_eq!(run_with_result(Err(Problem::internal("ouch"))).await, (0, false));
        assert_eq!(run_with_result(Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"))).await, (0, false));
    }
}
