//! Who is asking, as the authorizer found out.

use ferrite_domain::CustomerId;
use http::StatusCode;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde_json::Value;

use super::{Problem, Request};

/// Whoever holds the token of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    id: CustomerId,
    scope: String,
}

impl Caller {
    /// The token's subject.
    pub fn id(&self) -> &CustomerId {
        &self.id
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
/// its authorizer, which must not turn into an open door.
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
    let id = field("sub").and_then(|sub| CustomerId::try_from(sub.to_owned()).ok()).ok_or_else(unauthorized)?;
    Ok(Caller { id, scope: field("scope").unwrap_or_default().to_owned() })
}
