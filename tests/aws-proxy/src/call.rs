//! Identifies the AWS operation and the caller of a request.

use std::fmt;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, header};

/// An AWS service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon DynamoDB.
    DynamoDb,
    /// Amazon EventBridge.
    EventBridge,
    /// Amazon S3, with path-style URLs.
    S3,
    /// Amazon SES, API version 2010-12-01.
    Ses,
    /// Amazon SQS, with the AWS JSON protocol.
    Sqs,
    /// AWS Systems Manager.
    Ssm,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DynamoDb => "DynamoDB",
            Self::EventBridge => "EventBridge",
            Self::S3 => "S3",
            Self::Ses => "SES",
            Self::Sqs => "SQS",
            Self::Ssm => "SSM",
        })
    }
}

/// An operation, named as in the API reference of its service. It is displayed as in `DynamoDB.PutItem`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// Name of the operation.
    pub name: String,
}

impl Operation {
    /// Creates the operation `name` of `service`.
    pub fn new(service: Service, name: impl Into<String>) -> Self {
        Self { service, name: name.into() }
    }

    /// Value of the `x-amz-target` header for a DynamoDB operation.
    #[must_use]
    pub fn target(&self) -> HeaderValue {
        HeaderValue::from_str(&format!("DynamoDB_20120810.{}", self.name)).unwrap_or(HeaderValue::from_static(""))
    }

    /// Identifies the operation of a request that a function sent. `None` for other requests, such as a client's upload
    /// with a presigned URL.
    #[must_use]
    pub fn of(head: &Parts, body: &[u8]) -> Option<Self> {
        Self::from_target(&head.headers).or_else(|| Self::of_signed(&Scope::of(&head.headers)?, head, body))
    }

    /// Identifies the operation of a request that was signed for `scope`.
    #[must_use]
    pub fn of_signed(scope: &Scope<'_>, head: &Parts, body: &[u8]) -> Option<Self> {
        Self::from_target(&head.headers).or_else(|| match scope.service {
            "s3" => Some(Self::new(Service::S3, object_operation(&head.method, head.uri.path())?)),
            "ses" => Some(Self::new(Service::Ses, query_action(body)?)),
            _ => None,
        })
    }

    /// Identifies the operation by the `x-amz-target` header of the AWS JSON protocols.
    fn from_target(headers: &HeaderMap) -> Option<Self> {
        let (api, name) = headers.get("x-amz-target")?.to_str().ok()?.split_once('.')?;
        let service = match api {
            "AWSEvents" => Service::EventBridge,
            "AmazonSQS" => Service::Sqs,
            "AmazonSSM" => Service::Ssm,
            "DynamoDB_20120810" => Service::DynamoDb,
            _ => return None,
        };
        Some(Self::new(service, name))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.name)
    }
}

/// The credential scope of a signature ("Authenticating requests (AWS Signature Version 4)").
pub struct Scope<'a> {
    /// Access key ID of the caller.
    pub access_key: &'a str,
    /// AWS Region.
    pub region: &'a str,
    /// Signing name of the service.
    pub service: &'a str,
}

impl<'a> Scope<'a> {
    /// Reads the scope from the `Authorization` header of a request.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = authorization.split_once("Credential=")?;
        Self::parse(credential.split(',').next()?.split('/'))
    }

    /// Reads the scope from a presigned URL.
    #[must_use]
    pub fn of_presigned_url(uri: &'a Uri) -> Option<Self> {
        let credential = uri.query()?.split('&').find_map(|parameter| parameter.strip_prefix("X-Amz-Credential="))?;
        Self::parse(credential.split("%2F"))
    }

    fn parse(mut parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let access_key = parts.next()?;
        let _date = parts.next()?;
        let region = parts.next()?;
        let service = parts.next()?;
        Some(Self { access_key, region, service })
    }
}

fn object_operation(method: &Method, path: &str) -> Option<&'static str> {
    let (_bucket, key) = path.strip_prefix('/')?.split_once('/')?;
    match *method {
        _ if key.is_empty() => None,
        Method::DELETE => Some("DeleteObject"),
        Method::GET => Some("GetObject"),
        Method::HEAD => Some("HeadObject"),
        Method::PUT => Some("PutObject"),
        _ => None,
    }
}

/// Reads the operation from the `Action` parameter of a form ("AWS query protocol").
fn query_action(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok()?.split('&').find_map(|parameter| parameter.strip_prefix("Action="))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn operation_of(request: http::request::Builder, body: &str) -> Option<String> {
        let (head, ()) = request.body(()).unwrap().into_parts();
        Operation::of(&head, body.as_bytes()).map(|operation| operation.to_string())
    }

    fn operation_of_target(target: &str) -> Option<String> {
        operation_of(Request::post("/").header("x-amz-target", target), "{}")
    }

    fn operation_of_signed(service: &str, method: &str, path: &str, body: &str) -> Option<String> {
        let credential = format!("ASIA0011223344556677/20261101/eu-west-1/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
        operation_of(Request::builder().method(method).uri(path).header("authorization", authorization), body)
    }

    #[test]
    fn reads_the_operation_of_json_protocols_from_the_header() {
        assert_eq!(operation_of_target("DynamoDB_20120810.TransactWriteItems").unwrap(), "DynamoDB.TransactWriteItems");
        assert_eq!(operation_of_target("AWSEvents.PutEvents").unwrap(), "EventBridge.PutEvents");
        assert_eq!(operation_of_target("AmazonSQS.SendMessage").unwrap(), "SQS.SendMessage");
        assert_eq!(operation_of_target("AmazonSSM.GetParameter").unwrap(), "SSM.GetParameter");
    }

    #[test]
    fn reads_the_operation_of_the_query_protocol_from_the_body() {
        let body = "Version=2010-12-01&Action=SendEmail&Source=a%40example.com";
        assert_eq!(operation_of_signed("ses", "POST", "/", body).unwrap(), "SES.SendEmail");
    }

    #[test]
    fn derives_the_s3_operation_from_the_method() {
        assert_eq!(operation_of_signed("s3", "GET", "/bucket/uploads/a?x-id=GetObject", "").unwrap(), "S3.GetObject");
        assert_eq!(operation_of_signed("s3", "PUT", "/bucket/reports/2026-11-22.csv", "a,b").unwrap(), "S3.PutObject");
    }

    #[test]
    fn returns_none_for_requests_that_functions_do_not_send() {
        assert_eq!(operation_of_target("AWSLambda.Invoke"), None);
        assert_eq!(operation_of_signed("s3", "GET", "/bucket/", ""), None);
        assert_eq!(operation_of_signed("lambda", "POST", "/2015-03-31/functions/x/invocations", ""), None);
        let presigned = "/bucket/uploads/a?X-Amz-Credential=ASIA%2F20261101%2Feu-west-1%2Fs3%2Faws4_request";
        assert_eq!(operation_of(Request::put(presigned), "image"), None);
    }
}
