//! The middleware that writes the metrics of every invocation.

use super::{COLD_START, FAILED, REJECTED, SUCCEEDED, add, count};
use crate::invocation;
use crate::log::Classify;
use crate::middleware::{Middleware, MiddlewareLayer};

/// Returns the layer that counts cold starts and the outcomes of invocations or of their records.
pub fn layer<'a>() -> MiddlewareLayer<'a, MetricsMiddleware> {
    MiddlewareLayer::new(MetricsMiddleware)
}

/// The middleware created by [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct MetricsMiddleware;

impl<Q, P: Send, E: Send> Middleware<Q, P, E> for MetricsMiddleware
where
    Result<P, E>: Classify,
{
    type State = ();

    fn before(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        if invocation::current(|scope| scope.invocation.cold_start) == Some(true) {
            count(COLD_START);
        }
        let result = work.await;
        let counts = result.counts();
        for (metric, n) in [(SUCCEEDED, counts.succeeded), (REJECTED, counts.rejected), (FAILED, counts.failed)] {
            if n > 0 {
                add(metric, n.into());
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use lambda_runtime::LambdaEvent;

    use super::*;
    use crate::deadline::DeadlineExceeded;
    use crate::event::HandlerResponse;
    use crate::http::{Problem, Request, Response, no_content};
    use crate::invocation::testing::in_invocation;
    use crate::{Failure, panics};

    #[tokio::test]
    async fn counts_the_outcome_of_an_invocation() {
        for (result, metric) in [
            (Ok::<Response, _>(no_content()), SUCCEEDED),
            (Err(Problem::not_found()), REJECTED),
            (Err(Problem::internal("ouch")), FAILED),
        ] {
            let work = <MetricsMiddleware as Middleware<Request, _, _>>::around((), std::future::ready(result));
            let (_, invocation) = in_invocation(work).await;
            let counted: Vec<_> = invocation.state().metrics.names().filter(|name| *name != COLD_START.name).collect();
            assert_eq!(counted, [metric.name]);
            assert_eq!(invocation.state().metrics.names().any(|name| name == COLD_START.name), invocation.cold_start);
        }
    }

    /// Lambda counts a rejection as an error, so an alarm on failures needs a metric that does not.
    #[tokio::test]
    async fn counts_rejected_events_separately_from_panics_timeouts_and_other_failures() {
        let panic = panics::catch(async { panic!("expected") }).await.map_err(Failure::from);
        let timeout = Failure::from(DeadlineExceeded { running: Vec::new() });
        for (result, metric) in [
            (Ok(()), SUCCEEDED),
            (Err(Failure::reject("invalid")), REJECTED),
            (Err(Failure::retry("unavailable")), FAILED),
            (Err(timeout), FAILED),
            (panic, FAILED),
        ] {
            let work = std::future::ready(result.map(HandlerResponse));
            let work = <MetricsMiddleware as Middleware<LambdaEvent<()>, _, _>>::around((), work);
            let (_, invocation) = in_invocation(work).await;
            let counted: Vec<_> = invocation.state().metrics.names().filter(|name| *name != COLD_START.name).collect();
            assert_eq!(counted, [metric.name]);
        }
    }
}
