//! Identifies the operation and the caller of a request.

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
    /// Amazon S3, reached by path.
    S3,
    /// Amazon SES, API version 2010-12-01.
    Ses,
    /// Amazon SQS, by its JSON protocol.
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

/// An operation as its service's API reference names it. Its text form is `DynamoDB.PutItem`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// The operation's name.
    pub name: String,
}

impl Operation {
    /// The operation `name` of `service`.
    pub fn new(service: Service, name: impl Into<String>) -> Self {
        Self { service, name: name.into() }
    }

    /// The value of `x-amz-target` for an operation of DynamoDB.
    #[must_use]
    pub fn target(&self) -> HeaderValue {
        HeaderValue::from_str(&format!("DynamoDB_20120810.{}", self.name)).unwrap_or(HeaderValue::from_static(""))
    }

    /// The operation of a function's own request. `None` for anything else, such as a client's upload by a presigned URL.
    #[must_use]
    pub fn of(head: &Parts, body: &[u8]) -> Option<Self> {
        Self::targeted(&head.headers).or_else(|| Self::of_signed(&Scope::of(&head.headers)?, head, body))
    }

    /// The operation of a request that was signed for `scope`.
    #[must_use]
    pub fn of_signed(scope: &Scope<'_>, head: &Parts, body: &[u8]) -> Option<Self> {
        Self::targeted(&head.headers).or_else(|| match scope.service {
            "s3" => Some(Self::new(Service::S3, on_object(&head.method, head.uri.path())?)),
            "ses" => Some(Self::new(Service::Ses, query_action(body)?)),
            _ => None,
        })
    }

    /// The JSON protocols name the operation in a header.
    fn targeted(headers: &HeaderMap) -> Option<Self> {
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
    /// The access key id of the caller.
    pub access_key: &'a str,
    /// The region.
    pub region: &'a str,
    /// The signing name of the service.
    pub service: &'a str,
}

impl<'a> Scope<'a> {
    /// The scope of a signed request.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = authorization.split_once("Credential=")?;
        Self::parse(credential.split(',').next()?.split('/'))
    }

    /// The scope of a presigned URL.
    #[must_use]
    pub fn of_link(uri: &'a Uri) -> Option<Self> {
        let credential = uri.query()?.split('&').find_map(|parameter| parameter.strip_prefix("X-Amz-Credential="))?;
        Self::parse(credential.split("%2F"))
    }

    fn parse(mut parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (access_key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { access_key, region, service })
    }
}

fn on_object(method: &Method, path: &str) -> Option<&'static str> {
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

/// The parameter that names the operation in a form ("AWS query protocol").
fn query_action(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok()?.split('&').find_map(|parameter| parameter.strip_prefix("Action="))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn operation(request: http::request::Builder, body: &str) -> Option<String> {
        let (head, ()) = request.body(()).unwrap().into_parts();
        Operation::of(&head, body.as_bytes()).map(|operation| operation.to_string())
    }

    fn targeted(target: &str) -> Option<String> {
        operation(Request::post("/").header("x-amz-target", target), "{}")
    }

    fn signed_for(service: &str, method: &str, path: &str, body: &str) -> Option<String> {
        let credential = format!("ASIA0011223344556677/20261101/eu-west-1/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
        operation(Request::builder().method(method).uri(path).header("authorization", authorization), body)
    }

    #[test]
    fn reads_the_operation_of_json_protocols_from_the_header() {
        assert_eq!(targeted("DynamoDB_20120810.TransactWriteItems").unwrap(), "DynamoDB.TransactWriteItems");
        assert_eq!(targeted("AWSEvents.PutEvents").unwrap(), "EventBridge.PutEvents");
        assert_eq!(targeted("AmazonSQS.SendMessage").unwrap(), "SQS.SendMessage");
        assert_eq!(targeted("AmazonSSM.GetParameter").unwrap(), "SSM.GetParameter");
    }

    #[test]
    fn reads_the_operation_of_the_query_protocol_from_the_body() {
        let body = "Version=2010-12-01&Action=SendEmail&Source=a%40example.com";
        assert_eq!(signed_for("ses", "POST", "/", body).unwrap(), "SES.SendEmail");
    }

    #[test]
    fn derives_the_s3_operation_from_the_method() {
        assert_eq!(signed_for("s3", "GET", "/bucket/uploads/a?x-id=GetObject", "").unwrap(), "S3.GetObject");
        assert_eq!(signed_for("s3", "PUT", "/bucket/sales/2026-11-22.csv", "day").unwrap(), "S3.PutObject");
    }

    #[test]
    fn has_no_operation_for_requests_that_no_function_makes() {
        assert_eq!(targeted("AWSLambda.Invoke"), None);
        assert_eq!(signed_for("s3", "GET", "/bucket/", ""), None);
        assert_eq!(signed_for("lambda", "POST", "/2015-03-31/functions/x/invocations", ""), None);
        let presigned = "/bucket/uploads/a?X-Amz-Credential=ASIA%2F20261101%2Feu-west-1%2Fs3%2Faws4_request";
        assert_eq!(operation(Request::put(presigned), "picture"), None);
    }
}
