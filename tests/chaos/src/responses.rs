//! Responses that the proxy returns in place of the emulator, in the protocol of each service.

use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::Bytes;
use serde_json::{Value, json};

use ferrite_aws_proxy::call::Service;

use crate::faults::Selection;

/// The message of every injected error. It identifies injected errors in the log of a function.
pub(crate) const MESSAGE: &str = "A fault injected by ferrite-chaos.";

/// Builds the response to a successful call.
pub(crate) fn ok(service: Service, body: Bytes) -> Response<Bytes> {
    respond(service, StatusCode::OK, body)
}

/// Builds the response to a call that was rejected with status 400.
pub(crate) fn rejected(service: Service, body: Bytes) -> Response<Bytes> {
    respond(service, StatusCode::BAD_REQUEST, body)
}

/// Builds the throttling error of a service ("Common Errors" and "Error handling" in each service's API reference).
pub(crate) fn throttled(service: Service) -> Response<Bytes> {
    let (status, code) = match service {
        Service::DynamoDb => (StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException"),
        Service::EventBridge | Service::Ssm => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        Service::S3 => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        Service::Ses => (StatusCode::BAD_REQUEST, "Throttling"),
        Service::Sqs => (StatusCode::BAD_REQUEST, "RequestThrottled"),
    };
    error(service, status, code)
}

/// Builds the internal error of a service, with status 500.
pub(crate) fn internal_error(service: Service) -> Response<Bytes> {
    let code = match service {
        Service::DynamoDb | Service::Ssm => "InternalServerError",
        Service::EventBridge => "InternalException",
        Service::S3 => "InternalError",
        Service::Ses | Service::Sqs => "InternalFailure",
    };
    error(service, StatusCode::INTERNAL_SERVER_ERROR, code)
}

/// Builds the DynamoDB error for a transaction whose items in `selection` conflict with another transaction
/// (`TransactionCanceledException`). `transaction` is the body of the call. `None` if it has no items.
pub(crate) fn conflict(transaction: &[u8], selection: Selection) -> Option<Response<Bytes>> {
    let transaction: Value = serde_json::from_slice(transaction).ok()?;
    let items = transaction["TransactItems"].as_array().filter(|items| !items.is_empty())?;
    let in_conflict = selection.among(items.len());
    let codes: Vec<_> =
        in_conflict.into_iter().map(|in_conflict| if in_conflict { "TransactionConflict" } else { "None" }).collect();
    let reasons: Vec<_> = codes.iter().map(|code| json!({ "Code": code })).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", ")
        ),
        "CancellationReasons": reasons,
    });
    Some(respond(Service::DynamoDb, StatusCode::BAD_REQUEST, body.to_string()))
}

fn error(service: Service, status: StatusCode, code: &str) -> Response<Bytes> {
    let json = |kind: &str| json!({ "__type": kind, "message": MESSAGE }).to_string();
    let body = match service {
        Service::DynamoDb => json(&format!("com.amazonaws.dynamodb.v20120810#{code}")),
        Service::Sqs => json(&format!("com.amazonaws.sqs#{code}")),
        Service::EventBridge | Service::Ssm => json(code),
        Service::S3 => {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{MESSAGE}</Message></Error>"
            )
        }
        Service::Ses => {
            let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
            format!(
                "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>{kind}</Type>\
                 <Code>{code}</Code><Message>{MESSAGE}</Message></Error></ErrorResponse>"
            )
        }
    };
    respond(service, status, body)
}

fn respond(service: Service, status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let content_type = match service {
        Service::DynamoDb | Service::Sqs => "application/x-amz-json-1.0",
        Service::EventBridge | Service::Ssm => "application/x-amz-json-1.1",
        Service::S3 => "application/xml",
        Service::Ses => "text/xml",
    };
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Fault, FaultKind, FaultPlan};
    use ferrite_aws_proxy::call::Operation;

    fn read(response: &Response<Bytes>) -> Value {
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn conflict_has_a_reason_for_each_item_in_order() {
        let operation = Operation::new(Service::DynamoDb, "TransactWriteItems");
        let plan = FaultPlan::new(1).rate(FaultKind::Conflict, 1.0);
        let Some(Fault::Conflict(selection)) = plan.fault(&operation, 0) else { panic!("no conflict") };
        let body = json!({ "TransactItems": vec![json!({ "Put": {} }); 20] }).to_string();
        let response = read(&conflict(body.as_bytes(), selection).unwrap());
        let reasons = response["CancellationReasons"].as_array().unwrap();
        let conflicts: Vec<_> = reasons.iter().map(|reason| reason["Code"] == "TransactionConflict").collect();
        assert_eq!(conflicts, selection.among(20));
        assert!(reasons.iter().any(|reason| *reason == json!({ "Code": "None" })), "{reasons:?}");
        assert!(conflict(b"{}", selection).is_none());
    }

    #[test]
    fn xml_protocols_get_complete_xml_errors() {
        let text = |response: Response<Bytes>| String::from_utf8(response.into_body().to_vec()).unwrap();
        let throttled = text(throttled(Service::S3));
        assert!(
            throttled.ends_with(&format!("<Error><Code>SlowDown</Code><Message>{MESSAGE}</Message></Error>")),
            "{throttled}"
        );
        let error = text(internal_error(Service::Ses));
        assert!(error.contains("<Error><Type>Receiver</Type><Code>InternalFailure</Code>"), "{error}");
        assert!(error.ends_with("</Error></ErrorResponse>"), "{error}");
    }
}
