use std::collections::BTreeMap;

use ferrite_runtime::http::{Problem, Request, Response, no_content, route_path};
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW};

/// Request headers that the handlers read and that are not CORS-safelisted (Fetch Standard, "CORS-safelisted
/// request-header"), so that a browser sends them only with permission.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Traceparent, X-Correlation-Id",
);

/// How long a browser may cache the response: two hours, which is Chromium's maximum.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// Returns the methods and headers that are allowed on a path (Fetch Standard, "CORS-preflight request").
///
/// The runtime adds `Access-Control-Allow-Origin`, as it does to every response.
pub(crate) async fn answer_preflight(methods: &BTreeMap<String, String>, request: Request) -> Result<Response, Problem> {
    let methods = route_path(&request).and_then(|path| methods.get(path)).ok_or_else(Problem::not_found)?;
    let methods = HeaderValue::try_from(methods).map_err(Problem::internal)?;
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert(ALLOW, methods.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use ferrite_runtime::http::testing::request;
    use http::{Method, StatusCode};
    use lambda_http::RequestExt;
    use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
    use lambda_http::request::RequestContext;

    use super::*;

    async fn preflight(path: &str) -> Result<Response, Problem> {
        let methods = [("/notes".to_owned(), "GET, HEAD, POST".to_owned())].into();
        let mut context = ApiGatewayProxyRequestContext::default();
        context.resource_path = Some(path.to_owned());
        let request = request(Method::OPTIONS).with_request_context(RequestContext::ApiGatewayV1(context));
        answer_preflight(&methods, request).await
    }

    #[tokio::test]
    async fn allows_the_methods_of_the_route() {
        let response = preflight("/notes").await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, POST");
        assert_eq!(response.headers()[ALLOW], "GET, HEAD, POST");
    }

    #[tokio::test]
    async fn returns_404_for_an_unknown_route() {
        assert_eq!(preflight("/unknown").await.unwrap_err().status(), StatusCode::NOT_FOUND);
    }
}
