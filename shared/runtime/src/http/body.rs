//! JSON bodies, read so that everything that is wrong with one is told at once.

use std::ops::ControlFlow;

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use ferrite_core::ValueError;
use http::StatusCode;
use serde_json::Value;

use super::{FieldError, Problem, Request};
use crate::middleware::{Middleware, MiddlewareLayer};

/// The most bytes of a body: many times what the largest valid one has, and far below what API Gateway takes.
const MAX_BYTES: usize = 64 * 1024;

/// 2⁵³: the greatest number up to which every whole one is a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The layer that answers 413 to a body that is larger than any handler's could be.
pub fn limit<'a>() -> MiddlewareLayer<'a, BodyLimitMiddleware> {
    MiddlewareLayer::new(BodyLimitMiddleware)
}

/// The middleware of [`limit`].
#[derive(Debug, Clone, Copy)]
pub struct BodyLimitMiddleware;

impl<P: Send> Middleware<Request, P, Problem> for BodyLimitMiddleware {
    type State = bool;

    fn before(&self, request: &Request) -> bool {
        request.body().len() > MAX_BYTES
    }

    async fn around(too_large: bool, work: impl Future<Output = Result<P, Problem>> + Send) -> Result<P, Problem> {
        if too_large {
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large");
            return Err(problem.detail(format!("At most {MAX_BYTES} bytes are read.")));
        }
        work.await
    }
}

/// Everything that is wrong with a body, field by field.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InvalidBody(Vec<FieldError>);

impl InvalidBody {
    fn add(earlier: Option<Self>, location: ValuePointerRef<'_>, message: String) -> ControlFlow<Self, Self> {
        let mut all = earlier.unwrap_or_default();
        all.0.push(FieldError { field: path(location), message });
        ControlFlow::Continue(all)
    }
}

/// `lines[0].quantity`, or nothing for the body itself.
fn path(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => match path(*prev) {
            before if before.is_empty() => key.to_owned(),
            before => format!("{before}.{key}"),
        },
        ValuePointerRef::Index { index, prev } => format!("{}[{index}]", path(*prev)),
    }
}

fn name(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer => "a whole number from 0",
        ValueKind::NegativeInteger => "a negative whole number",
        ValueKind::Float => "a decimal number",
        ValueKind::String => "a string",
        ValueKind::Sequence => "a list",
        ValueKind::Map => "an object",
    }
}

impl DeserializeError for InvalidBody {
    fn error<V: IntoValue>(
        earlier: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        match error {
            ErrorKind::MissingField { field } => Self::add(earlier, location.push_key(field), "is missing".to_owned()),
            ErrorKind::UnknownKey { key, .. } => Self::add(earlier, location.push_key(key), "is not known here".to_owned()),
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                let kinds: Vec<_> = accepted.iter().map(name).collect();
                Self::add(earlier, location, format!("must be {}", kinds.join(" or ")))
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                Self::add(earlier, location, format!("must be one of {}", accepted.join(", ")))
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                Self::add(earlier, location, format!("must have {expected} entries"))
            }
            // Numbers past what the field can hold at all, for which deserr has no kind of its own.
            ErrorKind::Unexpected { .. } => Self::add(earlier, location, "is out of range".to_owned()),
        }
    }
}

impl MergeWithError<Self> for InvalidBody {
    fn merge(earlier: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut all = earlier.unwrap_or_default();
        all.0.extend(other.0);
        ControlFlow::Continue(all)
    }
}

impl MergeWithError<ValueError> for InvalidBody {
    fn merge(earlier: Option<Self>, error: ValueError, location: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        Self::add(earlier, location, error.to_string())
    }
}

/// A request's body as JSON, parsed once: for handlers that need its fingerprint too.
#[derive(Debug, Clone)]
pub struct JsonBody(Value);

impl JsonBody {
    /// Parses the body, unless a middleware has done so.
    ///
    /// # Errors
    /// 415 not JSON by its `Content-Type` · 400 not JSON.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        let content_type = super::header(request, "content-type")?.unwrap_or_default();
        if !is_json(content_type) {
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body is not JSON");
            return Err(problem.detail("Send it with `Content-Type: application/json`."));
        }
        if let Some(parsed) = request.extensions().get::<Self>() {
            return Ok(parsed.clone());
        }
        let value = serde_json::from_slice(request.body());
        value.map(Self).map_err(|error| Problem::malformed(format!("The body is not JSON: {error}.")))
    }

    /// Parses the body whatever its `Content-Type`, and keeps it in the request for [`JsonBody::read`]; `None` when it is
    /// not JSON, or larger than [`limit`] allows.
    pub(super) fn keep(request: &mut Request) -> Option<Self> {
        if request.body().len() > MAX_BYTES {
            return None;
        }
        let body = serde_json::from_slice(request.body()).map(Self).ok()?;
        request.extensions_mut().insert(body.clone());
        Some(body)
    }

    /// The JSON value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The body as a `T`.
    ///
    /// # Errors
    /// 422: it is not a `T`; every invalid field is listed.
    pub fn parse<T: Deserr<InvalidBody>>(self) -> Result<T, Problem> {
        let Self(mut value) = self;
        spell_whole_numbers(&mut value);
        deserr::deserialize::<T, _, InvalidBody>(value).map_err(|invalid| Problem::invalid(invalid.0))
    }
}

/// The request's body as a `T`.
///
/// # Errors
/// 415 not JSON by its `Content-Type` · 400 not JSON · 422 not a `T`; every invalid field is listed.
pub fn json_body<T: Deserr<InvalidBody>>(request: &Request) -> Result<T, Problem> {
    JsonBody::read(request)?.parse()
}

/// JSON has one kind of number: `2.0` is as whole as `2` (JSON Schema 2020-12, Validation, section 6.1.1), and some clients know no
/// other way to write it.
fn spell_whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            // Up to where a float still tells neighbours apart.
            let whole =
                number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && (0.0..=EXACT).contains(float));
            if let Some(float) = whole {
                *value = Value::from(float as u64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(spell_whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// `application/json`, or a type built on it (RFC 6839), whatever its parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    ferrite_core::text!(
        /// A name.
        Name,
        200,
        char::is_control,
        "text on one line"
    );

    #[derive(Debug)]
    struct Count(u64);

    impl TryFrom<u64> for Count {
        type Error = ValueError;

        fn try_from(count: u64) -> Result<Self, ValueError> {
            if (1..=1000).contains(&count) { Ok(Self(count)) } else { Err(ValueError::OutOfRange { min: 1, max: 1000 }) }
        }
    }

    #[derive(Debug, Deserr)]
    #[deserr(error = InvalidBody, deny_unknown_fields, rename_all = camelCase)]
    struct Body {
        #[deserr(try_from(String) = Name::try_from -> ValueError)]
        #[allow(dead_code, reason = "read by nobody")]
        full_name: Name,
        #[allow(dead_code, reason = "read by nobody")]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserr)]
    #[deserr(error = InvalidBody, deny_unknown_fields, rename_all = camelCase)]
    struct Line {
        #[deserr(try_from(u64) = Count::try_from -> ValueError)]
        #[allow(dead_code, reason = "read by nobody")]
        quantity: Count,
    }

    fn read(content_type: &str, body: &str) -> Result<Body, Problem> {
        let request = http::Request::builder().header("Content-Type", content_type).body(body.to_owned().into()).unwrap();
        json_body(&request)
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let problem = read(
            "application/json",
            r#"{"fullName": " ", "colour": 1, "lines": [{"quantity": 1}, {"quantity": 0}, {}, {"quantity": "2"}]}"#,
        )
        .unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let mut errors: Vec<_> = problem.errors().iter().map(|e| (e.field.as_str(), e.message.as_str())).collect();
        errors.sort_unstable();
        assert_eq!(
            errors,
            [
                ("colour", "is not known here"),
                ("fullName", "must not be empty"),
                ("lines[1].quantity", "must be between 1 and 1000"),
                ("lines[2].quantity", "is missing"),
                ("lines[3].quantity", "must be a whole number from 0"),
            ]
        );
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let quantity = |number: &str| {
            let body = format!(r#"{{"fullName": "x", "lines": [{{"quantity": {number}}}]}}"#);
            read("application/json", &body).map(|body| body.lines[0].quantity.0).map_err(|problem| problem.status().as_u16())
        };
        for number in ["20", "20.0", "2e1", "200E-1"] {
            assert_eq!(quantity(number), Ok(20), "{number}");
        }
        for number in ["20.5", "-20.0", "-0.0", "1e30", "1e-30", "18446744073709551616"] {
            assert_eq!(quantity(number), Err(422), "{number}");
        }
    }

    #[test]
    fn what_cannot_be_read_has_its_own_status() {
        let status = |content_type, body: &str| read(content_type, body).unwrap_err().status().as_u16();
        assert_eq!(status("text/plain", "{}"), 415);
        assert_eq!(status("", "{}"), 415);
        assert_eq!(status("application/json", "{"), 400);
        assert_eq!(status("application/json", ""), 400);
        assert_eq!(status("application/json", "[]"), 422);
        assert_eq!(status("application/json", &"[".repeat(10_000)), 400);
        assert!(read("application/merge-patch+json; charset=utf-8", r#"{"fullName": "x", "lines": []}"#).is_ok());
    }
}
