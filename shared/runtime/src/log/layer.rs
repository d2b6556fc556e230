//! The one line that an invocation writes when it ends well, and the many when it does not.

use std::panic::Location;
use std::time::Instant;

use serde_json::{Map, Value};

use super::line::Line;
use super::{Exception, Level, flush, write, write_metrics};
use crate::invocation::{self, Invoked};
use crate::layer::{Around, Concern};
use crate::metrics::Document;
use crate::settings::settings;

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for was done.
    Succeeded,
    /// What was asked for is not to be done, and whoever asked was told so.
    Refused,
    /// What was asked for was not done, through no fault of whoever asked.
    Failed,
}

/// How many of what an invocation had to do ended how: itself, or the records of its batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Done.
    pub succeeded: u32,
    /// Never to be done.
    pub refused: u32,
    /// Not done.
    pub failed: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

impl From<Outcome> for Tally {
    fn from(outcome: Outcome) -> Self {
        let mut tally = Self::default();
        tally.add(outcome);
        tally
    }
}

/// What the invocation's line says of how it ended.
#[derive(Debug)]
pub struct Verdict {
    /// The line's sentence.
    pub message: &'static str,
    /// What it says beside it.
    pub fields: Map<String, Value>,
    /// What went wrong.
    pub exception: Option<Exception>,
}

/// A result that an invocation may end with.
pub trait Judged {
    /// What ended how.
    fn tally(&self) -> Tally;

    /// What there is to say of it.
    fn verdict(&self) -> Verdict;
}

/// The layer that writes the invocation's line, and before it the lines that were kept back, when something failed.
pub fn layer<'a>() -> Around<'a, Logged> {
    Around::new(Logged)
}

/// The concern of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct Logged;

/// What [`Logged`] knows of an invocation.
#[derive(Debug)]
pub struct Begun {
    fields: Map<String, Value>,
    at: Instant,
}

impl<Q: Invoked, P: Send, E: Send> Concern<Q, P, E> for Logged
where
    Result<P, E>: Judged,
{
    type Seen = Begun;

    fn see(&self, request: &Q) -> Begun {
        Begun { fields: request.fields(), at: Instant::now() }
    }

    async fn around(begun: Begun, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        let result = work.await;
        end(begun, result.tally().failed > 0, result.verdict());
        result
    }
}

#[track_caller]
fn end(begun: Begun, failed: bool, verdict: Verdict) {
    let level = if failed { Level::Error } else { Level::Info };
    invocation::current(|scope| {
        let invocation = &scope.invocation;
        if failed {
            flush(invocation);
        }
        let mut fields = begun.fields;
        fields.extend(std::mem::take(&mut invocation.written().fields));
        fields.extend(verdict.fields);
        fields.insert("duration_ms".to_owned(), round(begun.at.elapsed().as_secs_f64() * 1000.0).into());
        let metrics = Document::new(&std::mem::take(&mut invocation.written().metrics));
        if level < settings().level && !invocation.sampled {
            metrics.as_ref().inspect(|metrics| write_metrics(metrics));
            return;
        }
        let Verdict { message, exception, .. } = verdict;
        let (location, scope, metrics) = (Location::caller(), Some(scope), metrics.as_ref());
        write(&Line { level, message, location, fields, exception, scope, metrics }.render());
    });
}

/// To a tenth of a millisecond: more digits only cost.
fn round(millis: f64) -> f64 {
    (millis * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::http::{Problem, Response, no_content};
    use crate::invocation::testing::invoked;
    use crate::{log, metrics};

    const SEEN: metrics::Metric = metrics::Metric::new("Seen", metrics::Unit::Count);

    /// How many lines are still kept back, and whether metrics are, after an invocation that said and counted something and
    /// ended so.
    async fn left_by(result: Result<Response, Problem>) -> (usize, bool) {
        let begun = Begun { fields: Map::new(), at: Instant::now() };
        let work = async {
            log::debug("half way", json!({}));
            metrics::count(SEEN);
            result
        };
        let (_, invocation) = invoked(<Logged as Concern<crate::http::Request, _, _>>::around(begun, work)).await;
        let left = Document::new(&std::mem::take(&mut invocation.written().metrics)).is_some();
        (invocation.written().buffer.take().0.len(), left)
    }

    #[tokio::test]
    async fn what_was_kept_back_is_written_only_when_the_invocation_failed() {
        assert_eq!(left_by(Ok(no_content())).await, (1, false));
        assert_eq!(left_by(Err(Problem::malformed("no"))).await, (1, false));
        assert_eq!(left_by(Err(Problem::internal("ouch"))).await, (0, false));
        assert_eq!(left_by(Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"))).await, (0, false));
    }
}
