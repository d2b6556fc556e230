//! The invocation in progress: its identity, its deadline, and what it has logged and counted so far.
//!
//! Code inside a handler finds its invocation without a parameter, also where several records are processed at the same
//! time: each record has a scope of its own. [`layer`] is the outermost layer around every handler.

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

/// An event that invokes a function, as far as the middleware needs to know it.
pub trait InvocationEvent {
    /// Lambda's context of the invocation.
    fn context(&self) -> Context;

    /// A readable name of the invocation, such as `GET /notes`.
    fn name(&self) -> String;

    /// Keys for the log line of the invocation.
    fn fields(&self) -> Map<String, Value>;

    /// The trace and the correlation id that the sender provided.
    fn trace_context(&self) -> TraceContext {
        TraceContext::default()
    }
}

/// The layer that starts an invocation. Without it, events are logged without the invocation's keys, and metrics are not
/// written.
pub fn layer<'a>() -> MiddlewareLayer<'a, InvocationMiddleware> {
    MiddlewareLayer::new(InvocationMiddleware)
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
    state: Mutex<State>,
}

/// What an invocation collects until it ends.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) buffer: Buffer,
    pub(crate) metrics: Set,
    /// Keys for the invocation's line.
    pub(crate) fields: Map<String, Value>,
    /// Spans and records in progress.
    pub(crate) running: Vec<(u64, String)>,
}

/// Whether an invocation came before: the first of an execution environment is the cold start.
static WARM: AtomicBool = AtomicBool::new(false);

/// The current invocation, for the signal handler, which runs outside of it.
static CURRENT: Mutex<Weak<Invocation>> = Mutex::new(Weak::new());

impl Invocation {
    /// Locks what the invocation has collected. After a panic in another holder of the lock it is still consistent enough
    /// to be written.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time until Lambda ends the invocation; `None` if Lambda provided no deadline.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// The names of what is in progress, the outermost first.
    pub(crate) fn running(&self) -> Vec<String> {
        let state = self.state();
        std::iter::once(self.name.clone()).chain(state.running.iter().map(|(_, name)| name.clone())).collect()
    }
}

/// Returns the current invocation of the process, from outside of it.
pub(crate) fn in_progress() -> Option<Arc<Invocation>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
}

/// The part of an invocation that some code belongs to: all of it, or one record of its batch.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) invocation: Arc<Invocation>,
    pub(crate) traceparent: TraceParent,
    /// The client's name for the request that led here.
    pub(crate) correlation_id: Option<CorrelationId>,
    /// Keys that every line of the record has.
    pub(crate) keys: Arc<Map<String, Value>>,
}

impl Scope {
    fn start(event: &impl InvocationEvent) -> Self {
        let (context, trace_context) = (event.context(), event.trace_context());
        let traceparent = context.xray_trace_id.as_deref().and_then(TraceParent::from_xray).or(trace_context.traceparent);
        let traceparent = traceparent.unwrap_or_else(trace::new_trace);
        let invocation = Arc::new(Invocation {
            name: event.name(),
            cold_start: !WARM.swap(true, Ordering::Relaxed),
            sampled: log::is_sampled(&traceparent),
            // A context without a deadline has 0.
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

/// Calls `read` with the current scope; `None` outside of any invocation.
pub(crate) fn current<T>(read: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPE.try_with(read).ok()
}

/// Runs `work` as the part of the invocation that processes one record. Its lines have `keys`, and it continues the trace
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

/// The middleware of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct InvocationMiddleware;

/// What [`InvocationMiddleware`] keeps of an invocation.
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
    //! An invocation for tests of code that runs inside one.

    use super::*;

    pub(crate) struct Test(pub(crate) Context);

    impl InvocationEvent for Test {
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

    /// Runs `work` in an invocation of its own, and returns the invocation as well.
    pub(crate) async fn invoked<T>(work: impl Future<Output = T>) -> (T, Arc<Invocation>) {
        invoked_with(Context::default(), work).await
    }

    pub(crate) async fn invoked_with<T>(context: Context, work: impl Future<Output = T>) -> (T, Arc<Invocation>) {
        log::testing::init();
        let scope = Scope::start(&Test(context));
        let invocation = Arc::clone(&scope.invocation);
        (SCOPE.scope(scope, work).await, invocation)
    }

    /// The context of an invocation that starts now and may take `time`.
    pub(crate) fn context_for(time: Duration) -> Context {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let mut context = Context::default();
        context.deadline = (since + time).as_millis() as u64;
        context
    }
}
