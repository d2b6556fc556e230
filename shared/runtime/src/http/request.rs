//! What handlers read from a request besides its body.

use std::str::FromStr;

use ferrite_core::ValueError;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use super::{Problem, Request};

/// The identifier that the path holds at `{name}`.
///
/// # Errors
/// What stands there is no identifier of this kind: then there is nothing under it, and the answer is 404.
pub fn path_id<Id: FromStr>(request: &Request, name: &str) -> Result<Id, Problem> {
    let parameters = request.path_parameters_ref();
    let text = parameters.and_then(|parameters| parameters.first(name));
    text.and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)
}

/// The path of the route that the request came by, with its parameters in braces, as in `/notes/{noteId}`.
pub fn route_path(request: &Request) -> Option<&str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(rest) => rest.resource_path.as_deref(),
        // `METHOD /path`.
        RequestContext::ApiGatewayV2(http) => http.route_key.as_deref()?.split(' ').nth(1),
        _ => None,
    }
}

/// The query parameter `name`, or `None` when it is not there.
///
/// # Errors
/// It is there twice, or is no `T`.
pub fn query<T: FromStr<Err = ValueError>>(request: &Request, name: &str) -> Result<Option<T>, Problem> {
    let parameters = request.query_string_parameters_ref();
    let values = parameters.and_then(|parameters| parameters.all(name)).unwrap_or_default();
    match values[..] {
        [] => Ok(None),
        [text] => text
            .parse()
            .map(Some)
            .map_err(|error| Problem::malformed("A query parameter cannot be used.").field(name, error)),
        _ => Err(Problem::malformed("A query parameter cannot be used.").field(name, "must be there once")),
    }
}

/// The header `name`, or `None` when it is not there.
///
/// # Errors
/// 400: it is there several times with different values, or holds something other than visible ASCII.
pub fn header<'r>(request: &'r Request, name: &str) -> Result<Option<&'r str>, Problem> {
    let mut values = request.headers().get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|value| value != first) {
        return Err(Problem::malformed("A header cannot be read.").field(name, "must be there once"));
    }
    first.to_str().map(Some).map_err(|_| unreadable(name))
}

/// The header `name`, whose value is a list and may be spread over several lines (RFC 9110, section 5.3).
///
/// # Errors
/// 400: it holds something other than visible ASCII.
pub fn header_list(request: &Request, name: &str) -> Result<String, Problem> {
    let values = request.headers().get_all(name).iter().map(|value| value.to_str().map_err(|_| unreadable(name)));
    Ok(values.collect::<Result<Vec<_>, _>>()?.join(","))
}

fn unreadable(name: &str) -> Problem {
    Problem::malformed("A header cannot be read.").field(name, "must hold only visible ASCII characters")
}
