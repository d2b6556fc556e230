//! Spans sent to an OpenTelemetry collector over HTTP (OTLP): those of `tracing`, one for each invocation and one for each
//! record of a batch.
//!
//! They are sent when the invocation ends and before its response is, because Lambda freezes the process after the
//! response. A collector next to the function, such as an extension, takes them in less than a millisecond. Spans that
//! the collector does not take within [`TIMEOUT`] are dropped, and the log says so. The variables are OpenTelemetry's own
//! (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, …); the service is the log's.

use std::error::Error;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrite_core::TraceParent;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, HttpExporterBuilderSet, SpanExporter, SpanExporterBuilder, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan, SpanData, SpanExporter as _, SpanProcessor,
};
use tracing::{Instrument, Span, Subscriber, info_span};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use crate::invocation::{self, Scope};
use crate::middleware::{Middleware, MiddlewareLayer};
use crate::settings::settings;

/// The longest time that a response waits for its spans to be sent.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The most spans that wait to be sent; OpenTelemetry's own default. Without [`layer`], nothing sends them.
const MAX_SPANS: usize = 2048;

static ENDED: LazyLock<EndedSpans> = LazyLock::new(EndedSpans::default);

static EXPORTER: LazyLock<Option<SpanExporter>> = LazyLock::new(|| {
    let unusable = |error| tracing::error!(error = &error as &dyn Error, "spans will not be sent");
    exporter(SpanExporter::builder().with_http()).map_err(unusable).ok()
});

fn exporter(builder: SpanExporterBuilder<HttpExporterBuilderSet>) -> Result<SpanExporter, ExporterBuildError> {
    let mut exporter = builder.with_timeout(TIMEOUT).build()?;
    let resource = Resource::builder_empty().with_service_name(settings().service.clone());
    let function = KeyValue::new("faas.name", settings().function_name.clone());
    exporter.set_resource(&resource.with_attribute(function).build());
    Ok(exporter)
}

/// Collects spans that have ended, until the invocation ends.
#[derive(Debug, Clone, Default)]
struct EndedSpans(Arc<Mutex<Vec<SpanData>>>);

impl EndedSpans {
    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<SpanData> {
        std::mem::take(&mut *self.lock())
    }
}

impl SpanProcessor for EndedSpans {
    fn on_start(&self, _: &mut SdkSpan, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut spans = self.lock();
        if spans.len() < MAX_SPANS {
            spans.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Returns the layer that turns spans of `tracing` into spans of OpenTelemetry.
pub(crate) fn tracing_layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> OpenTelemetryLayer<S, SdkTracer> {
    layer_into(ENDED.clone())
}

fn layer_into<S: Subscriber + for<'a> LookupSpan<'a>>(ended: EndedSpans) -> OpenTelemetryLayer<S, SdkTracer> {
    // Every span is sent: the collector decides which ones to keep.
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_span_processor(ended).build();
    let layer = OpenTelemetryLayer::new(provider.tracer("ferrite-runtime"));
    layer.with_location(false).with_threads(false).with_tracked_inactivity(false)
}

fn invocation_span(scope: &Scope) -> Span {
    let span = info_span!("invocation", otel.name = scope.invocation.name, otel.kind = "server");
    set_parent(&span, scope.traceparent);
    span
}

/// Starts the span of one record, in the trace of `cause`, with a link to the invocation that processes it.
pub(crate) fn record_span(cause: Option<TraceParent>) -> Span {
    let link = Span::current().context().span().span_context().clone();
    let span = info_span!("record", otel.name = "process a record", otel.kind = "consumer");
    if let Some(cause) = cause {
        set_parent(&span, cause);
    }
    span.add_link(link);
    span
}

fn set_parent(span: &Span, parent: TraceParent) {
    let (trace, id) = (TraceId::from_bytes(parent.trace_id.to_be_bytes()), SpanId::from_bytes(parent.span_id.to_be_bytes()));
    let parent = SpanContext::new(trace, id, TraceFlags::SAMPLED, true, TraceState::default());
    // It fails only where the function's own subscriber does not export spans.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// Returns the identifier of the current span, as the collector knows it.
pub(crate) fn current_span_id() -> Option<u64> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| u64::from_be_bytes(span.span_id().to_bytes()))
}

/// The layer that starts the span of the invocation, and sends it with all spans inside it.
pub fn layer<'a>() -> MiddlewareLayer<'a, TraceMiddleware> {
    MiddlewareLayer::new(TraceMiddleware)
}

/// The middleware of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct TraceMiddleware;

impl<Q, P: Send, E: Send> Middleware<Q, P, E> for TraceMiddleware {
    type State = Span;

    fn before(&self, _: &Q) -> Span {
        invocation::current(invocation_span).unwrap_or_else(Span::none)
    }

    fn enter<T>(span: &Span, call: impl FnOnce() -> T) -> T {
        span.in_scope(call)
    }

    async fn around(span: Span, work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        // The span ends with its last handle, which `instrument` takes.
        let result = work.instrument(span).await;
        if let Some(exporter) = &*EXPORTER {
            send(exporter, ENDED.take()).await;
        }
        result
    }
}

async fn send(exporter: &SpanExporter, spans: Vec<SpanData>) {
    let message = "the collector did not take the spans";
    match tokio::time::timeout(TIMEOUT, exporter.export(spans)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = &error as &dyn Error, "{message}"),
        Err(late) => tracing::warn!(error = &late as &dyn Error, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::TraceContext;
    use serde_json::Map;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tracing::subscriber::DefaultGuard;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::http::{Problem, Request, Response, no_content};
    use crate::invocation::testing::invoked;
    use crate::log::PowertoolsLayer;
    use crate::trace;

    /// Exports the spans of this thread until the guard is dropped.
    fn export_here() -> (EndedSpans, DefaultGuard) {
        let ended = EndedSpans::default();
        let subscriber =
            tracing_subscriber::registry().with(PowertoolsLayer::new().unwrap()).with(layer_into(ended.clone()));
        (ended, tracing::subscriber::set_default(subscriber))
    }

    #[tokio::test]
    async fn sends_spans_to_the_collector() {
        let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", collector.local_addr().unwrap());
        let exporter = exporter(SpanExporter::builder().with_http().with_endpoint(url)).unwrap();
        let (ended, _guard) = export_here();
        invoked(std::future::ready(()).instrument(info_span!("charge", note_id = "note_1"))).await;
        let received = async {
            let (mut connection, _) = collector.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = connection.read(&mut request).await.unwrap();
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let ((), request) = tokio::join!(send(&exporter, ended.take()), received);
        assert!(request.starts_with("POST /v1/traces ") && request.contains("charge"), "{request}");
        assert!(request.contains("note_id") && request.contains("note_1"), "{request}");
    }

    #[tokio::test]
    async fn the_span_of_an_invocation_continues_its_trace_and_is_the_cause_of_its_changes() {
        let (ended, _guard) = export_here();
        let ((place, cause), _) = invoked(async {
            let place = invocation::current(|scope| scope.traceparent).unwrap();
            let span = invocation::current(invocation_span).unwrap();
            let charge = async { async { trace::context().traceparent.unwrap() }.instrument(info_span!("charge")).await };
            (place, charge.instrument(span).await)
        })
        .await;
        let spans = ended.take();
        let [charge, invocation] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((&*invocation.name, &*charge.name), ("a test", "charge"));
        assert_eq!(invocation.parent_span_id.to_bytes(), place.span_id.to_be_bytes());
        assert_eq!(charge.parent_span_id, invocation.span_context.span_id());
        assert_eq!(charge.span_context.trace_id().to_bytes(), place.trace_id.to_be_bytes());
        let charge_span_id = u64::from_be_bytes(charge.span_context.span_id().to_bytes());
        assert_eq!(cause, TraceParent { span_id: charge_span_id, ..place });
    }

    #[tokio::test]
    async fn the_span_of_a_record_continues_the_trace_of_its_cause_and_links_to_the_invocation() {
        let (ended, _guard) = export_here();
        let cause: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let (place, _) = invoked(async {
            let of_record = TraceContext { traceparent: Some(cause), correlation_id: None };
            let work = async { std::future::ready(()).instrument(info_span!("charge")).await };
            let span = invocation::current(invocation_span).unwrap();
            invocation::in_record(Map::new(), of_record, work).instrument(span).await;
            invocation::current(|scope| scope.traceparent).unwrap()
        })
        .await;
        let spans = ended.take();
        let [charge, record, invocation] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((&*charge.name, charge.parent_span_id), ("charge", record.span_context.span_id()));
        assert_eq!(record.parent_span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(record.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(record.links[0].span_context.span_id(), invocation.span_context.span_id());
        assert_eq!(record.links[0].span_context.trace_id().to_bytes(), place.trace_id.to_be_bytes());
    }

    #[tokio::test]
    async fn the_middleware_ends_the_span_of_the_invocation_before_it_sends() {
        let (ended, _guard) = export_here();
        let work = async {
            let span =
                <TraceMiddleware as Middleware<Request, Response, Problem>>::before(&TraceMiddleware, &Request::default());
            let work = std::future::ready(Ok(no_content()));
            <TraceMiddleware as Middleware<Request, Response, Problem>>::around(span, work).await.map(drop)
        };
        invoked(work).await.0.unwrap();
        assert_eq!(ended.take().len(), 1);
    }
}
