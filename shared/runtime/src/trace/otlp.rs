//! Spans sent to an OpenTelemetry collector, over HTTP (OTLP): one for each invocation, one for each record of a batch and
//! one for each [`super::span`].
//!
//! They are sent when the invocation ends, before its answer is: what Lambda freezes after the answer may never be sent.
//! A collector beside the function, as an extension is, answers in well under a millisecond; spans that none takes
//! within [`TIMEOUT`] are dropped, and the log says so. The variables are OpenTelemetry's own
//! (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, …); the service is the log's.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use ferrite_core::TraceParent;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, HttpExporterBuilderSet, SpanExporter, SpanExporterBuilder, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _, SpanLinks};
use serde_json::Value;

use super::new_span;
use crate::invocation::{self, Invocation, Scope};
use crate::layer::{Around, Concern};
use crate::log::{self, Level};
use crate::settings::settings;

/// The longest that an answer waits for its spans to be sent.
const TIMEOUT: Duration = Duration::from_millis(500);

static EXPORTER: LazyLock<Option<SpanExporter>> = LazyLock::new(|| {
    let unusable = |error| log::exception(Level::Error, "spans will not be sent", &error, Value::Null);
    exporter(SpanExporter::builder().with_http()).map_err(unusable).ok()
});

fn exporter(builder: SpanExporterBuilder<HttpExporterBuilderSet>) -> Result<SpanExporter, ExporterBuildError> {
    let mut exporter = builder.with_timeout(TIMEOUT).build()?;
    let resource = Resource::builder_empty().with_service_name(settings().service.clone());
    let function = KeyValue::new("faas.name", settings().function_name.clone());
    exporter.set_resource(&resource.with_attribute(function).build());
    Ok(exporter)
}

/// A span that has ended.
#[derive(Debug)]
pub(crate) struct Span(SpanData);

/// A span that has begun, and ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    invocation: Arc<Invocation>,
    span: Option<SpanData>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            span.end_time = SystemTime::now();
            self.invocation.written().spans.push(Span(span));
        }
    }
}

/// Begins a span inside what `scope` is in: the scope of what runs in the span, and the span.
pub(crate) fn child(scope: Scope, name: &'static str) -> (Scope, Open) {
    let parent = scope.place;
    begin(scope, parent, SpanKind::Internal, name.into(), Vec::new())
}

/// Begins the span of one record, in the trace and under the span that set it off, linked to the invocation that it is
/// handled in.
pub(crate) fn record(scope: Scope, cause: Option<TraceParent>) -> (Scope, Open) {
    let link = Link::new(context(scope.place), Vec::new(), 0);
    let cause = cause.unwrap_or(scope.place);
    begin(scope, cause, SpanKind::Consumer, "handle a record".into(), vec![link])
}

fn begin(
    mut scope: Scope,
    parent: TraceParent,
    span_kind: SpanKind,
    name: Cow<'static, str>,
    links: Vec<Link>,
) -> (Scope, Open) {
    scope.place = TraceParent { span_id: new_span(), ..parent };
    let now = SystemTime::now();
    let mut span_links = SpanLinks::default();
    span_links.links = links;
    let span = SpanData {
        span_context: context(scope.place),
        parent_span_id: SpanId::from_bytes(parent.span_id.to_be_bytes()),
        parent_span_is_remote: span_kind != SpanKind::Internal,
        span_kind,
        name,
        start_time: now,
        end_time: now,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: opentelemetry_sdk::trace::SpanEvents::default(),
        links: span_links,
        status: opentelemetry::trace::Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("ferrite-runtime").build(),
    };
    let open = Open { invocation: Arc::clone(&scope.invocation), span: Some(span) };
    (scope, open)
}

fn context(place: TraceParent) -> SpanContext {
    // What is measured is sent; whether it is kept is for the collector to say.
    let (trace, span) = (place.trace_id.to_be_bytes(), place.span_id.to_be_bytes());
    SpanContext::new(TraceId::from_bytes(trace), SpanId::from_bytes(span), TraceFlags::SAMPLED, true, TraceState::default())
}

/// The layer that makes a span of the invocation, and sends what it and everything inside it measured.
pub fn layer<'a>() -> Around<'a, Exported> {
    Around::new(Exported)
}

/// The concern of [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct Exported;

impl<Q, P: Send, E: Send> Concern<Q, P, E> for Exported {
    type Seen = ();

    fn see(&self, _: &Q) {}

    async fn around((): (), work: impl Future<Output = Result<P, E>> + Send) -> Result<P, E> {
        let Some(scope) = invocation::current(Clone::clone) else { return work.await };
        let invocation = Arc::clone(&scope.invocation);
        let (parent, name) = (scope.place, invocation.name.clone());
        let (scope, span) = begin(scope, parent, SpanKind::Server, name.into(), Vec::new());
        let result = invocation::scoped(scope, work).await;
        drop(span);
        let spans = std::mem::take(&mut invocation.written().spans);
        if let Some(exporter) = &*EXPORTER {
            send(exporter, spans.into_iter().map(|Span(span)| span).collect()).await;
        }
        result
    }
}

async fn send(exporter: &SpanExporter, spans: Vec<SpanData>) {
    match tokio::time::timeout(TIMEOUT, exporter.export(spans)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::exception(Level::Warning, "the collector did not take the spans", &error, Value::Null),
        Err(late) => log::exception(Level::Warning, "the collector did not take the spans", &late, Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::TraceContext;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::invocation::testing::invoked;

    #[tokio::test]
    async fn spans_are_sent_to_the_collector() {
        let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", collector.local_addr().unwrap());
        let exporter = exporter(SpanExporter::builder().with_http().with_endpoint(url)).unwrap();
        let ((), invocation) = invoked(super::super::span("charge", std::future::ready(()))).await;
        let spans = invocation.written().spans.drain(..).map(|Span(span)| span).collect();
        let received = async {
            let (mut connection, _) = collector.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = connection.read(&mut request).await.unwrap();
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let ((), request) = tokio::join!(send(&exporter, spans), received);
        assert!(request.starts_with("POST /v1/traces ") && request.contains("charge"), "{request}");
    }

    #[tokio::test]
    async fn a_record_is_measured_under_what_set_it_off_and_linked_to_its_invocation() {
        let cause: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let (place, invocation) = invoked(async {
            let place = invocation::current(|scope| scope.place).unwrap();
            let of_record = TraceContext { traceparent: Some(cause), correlation_id: None };
            let work = super::super::span("charge", std::future::ready(()));
            invocation::about(serde_json::Map::new(), of_record, work).await;
            place
        })
        .await;
        let spans: Vec<SpanData> = invocation.written().spans.drain(..).map(|Span(span)| span).collect();
        let [charge, record] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((&*charge.name, charge.parent_span_id), ("charge", record.span_context.span_id()));
        assert_eq!(record.parent_span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(record.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(record.links[0].span_context.trace_id(), TraceId::from_bytes(place.trace_id.to_be_bytes()));
    }
}
