//! The current invocation: its context, its deadline, and the log lines and metrics that it has collected.
//!
//! The invocation is stored in a task-local variable, so handlers do not need to pass it as a parameter. If records are
//! processed concurrently, each record has its own scope. [`layer`] is the outermost layer of every handler.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use ferrite_core::{CorrelationId, TraceContext, TraceParent};
use lambda_runtime::Context;
use serde_json::{Map, Value};
use tracing::Instrument;

use crate::log::{self, Buffer};
use crate::metrics::Set;
use crate::middleware::{Middleware, MiddlewareLayer};
use crate::trace;

/// An event that invokes a function. It provides the properties that the middleware needs.
pub trait InvocationEvent {
    /// Returns the Lambda context of the invocation.
    fn context(&self) -> Context;

    /// Returns a readable name of the invocation, such as `GET /notes`.
    fn name(&self) -> String;

    /// Returns keys for the log line of the invocation.
    fn fields(&self) -> Map<String, Value>;

    /// Returns the trace and the correlation ID that the sender provided.
    fn trace_context(&self) -> TraceContext {
        TraceContext::default()
    }
}

/// Returns the layer that starts an invocation. Without it, events are logged without the keys of the invocation, and
/// metrics are not written.
pub fn layer<'a>() -> MiddlewareLayer<'a, InvocationMiddleware> {
    MiddlewareLayer::new(InvocationMiddleware)
}

#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) name: String,
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) cold_start: bool,
    /// Whether every log line is written, regardless of its level.
    pub(crate) sampled: bool,
    deadline: Option<SystemTime>,
    state: Mutex<State>,
}

/// The data that an invocation collects until its end.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) buffer: Buffer,
    pub(crate) metrics: Set,
    /// Keys for the log line of the invocation.
    pub(crate) fields: Map<String, Value>,
    /// Numbers and names of the spans and records in progress.
    pub(crate) running: Vec<(u64, String)>,
}

/// Whether the execution environment has already started an invocation. Its first invocation is the cold start.
static WARM: AtomicBool = AtomicBool::new(false);

/// The current invocation. The signal handler needs it because it runs outside the invocation's task-local scope.
static CURRENT: Mutex<Weak<Invocation>> = Mutex::new(Weak::new());

impl Invocation {
    /// Locks the collected data. A poisoned lock is ignored, because the data is still consistent enough to be logged
    /// after a panic.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time until the function's timeout; `None` if Lambda provided no deadline.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Returns the names of the invocation and of its records and spans in progress, from outermost to innermost.
    pub(crate) fn running(&self) -> Vec<String> {
        let state = self.state();
        std::iter::once(self.name.clone()).chain(state.running.iter().map(|(_, name)| name.clone())).collect()
    }
}

/// Returns the current invocation of the process. Works outside the invocation's task-local scope.
pub(crate) fn in_progress() -> Option<Arc<Invocation>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
}

/// The part of an invocation to which the running code belongs: the whole invocation, or one record of its batch.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) invocation: Arc<Invocation>,
    pub(crate) traceparent: TraceParent,
    /// The correlation ID of the request that caused this work.
    pub(crate) correlation_id: Option<CorrelationId>,
    /// Keys that are added to every log line of the record.
    pub(crate) keys: Arc<Map<String, Value>>,
}

impl Scope {
    fn start(event: &impl InvocationEvent) -> Self {
        let context = event.context();
        let trace_context = event.trace_context();
        let traceparent = context.xray_trace_id.as_deref().and_then(TraceParent::from_xray).or(trace_context.traceparent);
        let traceparent = traceparent.unwrap_or_else(trace::new_trace);
        let invocation = Arc::new(Invocation {
            name: event.name(),
            cold_start: !WARM.swap(true, Ordering::Relaxed),
            sampled: log::is_sampled(&traceparent),
            // The value 0 means that the context has no deadline.
            deadline: (context.deadline > 0).then(|| context.deadline()),
            request_id: context.request_id,
            function_arn: context.invoked_function_arn,
            state: Mutex::default(),
        });
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&invocation);
        Self { invocation, traceparent, correlation_id: trace_context.correlation_id, keys: Arc::default() }
    }
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// Calls `read` with the current scope. Returns `None` outside an invocation.
pub(crate) fn current<T>(read: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPE.try_with(read).ok()
}

/// Runs `work`, which processes one record, in its own scope. Its log lines contain `keys`, and it continues the trace
/// of `trace_context`.
pub(crate) async fn in_record<T>(keys: Map<String, Value>, trace_context: TraceContext, work: impl Future<Output = T>) -> T {
    let Some(mut scope) = current(Clone::clone) else { return work.await };
    let span = trace::record_span(trace_context.traceparent);
    if let Some(traceparent) = trace_context.traceparent {
        scope.traceparent = TraceParent { span_id: trace::new_span_id(), ..traceparent };
    }
    scope.correlation_id = trace_context.correlation_id.or(scope.correlation_id);
    scope.keys = Arc::new(scope.keys.iter().map(|(key, value)| (key.clone(), value.clone())).chain(keys).collect());
    SCOPE.scope(scope, work.instrument(span)).await
}

/// The middleware created by [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct InvocationMiddleware;

/// The state of [`InvocationMiddleware`] for one invocation.
#[derive(Debug)]
pub struct Started(Scope);

impl<Q: InvocationEvent, P, E> Middleware<Q, P, E> for InvocationMiddleware {
    type State = Started;

    fn before(&self, event: &Q) -> Started {
        Started(Scope::start(event))
    }

    fn enter<T>(Started(scope): &Started, call: impl FnOnce() -> T) -> T {
        SCOPE.sync_scope(scope.clone(), call)
    }

    async fn around(Started(scope): Started, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        SCOPE.scope(scope, work).await
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Helpers that run code inside an invocation in tests.

    use super::*;

    pub(crate) struct TestInvocation(pub(crate) Context);

    impl InvocationEvent for TestInvocation {
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

    /// Runs `work` in a new invocation. Returns the result of `work` and the invocation.
    pub(crate) async fn in_invocation<T>(work: impl Future<Output = T>) -> (T, Arc<Invocation>) {
        in_invocation_with(Context::default(), work).await
    }

    /// Like [`in_invocation`], with the given Lambda context.
    pub(crate) async fn in_invocation_with<T>(context: Context, work: impl Future<Output = T>) -> (T, Arc<Invocation>) {
        log::testing::init();
        let scope = Scope::start(&TestInvocation(context));
        let invocation = Arc::clone(&scope.invocation);
        (SCOPE.scope(scope, work).await, invocation)
    }

    /// Returns the context of an invocation that starts now and has the given timeout.
    pub(crate) fn context_with_timeout(timeout: Duration) -> Context {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let mut context = Context::default();
        context.deadline = (now + timeout).as_millis() as u64;
        context
    }
}
