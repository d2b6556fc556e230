//! Exports spans to an OpenTelemetry collector over HTTP (OTLP): the `tracing` spans, one span for each invocation and
//! one for each record of a batch.
//!
//! Spans are exported at the end of the invocation, before its response is sent, because Lambda freezes the execution
//! environment after the response. A collector that runs as a Lambda extension accepts them in less than a millisecond.
//! Spans that are not exported within [`TIMEOUT`] are dropped, and a warning is logged. The exporter is configured with
//! the standard OpenTelemetry environment variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, …).
//! The service name is the same as in the log.

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

/// The maximum time that a response waits for the export of its spans.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The maximum number of spans waiting for export (the OpenTelemetry default). Spans beyond it are dropped. Without
/// [`layer`], no span is exported.
const MAX_SPANS: usize = 2048;

static ENDED: LazyLock<EndedSpans> = LazyLock::new(EndedSpans::default);

static EXPORTER: LazyLock<Option<SpanExporter>> = LazyLock::new(|| {
    let log_error = |error| tracing::error!(error = &error as &dyn Error, "cannot create the span exporter");
    build_exporter(SpanExporter::builder().with_http()).map_err(log_error).ok()
});

fn build_exporter(builder: SpanExporterBuilder<HttpExporterBuilderSet>) -> Result<SpanExporter, ExporterBuildError> {
    let mut exporter = builder.with_timeout(TIMEOUT).build()?;
    let resource = Resource::builder_empty().with_service_name(settings().service.clone());
    let function = KeyValue::new("faas.name", settings().function_name.clone());
    exporter.set_resource(&resource.with_attribute(function).build());
    Ok(exporter)
}

/// Collects ended spans until the end of the invocation.
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

/// Returns the layer that converts `tracing` spans to OpenTelemetry spans.
pub(crate) fn tracing_layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> OpenTelemetryLayer<S, SdkTracer> {
    layer_into(ENDED.clone())
}

fn layer_into<S: Subscriber + for<'a> LookupSpan<'a>>(ended: EndedSpans) -> OpenTelemetryLayer<S, SdkTracer> {
    // All spans are exported. The collector decides which spans to keep.
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_span_processor(ended).build();
    let layer = OpenTelemetryLayer::new(provider.tracer("ferrite-runtime"));
    layer.with_location(false).with_threads(false).with_tracked_inactivity(false)
}

fn invocation_span(scope: &Scope) -> Span {
    let span = info_span!("invocation", otel.name = scope.invocation.name, otel.kind = "server");
    set_parent(&span, scope.traceparent);
    span
}

/// Starts the span of one record as a child of `parent`, with a link to the span of the invocation that processes it.
pub(crate) fn record_span(parent: Option<TraceParent>) -> Span {
    let link = Span::current().context().span().span_context().clone();
    let span = info_span!("record", otel.name = "process a record", otel.kind = "consumer");
    if let Some(parent) = parent {
        set_parent(&span, parent);
    }
    span.add_link(link);
    span
}

fn set_parent(span: &Span, parent: TraceParent) {
    let trace_id = TraceId::from_bytes(parent.trace_id.to_be_bytes());
    let span_id = SpanId::from_bytes(parent.span_id.to_be_bytes());
    let parent = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::default());
    // This fails only if the function has installed its own subscriber that does not export spans.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// Returns the OpenTelemetry span ID of the current span.
pub(crate) fn current_span_id() -> Option<u64> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| u64::from_be_bytes(span.span_id().to_bytes()))
}

/// Returns the layer that starts the span of the invocation and exports it together with all spans inside it.
pub fn layer<'a>() -> MiddlewareLayer<'a, TraceMiddleware> {
    MiddlewareLayer::new(TraceMiddleware)
}

/// The middleware created by [`layer`].
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
        // The span ends when its last handle is dropped. `instrument` takes that handle.
        let result = work.instrument(span).await;
        if let Some(exporter) = &*EXPORTER {
            export(exporter, ENDED.take()).await;
        }
        result
    }
}

async fn export(exporter: &SpanExporter, spans: Vec<SpanData>) {
    let message = "could not export spans to the collector";
    match tokio::time::timeout(TIMEOUT, exporter.export(spans)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = &error as &dyn Error, "{message}"),
        Err(timeout) => tracing::warn!(error = &timeout as &dyn Error, "{message}"),
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
    use crate::invocation::testing::in_invocation;
    use crate::log::PowertoolsLayer;
    use crate::trace;

    /// Collects the spans of the current thread until the guard is dropped.
    fn collect_spans() -> (EndedSpans, DefaultGuard) {
        let ended = EndedSpans::default();
        let subscriber =
            tracing_subscriber::registry().with(PowertoolsLayer::new().unwrap()).with(layer_into(ended.clone()));
        (ended, tracing::subscriber::set_default(subscriber))
    }

    #[tokio::test]
    async fn exports_spans_to_the_collector() {
        let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", collector.local_addr().unwrap());
        let exporter = build_exporter(SpanExporter::builder().with_http().with_endpoint(url)).unwrap();
        let (ended, _guard) = collect_spans();
        in_invocation(std::future::ready(()).instrument(info_span!("upload", note_id = "note_1"))).await;
        let received = async {
            let (mut connection, _) = collector.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = connection.read(&mut request).await.unwrap();
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let ((), request) = tokio::join!(export(&exporter, ended.take()), received);
        assert!(request.starts_with("POST /v1/traces ") && request.contains("upload"), "{request}");
        assert!(request.contains("note_id") && request.contains("note_1"), "{request}");
    }

    #[tokio::test]
    async fn invocation_span_continues_the_trace_and_is_the_parent_of_spans_inside_it() {
        let (ended, _guard) = collect_spans();
        let ((parent, stored), _) = in_invocation(async {
            let parent = invocation::current(|scope| scope.traceparent).unwrap();
            let span = invocation::current(invocation_span).unwrap();
            let upload = async { async { trace::context().traceparent.unwrap() }.instrument(info_span!("upload")).await };
            (parent, upload.instrument(span).await)
        })
        .await;
        let spans = ended.take();
        let [upload, invocation] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((&*invocation.name, &*upload.name), ("a test", "upload"));
        assert_eq!(invocation.parent_span_id.to_bytes(), parent.span_id.to_be_bytes());
        assert_eq!(upload.parent_span_id, invocation.span_context.span_id());
        assert_eq!(upload.span_context.trace_id().to_bytes(), parent.trace_id.to_be_bytes());
        let upload_span_id = u64::from_be_bytes(upload.span_context.span_id().to_bytes());
        assert_eq!(stored, TraceParent { span_id: upload_span_id, ..parent });
    }

    #[tokio::test]
    async fn record_span_continues_the_trace_of_the_record_and_links_to_the_invocation() {
        let (ended, _guard) = collect_spans();
        let parent: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let (invocation_parent, _) = in_invocation(async {
            let record_context = TraceContext { traceparent: Some(parent), correlation_id: None };
            let work = async { std::future::ready(()).instrument(info_span!("upload")).await };
            let span = invocation::current(invocation_span).unwrap();
            invocation::in_record(Map::new(), record_context, work).instrument(span).await;
            invocation::current(|scope| scope.traceparent).unwrap()
        })
        .await;
        let spans = ended.take();
        let [upload, record, invocation] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((&*upload.name, upload.parent_span_id), ("upload", record.span_context.span_id()));
        assert_eq!(record.parent_span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(record.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(record.links[0].span_context.span_id(), invocation.span_context.span_id());
        assert_eq!(record.links[0].span_context.trace_id().to_bytes(), invocation_parent.trace_id.to_be_bytes());
    }

    #[tokio::test]
    async fn ends_the_invocation_span_before_the_export() {
        let (ended, _guard) = collect_spans();
        let work = async {
            let span =
                <TraceMiddleware as Middleware<Request, Response, Problem>>::before(&TraceMiddleware, &Request::default());
            let work = std::future::ready(Ok(no_content()));
            <TraceMiddleware as Middleware<Request, Response, Problem>>::around(span, work).await.map(drop)
        };
        in_invocation(work).await.0.unwrap();
        assert_eq!(ended.take().len(), 1);
    }
}
