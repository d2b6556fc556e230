//! Requests for the unit tests of handlers.

use http::Method;
use lambda_http::RequestExt;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext;
use serde_json::Value;

use super::Request;

/// A request that API Gateway hands to a function.
pub fn request(method: Method) -> Request {
    let mut request = Request::default();
    *request.method_mut() = method;
    request
}

/// Parts of a [`request`] beyond its method.
pub trait TestRequest {
    /// With a JSON body.
    #[must_use]
    fn json(self, body: &Value) -> Self;
    /// With a header.
    ///
    /// # Panics
    /// It is no header.
    #[must_use]
    fn header(self, name: &'static str, value: &str) -> Self;
    /// With a parameter in its path.
    #[must_use]
    fn path_parameter(self, name: &str, value: impl ToString) -> Self;
    /// From the holder of a token.
    #[must_use]
    fn by_caller(self, sub: &str, scope: &str) -> Self;
}

impl TestRequest for Request {
    fn json(mut self, body: &Value) -> Self {
        *self.body_mut() = body.to_string().into();
        self.header("content-type", "application/json")
    }

    #[allow(clippy::unwrap_used, reason = "what fails here fails the test")]
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    fn path_parameter(self, name: &str, value: impl ToString) -> Self {
        self.with_path_parameters(
            [(name.to_owned(), vec![value.to_string()])].into_iter().collect::<std::collections::HashMap<_, _>>(),
        )
    }

    fn by_caller(self, sub: &str, scope: &str) -> Self {
        let mut context = ApiGatewayProxyRequestContext::default();
        context.authorizer.fields.insert("sub".to_owned(), sub.into());
        context.authorizer.fields.insert("scope".to_owned(), scope.into());
        self.with_request_context(RequestContext::ApiGatewayV1(context))
    }
}
