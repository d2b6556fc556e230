//! The `tracing-subscriber` layer that writes events as log lines.

use std::error::Error;
use std::fmt::Debug;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::filter::Filter;
use super::line::Line;
use super::{Exception, error_chain, write};
use crate::config::ConfigError;
use crate::invocation::{self, Scope};
use crate::settings::settings;
use crate::trace::Running;

/// Writes `tracing` events as JSON lines with the keys of the Powertools Logger, including the fields of enclosing
/// spans.
///
/// [`init`](super::init) installs it. To add other layers, use it in your own registry. The filter that is described in
/// the [module documentation](super) then applies to all of its layers.
#[derive(Debug)]
pub struct PowertoolsLayer {
    filter: Filter,
}

/// The keys that a span adds to the lines of the events inside it.
struct SpanFields(Map<String, Value>);

/// The scope in which a span was created. A spawned task that is instrumented with the span finds its invocation here.
struct SpanScope {
    scope: Scope,
    /// Marks the span as in progress until it closes.
    _running: Running,
}

impl PowertoolsLayer {
    /// Creates the layer with the settings from the function's environment variables.
    ///
    /// # Errors
    /// Returns an error if `RUST_LOG` has an invalid value.
    pub fn new() -> Result<Self, ConfigError> {
        let directives = std::env::var("RUST_LOG").ok().filter(|directives| !directives.is_empty());
        Ok(Self { filter: Filter::new(directives.as_deref(), settings().level)? })
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for PowertoolsLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.filter.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter.max_level())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent_scope = || span.parent()?.extensions().get::<SpanScope>().map(|parent| parent.scope.clone());
        let scope = invocation::current(Clone::clone).or_else(parent_scope);
        let mut extensions = span.extensions_mut();
        extensions.insert(SpanFields(fields.keys));
        if let Some(scope) = scope {
            let running = Running::start(&scope.invocation, span.name().to_owned());
            extensions.insert(SpanScope { scope, _running: running });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(SpanFields(keys)) = span.extensions_mut().get_mut() {
            keys.extend(fields.keys);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        // The registry keeps the extensions of a closed span until it reuses their memory.
        let closed = context.span(&id).and_then(|span| span.extensions_mut().remove::<SpanScope>());
        drop(closed);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span_scope = || Some(context.event_span(event)?.extensions().get::<SpanScope>()?.scope.clone());
        match invocation::current(Clone::clone).or_else(span_scope) {
            Some(scope) => {
                let line = render(event, &context, Some(&scope));
                if is_written_immediately(event, Some(&scope)) {
                    write(&line);
                } else {
                    scope.invocation.state().buffer.push(line);
                }
            }
            None if is_written_immediately(event, None) => write(&render(event, &context, None)),
            None => {}
        }
    }
}

/// Whether the event is written immediately, regardless of the outcome of its invocation.
fn is_written_immediately(event: &Event<'_>, scope: Option<&Scope>) -> bool {
    *event.metadata().level() <= settings().level || scope.is_some_and(|scope| scope.invocation.sampled)
}

fn render<S>(event: &Event<'_>, context: &Context<'_, S>, scope: Option<&Scope>) -> Vec<u8>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut fields = Fields::default();
    for span in context.event_scope(event).into_iter().flat_map(|spans| spans.from_root()) {
        if let Some(SpanFields(keys)) = span.extensions().get() {
            fields.keys.extend(keys.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    event.record(&mut fields);
    let metadata = event.metadata();
    let location = metadata.file().zip(metadata.line());
    let Fields { message, keys, exception } = fields;
    Line { level: *metadata.level(), message: &message, location, fields: keys, exception, scope, metrics: None }.render()
}

/// Collects the fields of an event or a span.
#[derive(Default)]
struct Fields {
    message: String,
    keys: Map<String, Value>,
    exception: Option<Exception>,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: Value) {
        let name = field.name();
        // Fields with this prefix configure tracing-opentelemetry.
        if !name.starts_with("otel.") {
            self.keys.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value);
        }
    }

    fn insert_text(&mut self, field: &Field, text: String) {
        if field.name() == "message" { self.message = text } else { self.insert(field, text.into()) }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert_text(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        // A Powertools log line contains at most one exception.
        if self.exception.is_none() {
            self.exception = Some(Exception::new(error));
        } else {
            self.insert_text(field, error_chain(error));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert_text(field, format!("{value:?}"));
    }
}
