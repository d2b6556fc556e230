//! JSON request bodies. Validation reports all invalid fields at once.

use std::ops::ControlFlow;

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use ferrite_core::ValueError;
use http::StatusCode;
use serde_json::Value;

use super::{FieldError, Problem, Request};
use crate::middleware::{Middleware, MiddlewareLayer};

/// Maximum size of a body in bytes. It is many times the size of the largest valid body, and far below API Gateway's
/// limit.
const MAX_BYTES: usize = 64 * 1024;

/// 2⁵³, the largest number up to which `f64` represents every integer exactly.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Returns the layer that rejects bodies of more than 64 KiB with status 413.
pub fn limit_body<'a>() -> MiddlewareLayer<'a, BodyLimitMiddleware> {
    MiddlewareLayer::new(BodyLimitMiddleware)
}

/// The middleware created by [`limit_body`].
#[derive(Debug, Clone, Copy)]
pub struct BodyLimitMiddleware;

impl<P: Send> Middleware<Request, P, Problem> for BodyLimitMiddleware {
    type State = bool;

    fn before(&self, request: &Request) -> bool {
        request.body().len() > MAX_BYTES
    }

    async fn around(too_large: bool, work: impl Future<Output = Result<P, Problem>> + Send) -> Result<P, Problem> {
        if too_large {
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The request body is too large");
            return Err(problem.detail(format!("The body must not be larger than {MAX_BYTES} bytes.")));
        }
        work.await
    }
}

/// The validation errors of a body, one for each invalid field.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InvalidBody(Vec<FieldError>);

impl InvalidBody {
    fn add(previous: Option<Self>, location: ValuePointerRef<'_>, message: String) -> ControlFlow<Self, Self> {
        let mut errors = previous.unwrap_or_default();
        errors.0.push(FieldError { field: path(location), message });
        ControlFlow::Continue(errors)
    }
}

/// Formats a location as in `items[0].quantity`. The location of the body itself is an empty string.
fn path(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => match path(*prev) {
            parent if parent.is_empty() => key.to_owned(),
            parent => format!("{parent}.{key}"),
        },
        ValuePointerRef::Index { index, prev } => format!("{}[{index}]", path(*prev)),
    }
}

/// Returns the name of a JSON type for error messages.
fn type_name(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer => "a non-negative integer",
        ValueKind::NegativeInteger => "a negative integer",
        ValueKind::Float => "a decimal number",
        ValueKind::String => "a string",
        ValueKind::Sequence => "an array",
        ValueKind::Map => "an object",
    }
}

impl DeserializeError for InvalidBody {
    fn error<V: IntoValue>(
        previous: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        match error {
            ErrorKind::MissingField { field } => Self::add(previous, location.push_key(field), "is missing".to_owned()),
            ErrorKind::UnknownKey { key, .. } => {
                Self::add(previous, location.push_key(key), "is not a known field".to_owned())
            }
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                let kinds: Vec<_> = accepted.iter().map(type_name).collect();
                Self::add(previous, location, format!("must be {}", kinds.join(" or ")))
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                Self::add(previous, location, format!("must be one of {}", accepted.join(", ")))
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                Self::add(previous, location, format!("must have {expected} items"))
            }
            // A number that exceeds the range of the field's type. deserr has no specific error kind for it.
            ErrorKind::Unexpected { .. } => Self::add(previous, location, "is out of range".to_owned()),
        }
    }
}

impl MergeWithError<Self> for InvalidBody {
    fn merge(previous: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut errors = previous.unwrap_or_default();
        errors.0.extend(other.0);
        ControlFlow::Continue(errors)
    }
}

impl MergeWithError<ValueError> for InvalidBody {
    fn merge(previous: Option<Self>, error: ValueError, location: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        Self::add(previous, location, error.to_string())
    }
}

/// A request body parsed as JSON. Use it in handlers that also need the fingerprint of the body.
#[derive(Debug, Clone)]
pub struct JsonBody(Value);

impl JsonBody {
    /// Returns the body as JSON. Parses it unless a middleware has already done so. A byte order mark is ignored.
    ///
    /// # Errors
    /// Returns a 415 problem if the `Content-Type` is not JSON, or a 400 problem if the body is not valid JSON or an object
    /// in it has a duplicate key.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        let content_type = super::header(request, "content-type")?.unwrap_or_default();
        if !is_json(content_type) {
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "Unsupported media type");
            return Err(problem.detail("Send the body with `Content-Type: application/json`."));
        }
        let ParsedBody(body) = match request.extensions().get::<ParsedBody>() {
            Some(parsed) => parsed.clone(),
            None => ParsedBody::of(request),
        };
        body.map_err(|error| Problem::malformed(format!("The body is not valid JSON: {error}.")))
    }

    /// Parses the body regardless of its `Content-Type`, and stores the result in the request for [`JsonBody::read`].
    /// Returns `None` if the body is not valid JSON or exceeds the size that [`limit_body`] allows.
    pub(super) fn parse_and_store(request: &mut Request) -> Option<Self> {
        if request.body().len() > MAX_BYTES {
            return None;
        }
        let parsed = ParsedBody::of(request);
        request.extensions_mut().insert(parsed.clone());
        parsed.0.ok()
    }

    /// Returns the JSON value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Deserializes and validates the body.
    ///
    /// # Errors
    /// Returns a 422 problem that lists every invalid field.
    pub fn parse<T: Deserr<InvalidBody>>(self) -> Result<T, Problem> {
        let Self(mut value) = self;
        convert_integral_floats(&mut value);
        deserr::deserialize::<T, _, InvalidBody>(value).map_err(|invalid| Problem::invalid(invalid.0))
    }
}

/// The result of parsing a body: the JSON, or the error message.
#[derive(Debug, Clone)]
struct ParsedBody(Result<JsonBody, String>);

impl ParsedBody {
    fn of(request: &Request) -> Self {
        Self(ferrite_core::json::from_slice(request.body()).map(JsonBody).map_err(|error| error.to_string()))
    }
}

/// Parses, deserializes and validates the request body.
///
/// # Errors
/// Returns a 415 problem if the `Content-Type` is not JSON, a 400 problem if the body is not valid JSON or has a
/// duplicate key, or a 422 problem that lists every invalid field.
pub fn json_body<T: Deserr<InvalidBody>>(request: &Request) -> Result<T, Problem> {
    JsonBody::read(request)?.parse()
}

/// Converts floats with an integral value, such as `2.0`, to integers. JSON does not distinguish them (JSON Schema
/// 2020-12, Validation, section 6.1.1), and some clients can write only floats.
fn convert_integral_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            // Larger floats do not represent every integer exactly.
            let integral = number
                .as_f64()
                .filter(|float| number.is_f64() && float.fract() == 0.0 && (0.0..=MAX_EXACT_INTEGER).contains(float));
            if let Some(float) = integral {
                *value = Value::from(float as u64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(convert_integral_floats),
        Value::Object(fields) => fields.values_mut().for_each(convert_integral_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Whether a media type is `application/json` or has the `+json` suffix (RFC 6839). Parameters are ignored.
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
        ferrite_core::text::Name
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
        #[allow(dead_code, reason = "only deserialized")]
        full_name: Name,
        #[allow(dead_code, reason = "only deserialized")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserr)]
    #[deserr(error = InvalidBody, deny_unknown_fields, rename_all = camelCase)]
    struct Item {
        #[deserr(try_from(u64) = Count::try_from -> ValueError)]
        #[allow(dead_code, reason = "only deserialized")]
        quantity: Count,
    }

    fn read(content_type: &str, body: &str) -> Result<Body, Problem> {
        let request = http::Request::builder().header("Content-Type", content_type).body(body.to_owned().into()).unwrap();
        json_body(&request)
    }

    #[test]
    fn reports_all_invalid_fields_at_once() {
        let problem = read(
            "application/json",
            r#"{"fullName": " ", "color": 1, "items": [{"quantity": 1}, {"quantity": 0}, {}, {"quantity": "2"}]}"#,
        )
        .unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let mut errors: Vec<_> = problem.errors().iter().map(|e| (e.field.as_str(), e.message.as_str())).collect();
        errors.sort_unstable();
        assert_eq!(
            errors,
            [
                ("color", "is not a known field"),
                ("fullName", "must not be empty"),
                ("items[1].quantity", "must be between 1 and 1000"),
                ("items[2].quantity", "is missing"),
                ("items[3].quantity", "must be a non-negative integer"),
            ]
        );
    }

    #[test]
    fn accepts_integers_in_any_notation() {
        let quantity = |number: &str| {
            let body = format!(r#"{{"fullName": "x", "items": [{{"quantity": {number}}}]}}"#);
            read("application/json", &body).map(|body| body.items[0].quantity.0).map_err(|problem| problem.status().as_u16())
        };
        for number in ["20", "20.0", "2e1", "200E-1"] {
            assert_eq!(quantity(number), Ok(20), "{number}");
        }
        for number in ["20.5", "-20.0", "-0.0", "1e30", "1e-30", "18446744073709551616"] {
            assert_eq!(quantity(number), Err(422), "{number}");
        }
    }

    #[test]
    fn rejects_duplicate_keys_and_names_them() {
        for (body, key) in [
            (r#"{"fullName": "x", "items": [], "fullName": "y"}"#, "fullName"),
            (r#"{"fullName": "x", "items": [], "full\u004eame": "y"}"#, "fullName"),
            (r#"{"fullName": "x", "items": [{"quantity": 1, "quantity": 2}]}"#, "quantity"),
            (r#"{"fullName": "x", "items": [], "unknown": [{"k": {"a": 1, "a": 1}}]}"#, "a"),
        ] {
            let problem = read("application/json", body).unwrap_err();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST, "{body}");
            let response = problem.into_response("r");
            let problem: Value = serde_json::from_slice(response.body()).unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("The body is not valid JSON: duplicate key \"{key}\" at ")), "{detail}");
        }
    }

    #[test]
    fn ignores_a_byte_order_mark() {
        let body = read("application/json", "\u{feff}{\"fullName\": \"x\", \"items\": []}").unwrap();
        assert_eq!(body.full_name.as_str(), "x");
        let status = |body| read("application/json", body).unwrap_err().status().as_u16();
        assert_eq!(status("\u{feff}"), 400);
        assert_eq!(status("\u{feff}\u{feff}{}"), 400);
    }

    #[test]
    fn returns_the_stored_result_of_a_middleware() {
        for (body, is_json) in [("{}", true), ("{", false), (r#"{"a": 1, "a": 2}"#, false)] {
            let mut request =
                http::Request::builder().header("Content-Type", "application/json").body(body.to_owned().into()).unwrap();
            assert_eq!(JsonBody::parse_and_store(&mut request).is_some(), is_json, "{body}");
            *request.body_mut() = "another body".to_owned().into();
            let read = JsonBody::read(&request);
            assert_eq!(read.is_ok(), is_json, "{body}");
            assert_eq!(read.is_err_and(|problem| problem.status() == StatusCode::BAD_REQUEST), !is_json, "{body}");
        }
    }

    #[test]
    fn distinguishes_media_type_syntax_and_validation_errors() {
        let status = |content_type, body: &str| read(content_type, body).unwrap_err().status().as_u16();
        assert_eq!(status("text/plain", "{}"), 415);
        assert_eq!(status("", "{}"), 415);
        assert_eq!(status("application/json", "{"), 400);
        assert_eq!(status("application/json", ""), 400);
        assert_eq!(status("application/json", "[]"), 422);
        assert_eq!(status("application/json", &"[".repeat(10_000)), 400);
        assert!(read("application/merge-patch+json; charset=utf-8", r#"{"fullName": "x", "items": []}"#).is_ok());
    }
}
