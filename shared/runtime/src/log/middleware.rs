//! The line of an invocation.

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

/// The layer that writes the line of the invocation, after the buffered lines if something failed.
pub fn layer<'a>() -> MiddlewareLayer<'a, LogMiddleware> {
    MiddlewareLayer::new(LogMiddleware)
}

/// The middleware of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct LogMiddleware;

/// What [`LogMiddleware`] keeps of an invocation.
#[derive(Debug)]
pub struct Start {
    fields: Map<String, Value>,
    at: Instant,
}

impl<Q: InvocationEvent, P: Send, E: Send> Middleware<Q, P, E> for LogMiddleware
where
    Result<P, E>: Classify,
{
    type State = Start;

    fn before(&self, request: &Q) -> Start {
        Start { fields: request.fields(), at: Instant::now() }
    }

    async fn around(start: Start, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        let result = work.await;
        end(start, result.counts().failed > 0, result.summary());
        result
    }
}

#[track_caller]
fn end(start: Start, failed: bool, summary: LogSummary) {
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
        fields.insert("duration_ms".to_owned(), round(start.at.elapsed().as_secs_f64() * 1000.0).into());
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
    use crate::invocation::testing::invoked;
    use crate::metrics;

    const SEEN: metrics::Metric = metrics::Metric::new("Seen", metrics::Unit::Count);

    /// How many lines are still buffered, and whether metrics are unwritten, after an invocation that ended with `result`.
    async fn left_by(result: Result<Response, Problem>) -> (usize, bool) {
        let start = Start { fields: Map::new(), at: Instant::now() };
        let work = async {
            tracing::debug!("half way");
            metrics::count(SEEN);
            result
        };
        let (_, invocation) = invoked(<LogMiddleware as Middleware<crate::http::Request, _, _>>::around(start, work)).await;
        let left = Document::new(&std::mem::take(&mut invocation.state().metrics)).is_some();
        (invocation.state().buffer.take().0.len(), left)
    }

    #[tokio::test]
    async fn writes_buffered_lines_only_when_the_invocation_fails() {
        assert_eq!(left_by(Ok(no_content())).await, (1, false));
        assert_eq!(left_by(Err(Problem::malformed("no"))).await, (1, false));
        assert_eq!(left_by(Err(Problem::internal("ouch"))).await, (0, false));
        assert_eq!(left_by(Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"))).await, (0, false));
    }
}
