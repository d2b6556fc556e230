//! Functions that read parameters and headers from a request.

use std::str::FromStr;

use ferrite_core::ValueError;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use super::{Problem, Request};

/// Parses the identifier in the path parameter `name`.
///
/// # Errors
/// Returns a 404 problem if the parameter is not an identifier of this type, because no such resource can exist.
pub fn path_id<Id: FromStr>(request: &Request, name: &str) -> Result<Id, Problem> {
    let parameters = request.path_parameters_ref();
    let text = parameters.and_then(|parameters| parameters.first(name));
    text.and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)
}

/// Returns the path of the matched route, with parameters in braces, as in `/notes/{noteId}`.
pub fn route_path(request: &Request) -> Option<&str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.resource_path.as_deref(),
        // The format is `METHOD /path`.
        RequestContext::ApiGatewayV2(context) => context.route_key.as_deref()?.split(' ').nth(1),
        _ => None,
    }
}

/// Parses the query parameter `name`. Returns `None` if it is absent.
///
/// # Errors
/// Returns a 400 problem if the parameter is repeated or cannot be parsed.
pub fn query<T: FromStr<Err = ValueError>>(request: &Request, name: &str) -> Result<Option<T>, Problem> {
    let parameters = request.query_string_parameters_ref();
    let values = parameters.and_then(|parameters| parameters.all(name)).unwrap_or_default();
    match values[..] {
        [] => Ok(None),
        [text] => {
            text.parse().map(Some).map_err(|error| Problem::malformed("A query parameter is not valid.").field(name, error))
        }
        _ => Err(Problem::malformed("A query parameter is not valid.").field(name, "must not be repeated")),
    }
}

/// Returns the value of the header `name`, or `None` if it is absent.
///
/// # Errors
/// Returns a 400 problem if the header is repeated with different values, or contains characters other than visible
/// ASCII.
pub fn header<'r>(request: &'r Request, name: &str) -> Result<Option<&'r str>, Problem> {
    let mut values = request.headers().get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|value| value != first) {
        return Err(Problem::malformed("A header is not valid.").field(name, "must not be repeated"));
    }
    first.to_str().map(Some).map_err(|_| non_ascii_header(name))
}

/// Returns the value of the header `name`, which contains a list and can be repeated (RFC 9110, section 5.3). Repeated
/// values are joined with commas.
///
/// # Errors
/// Returns a 400 problem if the header contains characters other than visible ASCII.
pub fn header_list(request: &Request, name: &str) -> Result<String, Problem> {
    let values = request.headers().get_all(name).iter().map(|value| value.to_str().map_err(|_| non_ascii_header(name)));
    Ok(values.collect::<Result<Vec<_>, _>>()?.join(","))
}

fn non_ascii_header(name: &str) -> Problem {
    Problem::malformed("A header is not valid.").field(name, "must contain only visible ASCII characters")
}
