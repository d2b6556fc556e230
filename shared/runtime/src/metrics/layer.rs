//! What is counted of every invocation.

use super::{COLD_START, FAILED, REFUSED, SUCCEEDED, add, count};
use crate::invocation;
use crate::layer::{Around, Concern};
use crate::log::Judged;

/// The layer that counts cold starts, and how invocations or the records of their batches end.
pub fn layer<'a>() -> Around<'a, Measured> {
    Around::new(Measured)
}

/// The concern of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct Measured;

impl<Q, P: Send, E: Send> Concern<Q, P, E> for Measured
where
    Result<P, E>: Judged,
{
    type Seen = ();

    fn see(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        if invocation::current(|scope| scope.invocation.cold_start) == Some(true) {
            count(COLD_START);
        }
        let result = work.await;
        let tally = result.tally();
        for (metric, n) in [(SUCCEEDED, tally.succeeded), (REFUSED, tally.refused), (FAILED, tally.failed)] {
            if n > 0 {
                add(metric, n.into());
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Problem, Request, Response, no_content};
    use crate::invocation::testing::invoked;

    #[tokio::test]
    async fn how_an_invocation_ends_is_counted() {
        for (result, metric) in [
            (Ok::<Response, _>(no_content()), SUCCEEDED),
            (Err(Problem::not_found()), REFUSED),
            (Err(Problem::internal("ouch")), FAILED),
        ] {
            let work = <Measured as Concern<Request, _, _>>::around((), std::future::ready(result));
            let (_, invocation) = invoked(work).await;
            let counted: Vec<_> = invocation.written().metrics.names().filter(|name| *name != COLD_START.name).collect();
            assert_eq!(counted, [metric.name]);
            assert_eq!(invocation.written().metrics.names().any(|name| name == COLD_START.name), invocation.cold_start);
        }
    }
}
