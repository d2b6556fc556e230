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
        let tally = result.verdict().tally;
        for (metric, n) in [(SUCCEEDED, tally.succeeded), (REFUSED, tally.refused), (FAILED, tally.failed)] {
            if n > 0 {
                add(metric, n.into());
            }
        }
        result
    }
}
