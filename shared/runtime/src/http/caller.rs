//! Who is asking, as the authorizer found out.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrite_core::Subject;
use http::StatusCode;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde_json::Value;

use super::{Problem, Request};

/// How far the clock of a token's issuer and ours may be apart, in seconds.
pub const TOKEN_LEEWAY_SECONDS: u64 = 60;

/// The holder of a request's token.
#[derive(Debug, Clone)]
pub struct Caller {
    subject: Subject,
    scope: String,
}

impl Caller {
    /// The token's subject.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The token's subject, as the identifier of an application's own type.
    pub fn id<Id: From<Subject>>(&self) -> Id {
        self.subject.clone().into()
    }

    /// # Errors
    /// 403: the token does not have `scope` among its scopes.
    pub fn require(&self, scope: &str) -> Result<(), Problem> {
        if self.scope.split_ascii_whitespace().any(|held| held == scope) {
            return Ok(());
        }
        let problem = Problem::new(StatusCode::FORBIDDEN, "missing-scope", "Your token does not allow this");
        Err(problem.detail(format!("It needs the scope `{scope}`.")))
    }
}

/// Who is asking.
///
/// # Errors
/// 401: the authorizer did not let anyone by. API Gateway answers so itself; this is for a route that was left without
/// its authorizer, which must not turn into an open door. Or the token has expired since: API Gateway keeps an authorizer's
/// answer for minutes, and a token's `exp`, where the authorizer hands it on, ends it to the second.
pub fn caller(request: &Request) -> Result<Caller, Problem> {
    let unauthorized = || Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid token is needed");
    let context = request.request_context_ref();
    let field = |name: &str| match context {
        Some(RequestContext::ApiGatewayV1(rest)) => rest.authorizer.fields.get(name).and_then(Value::as_str),
        Some(RequestContext::ApiGatewayV2(http)) => {
            let authorizer = http.authorizer.as_ref()?;
            let by_lambda = authorizer.fields.get(name).and_then(Value::as_str);
            // An HTTP API can verify tokens by itself and then hands their claims on.
            by_lambda.or_else(|| authorizer.jwt.as_ref()?.claims.get(name).map(String::as_str))
        }
        _ => None,
    };
    if field("exp").is_some_and(|expires| !is_ahead(expires, SystemTime::now())) {
        return Err(unauthorized());
    }
    let subject = field("sub").and_then(|sub| Subject::try_from(sub.to_owned()).ok()).ok_or_else(unauthorized)?;
    Ok(Caller { subject, scope: field("scope").unwrap_or_default().to_owned() })
}

/// Whether `expires`, in seconds since 1970, is still to come at `now`. What is no number is not.
fn is_ahead(expires: &str, now: SystemTime) -> bool {
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
    use crate::http::testing::request;

    fn status_with(expires: Option<&str>) -> Option<u16> {
        let mut context = ApiGatewayProxyRequestContext::default();
        context.authorizer.fields.insert("sub".to_owned(), "ada".into());
        context.authorizer.fields.extend(expires.map(|expires| ("exp".to_owned(), expires.into())));
        let request = request(Method::GET).with_request_context(RequestContext::ApiGatewayV1(context));
        caller(&request).err().map(|problem| problem.status().as_u16())
    }

    #[test]
    fn an_answer_of_the_authorizers_does_not_outlive_its_token() {
        assert_eq!(status_with(Some("4102444800")), None);
        assert_eq!(status_with(Some("1700000000")), Some(401));
        assert_eq!(status_with(Some("never")), Some(401));
        assert_eq!(status_with(None), None, "another authorizer vouches for its callers by itself");
    }

    #[test]
    fn the_leeway_is_the_authorizers() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(is_ahead("1000", at(1059)));
        assert!(!is_ahead("1000", at(1060)));
    }
}
