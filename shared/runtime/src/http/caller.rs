//! The caller of a request, as authenticated by the API's authorizer.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrite_core::Subject;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde_json::Value;

use super::{Problem, Request};

/// Allowed clock skew between the token issuer and this function, in seconds.
pub const TOKEN_LEEWAY_SECONDS: u64 = 60;

/// The authenticated caller of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    subject: Subject,
    scope: String,
}

impl Caller {
    /// Returns the subject of the token.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns the subject of the token as an identifier type of the application.
    pub fn id<Id: From<Subject>>(&self) -> Id {
        self.subject.clone().into()
    }

    /// Checks that the token has the given scope.
    ///
    /// # Errors
    /// Returns a 403 problem with a `WWW-Authenticate` header if the token does not have the scope.
    pub fn require_scope(&self, scope: &str) -> Result<(), Problem> {
        if self.scope.split_ascii_whitespace().any(|granted| granted == scope) {
            return Ok(());
        }
        Err(Problem::insufficient_scope(scope))
    }
}

/// Returns the authenticated caller of a request.
///
/// # Errors
/// Returns a 401 problem with a `WWW-Authenticate` header in these cases:
/// - The request has no authenticated caller. API Gateway rejects unauthenticated requests itself, so this protects
///   routes that were deployed without an authorizer by mistake.
/// - The token has expired. API Gateway caches the authorizer's response for minutes, so this function also checks the
///   `exp` claim if the authorizer returns it.
pub fn caller(request: &Request) -> Result<Caller, Problem> {
    let context = request.request_context_ref();
    let field = |name: &str| match context {
        Some(RequestContext::ApiGatewayV1(context)) => context.authorizer.fields.get(name).and_then(Value::as_str),
        Some(RequestContext::ApiGatewayV2(context)) => {
            let authorizer = context.authorizer.as_ref()?;
            let lambda_field = authorizer.fields.get(name).and_then(Value::as_str);
            // The JWT authorizer of an HTTP API passes the claims of the token.
            lambda_field.or_else(|| authorizer.jwt.as_ref()?.claims.get(name).map(String::as_str))
        }
        _ => None,
    };
    if field("exp").is_some_and(|expires| !is_unexpired(expires, SystemTime::now())) {
        return Err(Problem::invalid_token());
    }
    let subject = field("sub").and_then(|sub| Subject::try_from(sub.to_owned()).ok());
    let subject = subject.ok_or_else(|| {
        let authorization = request.headers().get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let has_token = authorization.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
        if has_token || field("sub").is_some() { Problem::invalid_token() } else { Problem::unauthorized() }
    })?;
    Ok(Caller { subject, scope: field("scope").unwrap_or_default().to_owned() })
}

/// Whether the token has not expired at `now`, with [`TOKEN_LEEWAY_SECONDS`] of leeway. `expires` is in seconds since
/// the Unix epoch. Returns false if it is not a number.
fn is_unexpired(expires: &str, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs());
    expires.parse::<u64>().is_ok_and(|expires| now < expires.saturating_add(TOKEN_LEEWAY_SECONDS))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use lambda_http::RequestExt as _;
    use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;

    use super::*;
    use crate::http::testing::{TestRequest, request};

    fn request_with(fields: &[(&str, &str)]) -> Request {
        let mut context = ApiGatewayProxyRequestContext::default();
        context.authorizer.fields.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
        request(Method::GET).with_request_context(RequestContext::ApiGatewayV1(context))
    }

    fn status_with(expires: Option<&str>) -> Option<u16> {
        let mut fields = vec![("sub", "ada")];
        fields.extend(expires.map(|expires| ("exp", expires)));
        caller(&request_with(&fields)).err().map(|problem| problem.status().as_u16())
    }

    /// The status and the `WWW-Authenticate` header of the response to `problem`.
    fn challenge(problem: Problem) -> (u16, String) {
        let response = problem.into_response("r");
        (response.status().as_u16(), response.headers()["www-authenticate"].to_str().unwrap().to_owned())
    }

    #[test]
    fn challenges_follow_rfc_6750() {
        let invalid_token = (401, r#"Bearer error="invalid_token""#.to_owned());
        for (request, expected) in [
            (request(Method::GET), (401, "Bearer".to_owned())),
            (request_with(&[]), (401, "Bearer".to_owned())),
            (request_with(&[]).header("authorization", "Basic YTpi"), (401, "Bearer".to_owned())),
            (request_with(&[]).header("authorization", "Bearer a.b.c"), invalid_token.clone()),
            (request_with(&[("sub", "")]), invalid_token.clone()),
            (request_with(&[("sub", "ada"), ("exp", "1700000000")]), invalid_token),
        ] {
            assert_eq!(challenge(caller(&request).unwrap_err()), expected);
        }
        let caller = caller(&request_with(&[("sub", "ada"), ("scope", "notes:read notes:writer")])).unwrap();
        let insufficient_scope = r#"Bearer error="insufficient_scope", scope="notes:write""#;
        assert_eq!(challenge(caller.require_scope("notes:write").unwrap_err()), (403, insufficient_scope.to_owned()));
        assert_eq!(challenge(caller.require_scope("\n").unwrap_err()).0, 403);
    }

    #[test]
    fn rejects_expired_tokens_despite_a_cached_authorizer_response() {
        assert_eq!(status_with(Some("4102444800")), None);
        assert_eq!(status_with(Some("1700000000")), Some(401));
        assert_eq!(status_with(Some("never")), Some(401));
        assert_eq!(status_with(None), None, "should accept authorizers that do not return `exp`");
    }

    #[test]
    fn allows_the_same_clock_skew_as_the_authorizer() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(is_unexpired("1000", at(1059)));
        assert!(!is_unexpired("1000", at(1060)));
    }
}
