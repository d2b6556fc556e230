//! The AWS client and the services that it supports.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::endpoint::{Credentials, Endpoint, Target, http_client};
use crate::error::AwsError;
use crate::partition::dns_suffix;
use crate::signer::Signer;

/// Maximum size of a response body, large enough for all messages of a test run.
const MAX_RESPONSE_BYTES: u64 = 256 << 20;

/// The header with the hash of the body, which Amazon S3 requires in signed requests.
const BODY_HASH: &str = "x-amz-content-sha256";

/// A client for AWS or for an emulator.
#[derive(Debug, Clone)]
pub struct AwsClient {
    /// Endpoint of the emulator; `None` for AWS.
    endpoint: Option<Endpoint>,
    credentials: Credentials,
    agent: ureq::Agent,
}

/// A service with the AWS JSON protocol (Smithy, "AWS JSON 1.0 protocol" and "AWS JSON 1.1 protocol").
#[derive(Debug, Clone, Copy)]
pub struct JsonService {
    /// First part of the service's host name on AWS.
    pub host: &'static str,
    /// Service name that requests are signed for.
    pub signing_name: &'static str,
    /// Prefix of the operation name in the `X-Amz-Target` header.
    pub target: &'static str,
    /// Protocol version: `1.0` or `1.1`.
    pub version: &'static str,
}

/// Amazon DynamoDB.
pub const DYNAMODB: JsonService =
    JsonService { host: "dynamodb", signing_name: "dynamodb", target: "DynamoDB_20120810", version: "1.0" };
/// Amazon DynamoDB Streams.
pub const DYNAMODB_STREAMS: JsonService =
    JsonService { host: "streams.dynamodb", signing_name: "dynamodb", target: "DynamoDBStreams_20120810", version: "1.0" };
/// Amazon EventBridge.
pub const EVENTBRIDGE: JsonService =
    JsonService { host: "events", signing_name: "events", target: "AWSEvents", version: "1.1" };
/// Amazon SQS.
pub const SQS: JsonService = JsonService { host: "sqs", signing_name: "sqs", target: "AmazonSQS", version: "1.0" };
/// AWS Systems Manager.
pub const SSM: JsonService = JsonService { host: "ssm", signing_name: "ssm", target: "AmazonSSM", version: "1.1" };

/// A service with the AWS Query protocol.
#[derive(Debug, Clone, Copy)]
pub struct QueryService {
    /// First part of the service's host name on AWS, which is also its signing name.
    pub name: &'static str,
    /// API version, such as `2010-05-15`.
    pub version: &'static str,
}

/// AWS CloudFormation.
pub const CLOUDFORMATION: QueryService = QueryService { name: "cloudformation", version: "2010-05-15" };
/// Amazon CloudWatch.
pub const CLOUDWATCH: QueryService = QueryService { name: "monitoring", version: "2010-08-01" };
/// AWS Security Token Service.
pub const STS: QueryService = QueryService { name: "sts", version: "2011-06-15" };
/// AWS IAM of an emulator. It does not work on AWS, where IAM has a single global endpoint.
pub const IAM: QueryService = QueryService { name: "iam", version: "2010-05-08" };

/// What HeadBucket says about the name of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketName {
    /// There is no bucket with this name.
    Free,
    /// The bucket exists in the region of the client, and the caller may list it.
    Accessible,
    /// The bucket belongs to another account or another region, or the caller may not list it.
    Inaccessible,
}

/// The response to an Invoke call of AWS Lambda.
#[derive(Debug)]
pub struct InvokeResponse {
    /// Whether the function returned an error, which is then the payload.
    pub failed: bool,
    /// Response of the function; empty for an asynchronous invocation.
    pub payload: String,
}

impl AwsClient {
    /// Creates a client for an emulator.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { endpoint: Some(target.endpoint), credentials: target.credentials, agent: http_client() }
    }

    /// Creates a client for AWS, with the credentials and the region in the environment.
    ///
    /// # Errors
    /// Returns an error if the access key or the region is not set.
    #[cfg(feature = "tls")]
    pub fn from_environment() -> Result<Self, crate::endpoint::EndpointError> {
        Ok(Self::for_aws(Credentials::for_aws()?))
    }

    /// Creates a client for AWS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn for_aws(credentials: Credentials) -> Self {
        // Unlike the client for emulators, this one uses the caller's proxy. The timeout is longer than any invocation. The
        // signature of a request is not valid for the target of a redirect, which S3 sends for buckets in other regions.
        let timeout = Some(std::time::Duration::from_secs(120));
        let config = ureq::Agent::config_builder().timeout_global(timeout).http_status_as_error(false).max_redirects(0);
        Self { endpoint: None, credentials, agent: config.build().into() }
    }

    /// Calls an operation of a service with the AWS JSON protocol.
    ///
    /// # Errors
    /// Returns an error if the service does not respond or returns an error response.
    pub fn json(&self, service: JsonService, operation: &str, body: &Value) -> Result<Value, AwsError> {
        let request = Request::post(format!("{}/", self.url(service.host)))
            .header("content-type", format!("application/x-amz-json-{}", service.version))
            .header("x-amz-target", format!("{}.{operation}", service.target));
        parse(operation, &self.send(request, body.to_string().into(), service.signing_name, operation)?.payload)
    }

    /// Calls an operation of a service with the AWS Query protocol, and returns the XML of the response.
    ///
    /// # Errors
    /// Returns an error if the service does not respond or returns an error response.
    pub fn query(&self, service: QueryService, operation: &str, parameters: &[(&str, &str)]) -> Result<String, AwsError> {
        let request = Request::post(format!("{}/", self.url(service.name)))
            .header("content-type", "application/x-www-form-urlencoded");
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut form = format!("Action={operation}&Version={}", service.version);
        for (name, value) in parameters {
            form.push_str(&format!("&{name}={}", encode(value)));
        }
        Ok(self.send(request, form.into(), service.name, operation)?.payload)
    }

    /// Calls a service with the AWS restJson1 protocol. `service` is the first part of its host name: `lambda`,
    /// `apigateway` or `email`.
    ///
    /// # Errors
    /// Returns an error if the service does not respond or returns an error response.
    pub fn rest_json(&self, service: &str, method: Method, path: &str, body: Option<&Value>) -> Result<Value, AwsError> {
        // Amazon SES is the only one whose signing name is not its host name.
        let signing_name = if service == "email" { "ses" } else { service };
        let operation = format!("{method} {path}");
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url(service)));
        let (request, body) = match body {
            Some(body) => (request.header("content-type", "application/json"), body.to_string()),
            None => (request, String::new()),
        };
        parse(&operation, &self.send(request, body.into(), signing_name, &operation)?.payload)
    }

    /// Invokes a function (AWS Lambda, Invoke): synchronously if `wait` is set, and asynchronously otherwise.
    ///
    /// # Errors
    /// Returns an error if Lambda does not respond or returns an error response. An error of the function itself is
    /// reported in [`InvokeResponse::failed`].
    pub fn invoke(&self, function: &str, event: &Value, wait: bool) -> Result<InvokeResponse, AwsError> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url("lambda"));
        let request = Request::post(url)
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", if wait { "RequestResponse" } else { "Event" });
        self.send(request, event.to_string().into(), "lambda", &format!("invoking {function}"))
    }

    /// Sets the timeout of a function in seconds (AWS Lambda, UpdateFunctionConfiguration).
    ///
    /// This stops the function's running execution environments, even if the timeout does not change.
    ///
    /// # Errors
    /// Returns an error if Lambda does not respond or returns an error response.
    pub fn set_timeout(&self, function: &str, seconds: u64) -> Result<(), AwsError> {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        self.rest_json("lambda", Method::PUT, &path, Some(&json!({ "Timeout": seconds }))).map(drop)
    }

    /// Replaces the code of a function with a zip archive (AWS Lambda, UpdateFunctionCode). The update continues after the
    /// response.
    ///
    /// # Errors
    /// Returns an error if Lambda does not respond or returns an error response.
    pub fn update_function_code(&self, function: &str, archive: &[u8]) -> Result<(), AwsError> {
        let path = format!("/2015-03-31/functions/{function}/code");
        self.rest_json("lambda", Method::PUT, &path, Some(&json!({ "ZipFile": STANDARD.encode(archive) }))).map(drop)
    }

    /// Whether a function runs the code in `archive`, and no update is in progress (AWS Lambda, GetFunctionConfiguration).
    ///
    /// # Errors
    /// Returns an error if Lambda does not respond, returns an error response, or could not start the code.
    pub fn runs_code(&self, function: &str, archive: &[u8]) -> Result<bool, AwsError> {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        let configuration = self.rest_json("lambda", Method::GET, &path, None)?;
        if configuration["LastUpdateStatus"] == "Failed" {
            let reason = configuration["LastUpdateStatusReason"].as_str().unwrap_or("no reason given").to_owned();
            return Err(AwsError::Unexpected { operation: format!("UpdateFunctionCode of {function}"), reason });
        }
        let is_finished = configuration["LastUpdateStatus"] == "Successful" || configuration["LastUpdateStatus"].is_null();
        Ok(is_finished && configuration["CodeSha256"] == Self::code_hash(archive))
    }

    /// The `CodeSha256` of a function with this archive: its SHA-256 hash in base64.
    #[must_use]
    pub fn code_hash(archive: &[u8]) -> String {
        STANDARD.encode(Sha256::digest(archive))
    }

    /// Creates a bucket of an emulator (Amazon S3, CreateBucket). On AWS, the request would need the region in its body.
    ///
    /// # Errors
    /// Returns an error if S3 does not respond or returns an error response. Creating an existing bucket of one's own is
    /// not an error in `us-east-1`.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), AwsError> {
        let request = Request::put(format!("{}/{bucket}", self.url("s3")));
        self.send(request.header(BODY_HASH, body_hash(&[])), Vec::new(), "s3", "CreateBucket").map(drop)
    }

    /// Looks up the name of a bucket (Amazon S3, HeadBucket).
    ///
    /// # Errors
    /// Returns an error if S3 does not respond, or returns another error than those that [`BucketName`] describes.
    pub fn bucket_name(&self, bucket: &str) -> Result<BucketName, AwsError> {
        let request = Request::head(format!("{}/{bucket}", self.url("s3"))).header(BODY_HASH, body_hash(&[]));
        match self.send(request, Vec::new(), "s3", "HeadBucket") {
            Ok(_) => Ok(BucketName::Accessible),
            Err(AwsError::Rejected { status: 404, .. }) => Ok(BucketName::Free),
            Err(AwsError::Rejected { status: 301 | 403, .. }) => Ok(BucketName::Inaccessible),
            Err(error) => Err(error),
        }
    }

    /// Stores an object with a path-style request (Amazon S3, PutObject), and returns its URL. `key` contains only
    /// characters that need no escaping in a URL.
    ///
    /// # Errors
    /// Returns an error if S3 does not respond or returns an error response.
    pub fn put_object(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<String, AwsError> {
        let url = format!("{}/{bucket}/{key}", self.url("s3"));
        self.send(Request::put(&url).header(BODY_HASH, body_hash(&body)), body, "s3", "PutObject")?;
        Ok(url)
    }

    /// Creates or overwrites an SSM parameter of type `String` (AWS Systems Manager, PutParameter).
    ///
    /// # Errors
    /// Returns an error if Systems Manager does not respond or returns an error response.
    pub fn put_parameter(&self, name: &str, value: &str) -> Result<(), AwsError> {
        let body = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
        self.json(SSM, "PutParameter", &body).map(drop)
    }

    /// Sends an unsigned GET request to an endpoint that emulators have in addition to the AWS API. Returns `None` if the
    /// response has an error status, which means that the emulator does not have this endpoint.
    ///
    /// # Errors
    /// Returns an error if there is no response, or if it is not valid JSON.
    pub(crate) fn get_unsigned(&self, path: &str) -> Result<Option<Value>, AwsError> {
        let url = format!("{}{path}", self.url("emulator"));
        let no_response = |error: ureq::Error| AwsError::NoResponse { url: url.clone(), reason: error.to_string() };
        let mut response = self.agent.get(&url).call().map_err(no_response)?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let text = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES).read_to_string().map_err(no_response)?;
        parse(path, &text).map(Some)
    }

    fn url(&self, host: &str) -> String {
        let region = &self.credentials.region;
        match &self.endpoint {
            Some(endpoint) => endpoint.url().to_owned(),
            None => format!("https://{host}.{region}.{}", dns_suffix(region)),
        }
    }

    fn send(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
        service: &str,
        operation: &str,
    ) -> Result<InvokeResponse, AwsError> {
        let invalid = |error: http::Error| AwsError::Request { operation: operation.to_owned(), reason: error.to_string() };
        let (head, ()) = request.body(()).map_err(invalid)?.into_parts();
        let signer = Signer {
            access_key: &self.credentials.access_key,
            secret_key: &self.credentials.secret_key,
            token: self.credentials.session_token.as_deref(),
            region: &self.credentials.region,
            service,
        };
        let head = signer.sign(head, &body, SystemTime::now())?;
        let url = head.uri.to_string();
        let no_response = |error: ureq::Error| AwsError::NoResponse { url: url.clone(), reason: error.to_string() };
        let mut response = self.agent.run(Request::from_parts(head, body)).map_err(no_response)?;
        let status = response.status();
        let failed = response.headers().contains_key("x-amz-function-error");
        let payload = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES).read_to_string().map_err(no_response)?;
        if status.is_success() {
            return Ok(InvokeResponse { failed, payload });
        }
        Err(AwsError::Rejected { operation: operation.to_owned(), status: status.as_u16(), body: payload })
    }
}

fn body_hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(operation: &str, response: &str) -> Result<Value, AwsError> {
    // Operations without a result, such as DeleteMessage, may return an empty body.
    if response.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(response)
        .map_err(|error| AwsError::Unexpected { operation: operation.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_the_endpoint_of_the_partition_of_the_region() {
        for (region, url) in [
            ("eu-west-1", "https://streams.dynamodb.eu-west-1.amazonaws.com"),
            ("us-gov-west-1", "https://streams.dynamodb.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://streams.dynamodb.cn-north-1.amazonaws.com.cn"),
        ] {
            let credentials = Credentials { region: region.to_owned(), ..Credentials::emulator() };
            let client = AwsClient { endpoint: None, credentials, agent: http_client() };
            assert_eq!(client.url(DYNAMODB_STREAMS.host), url);
        }
    }
}
