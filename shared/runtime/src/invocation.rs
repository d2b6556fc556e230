//! The invocation in progress: who it belongs to, until when, and what it has logged and counted so far.
//!
//! Everything that a handler calls finds it without being handed it, also where several records are handled at once:
//! each has a scope of its own. [`layer`] is the outermost around every handler.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use ferrite_core::{CorrelationId, TraceContext, TraceParent};
use lambda_runtime::Context;
use serde_json::{Map, Value};

use crate::layer::{Around, Concern};
use crate::log::{self, Buffer};
use crate::metrics::Set;
use crate::trace;

/// Something that invokes a function, as far as the concerns around the handler have to know it.
pub trait Invoked {
    /// What Lambda says of the invocation.
    fn context(&self) -> Context;

    /// What it is, for a person: `GET /products`.
    fn name(&self) -> String;

    /// What the invocation's line says of it.
    fn fields(&self) -> Map<String, Value>;

    /// What set it off, where its sender told.
    fn cause(&self) -> TraceContext {
        TraceContext::default()
    }
}

/// The layer that makes an invocation of what is inside it. Without it, what a handler logs belongs to nothing and
/// what it counts is not written.
pub fn layer<'a>() -> Around<'a, Scoped> {
    Around::new(Scoped)
}

#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) name: String,
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) cold_start: bool,
    /// Every line is written, whatever its level.
    pub(crate) sampled: bool,
    deadline: Option<SystemTime>,
    written: Mutex<Written>,
}

/// What the invocation has to say when it ends.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) buffer: Buffer,
    pub(crate) metrics: Set,
    pub(crate) fields: Map<String, Value>,
    pub(crate) running: Vec<(u64, String)>,
    #[cfg(feature = "otlp")]
    pub(crate) spans: Vec<trace::Span>,
}

/// The first invocation of an execution environment has paid for its init.
static WARM: AtomicBool = AtomicBool::new(false);

/// For whoever has to know of it from outside: a signal that ends the process.
static CURRENT: Mutex<Weak<Invocation>> = Mutex::new(Weak::new());

impl Invocation {
    /// What it has written, which a panic while it was held has left whole enough to be written out.
    pub(crate) fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until Lambda ends it; `None` when Lambda did not say.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// What its handler is busy with, the outermost first.
    pub(crate) fn running(&self) -> Vec<String> {
        let written = self.written();
        std::iter::once(self.name.clone()).chain(written.running.iter().map(|(_, name)| name.clone())).collect()
    }
}

/// The invocation that the process is busy with, seen from outside of it.
pub(crate) fn in_progress() -> Option<Arc<Invocation>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
}

/// Where in an invocation some code runs: in all of it, or in one record of its batch.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) invocation: Arc<Invocation>,
    pub(crate) place: TraceParent,
    /// What the client called the request that led here.
    pub(crate) correlation_id: Option<CorrelationId>,
    /// What every line says of the record.
    pub(crate) keys: Arc<Map<String, Value>>,
}

impl Scope {
    fn begin(invoked: &impl Invoked) -> Self {
        let (context, cause) = (invoked.context(), invoked.cause());
        let place = context.xray_trace_id.as_deref().and_then(TraceParent::from_xray).or(cause.traceparent);
        let place = place.unwrap_or_else(trace::new_trace);
        let invocation = Arc::new(Invocation {
            name: invoked.name(),
            cold_start: !WARM.swap(true, Ordering::Relaxed),
            sampled: log::is_sampled(&place),
            // 0 is what a context without one has.
            deadline: (context.deadline > 0).then(|| context.deadline()),
            request_id: context.request_id,
            function_arn: context.invoked_function_arn,
            written: Mutex::default(),
        });
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&invocation);
        Self { invocation, place, correlation_id: cause.correlation_id, keys: Arc::default() }
    }
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// What `look` makes of the scope that this code runs in; `None` outside of any invocation.
pub(crate) fn current<T>(look: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPE.try_with(look).ok()
}

/// Runs `work` in `scope`.
pub(crate) async fn scoped<T>(scope: Scope, work: impl Future<Output = T>) -> T {
    SCOPE.scope(scope, work).await
}

/// Runs `work` as the part of the invocation that is about one record: its lines have `keys`, and it goes on in the
/// trace that it was set off in.
pub(crate) async fn about<T>(keys: Map<String, Value>, cause: TraceContext, work: impl Future<Output = T>) -> T {
    let Some(scope) = current(Clone::clone) else { return work.await };
    let (mut scope, _span) = trace::record(scope, cause.traceparent);
    scope.correlation_id = cause.correlation_id.or(scope.correlation_id);
    scope.keys = Arc::new(scope.keys.iter().map(|(key, value)| (key.clone(), value.clone())).chain(keys).collect());
    scoped(scope, work).await
}

/// The concern of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct Scoped;

/// What [`Scoped`] knows of an invocation.
#[derive(Debug)]
pub struct Seen(Scope);

impl<Q: Invoked, P, E> Concern<Q, P, E> for Scoped {
    type Seen = Seen;

    fn see(&self, request: &Q) -> Seen {
        Seen(Scope::begin(request))
    }

    async fn around(Seen(scope): Seen, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        scoped(scope, work).await
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! An invocation for the tests of what runs inside one.

    use super::*;

    pub(crate) struct Test(pub(crate) Context);

    impl Invoked for Test {
        fn context(&self) -> Context {
            self.0.clone()
        }

        fn name(&self) -> String {
            "a test".to_owned()
        }

        fn fields(&self) -> Map<String, Value> {
            Map::new()
        }
    }

    /// Runs `work` in an invocation of its own, and gives the invocation as well.
    pub(crate) async fn invoked<T>(work: impl Future<Output = T>) -> (T, Arc<Invocation>) {
        invoked_with(Context::default(), work).await
    }

    pub(crate) async fn invoked_with<T>(context: Context, work: impl Future<Output = T>) -> (T, Arc<Invocation>) {
        let scope = Scope::begin(&Test(context));
        let invocation = Arc::clone(&scope.invocation);
        (scoped(scope, work).await, invocation)
    }

    /// Until when Lambda gives an invocation that began just now.
    pub(crate) fn context_for(time: Duration) -> Context {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let mut context = Context::default();
        context.deadline = (since + time).as_millis() as u64;
        context
    }
}
