//! Request builders for unit tests of handlers.

use http::Method;
use lambda_http::RequestExt;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext;
use serde_json::Value;

use super::Request;

/// Creates a request as API Gateway passes it to a function.
pub fn request(method: Method) -> Request {
    let mut request = Request::default();
    *request.method_mut() = method;
    request
}

/// Extension methods that add parts to a [`request`].
pub trait TestRequest {
    /// Sets a JSON body and its `Content-Type`.
    #[must_use]
    fn json(self, body: &Value) -> Self;
    /// Sets a header.
    ///
    /// # Panics
    /// Panics if `value` is not a valid header value.
    #[must_use]
    fn header(self, name: &'static str, value: &str) -> Self;
    /// Sets a path parameter.
    #[must_use]
    fn path_parameter(self, name: &str, value: impl ToString) -> Self;
    /// Sets the authenticated caller, with the subject and the scopes of the token.
    #[must_use]
    fn with_caller(self, sub: &str, scope: &str) -> Self;
}

impl TestRequest for Request {
    fn json(mut self, body: &Value) -> Self {
        *self.body_mut() = body.to_string().into();
        self.header("content-type", "application/json")
    }

    #[allow(clippy::unwrap_used, reason = "an invalid header value should fail the test")]
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    fn path_parameter(self, name: &str, value: impl ToString) -> Self {
        self.with_path_parameters(
            [(name.to_owned(), vec![value.to_string()])].into_iter().collect::<std::collections::HashMap<_, _>>(),
        )
    }

    fn with_caller(self, sub: &str, scope: &str) -> Self {
        let mut context = ApiGatewayProxyRequestContext::default();
        context.authorizer.fields.insert("sub".to_owned(), sub.into());
        context.authorizer.fields.insert("scope".to_owned(), scope.into());
        self.with_request_context(RequestContext::ApiGatewayV1(context))
    }
}
