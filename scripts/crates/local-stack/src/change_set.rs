//! Deploys a packaged template to an emulator with a CloudFormation change set.
//!
//! `./scripts/dev` uses it for every edit of the template. `sam deploy` does the same, but packages all code again and
//! takes more than 15 seconds longer. `./scripts/test` and `./scripts/deploy` use the SAM CLI.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use ferrite_aws_client::client::{AwsClient, CLOUDFORMATION};
use ferrite_aws_client::endpoint::{Endpoint, Target};
use ferrite_aws_client::error::AwsError;
use serde_json::{Map, Value};

use crate::process::{Interrupted, check_interrupted};

/// The interval between two requests for a status.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The maximum duration of one operation of CloudFormation on an emulator.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How long a new change set waits for an operation that an earlier program has started.
const INTERRUPTED_TIMEOUT: Duration = Duration::from_secs(60);

/// Error returned when a change set cannot be created or executed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSetError {
    /// CloudFormation rejected the template, or rolled the change back.
    #[error("{operation} of the stack {stack} failed: {reason}")]
    Failed {
        /// What CloudFormation did.
        operation: &'static str,
        /// Name of the stack.
        stack: String,
        /// The reasons of CloudFormation.
        reason: String,
    },
    /// The operation did not end in time.
    #[error("{operation} of the stack {stack} did not end within 5 minutes; the emulator's log may have the reason")]
    TimedOut {
        /// What CloudFormation did.
        operation: &'static str,
        /// Name of the stack.
        stack: String,
    },
    /// An operation that an earlier program has started still runs.
    #[error("an interrupted update of the stack {stack} did not end; run ./scripts/dev --reset")]
    StillRunning {
        /// Name of the stack.
        stack: String,
    },
    /// The response of CloudFormation is not XML.
    #[error("unexpected response of CloudFormation")]
    Xml(#[from] roxmltree::Error),
    /// CloudFormation did not respond, or rejected the request.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// This program has received a signal to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A change set that has been created, but not executed. The stack is unchanged so far.
pub struct ChangeSet {
    stack: String,
    name: String,
    /// Whether the template and the parameters differ from those of the stack.
    has_changes: bool,
}

impl ChangeSet {
    /// Creates a change set for the template at `template_url`, and waits until it can be executed. Creates the stack if
    /// it does not exist.
    ///
    /// # Errors
    /// Returns an error if CloudFormation rejects the template.
    pub fn create(
        aws: &AwsClient,
        stack: &str,
        template_url: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, ChangeSetError> {
        let exists = is_updatable(aws, stack, INTERRUPTED_TIMEOUT)?;
        // Milliseconds since the Unix epoch make the names unique.
        let name = format!("dev-{}", SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_millis()));
        let mut request = vec![
            ("StackName".to_owned(), stack.to_owned()),
            ("ChangeSetName".to_owned(), name.clone()),
            ("ChangeSetType".to_owned(), if exists { "UPDATE" } else { "CREATE" }.to_owned()),
            ("TemplateURL".to_owned(), template_url.to_owned()),
            ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
            ("Capabilities.member.2".to_owned(), "CAPABILITY_AUTO_EXPAND".to_owned()),
        ];
        for (index, (key, value)) in parameters.iter().enumerate() {
            let prefix = format!("Parameters.member.{}", index + 1);
            request.push((format!("{prefix}.ParameterKey"), key.clone()));
            request.push((format!("{prefix}.ParameterValue"), value.clone()));
        }
        call(aws, "CreateChangeSet", &request)?;
        let change_set = Self { stack: stack.to_owned(), name, has_changes: true };
        change_set.wait_until_created(aws)
    }

    fn wait_until_created(mut self, aws: &AwsClient) -> Result<Self, ChangeSetError> {
        let request = [("StackName", self.stack.as_str()), ("ChangeSetName", self.name.as_str())];
        let operation = "the change set";
        wait_until_ended(operation, &self.stack, || {
            let response = aws.query(CLOUDFORMATION, "DescribeChangeSet", &request)?;
            let document = roxmltree::Document::parse(&response)?;
            let status = text(&document, "Status").unwrap_or_default();
            let reason = text(&document, "StatusReason").unwrap_or_default();
            match status {
                "CREATE_COMPLETE" => Ok(Some(true)),
                // "The submitted information didn't contain changes", and "No updates are to be performed".
                "FAILED" if reason.contains("didn't contain changes") || reason.contains("No updates") => Ok(Some(false)),
                "FAILED" => Err(failed(operation, &self.stack, reason)),
                _ => Ok(None),
            }
        })
        .map(|has_changes| {
            self.has_changes = has_changes;
            self
        })
    }

    /// Deletes the change set. The stack stays as it is.
    ///
    /// # Errors
    /// Returns an error if CloudFormation does not respond.
    pub fn delete(self, aws: &AwsClient) -> Result<(), ChangeSetError> {
        let request = [("StackName", self.stack.as_str()), ("ChangeSetName", self.name.as_str())];
        Ok(aws.query(CLOUDFORMATION, "DeleteChangeSet", &request).map(drop)?)
    }

    /// Executes the change set, and waits until the stack is updated.
    ///
    /// # Errors
    /// Returns an error if CloudFormation rolls the change back. The message contains its reasons.
    pub fn execute(self, aws: &AwsClient) -> Result<(), ChangeSetError> {
        if !self.has_changes {
            return Ok(());
        }
        let request = [("StackName", self.stack.as_str()), ("ChangeSetName", self.name.as_str())];
        aws.query(CLOUDFORMATION, "ExecuteChangeSet", &request)?;
        let operation = "the deployment";
        let status = wait_until_ended(operation, &self.stack, || {
            let status = stack_status(aws, &self.stack)?.unwrap_or_default();
            Ok((!is_running(&status)).then_some(status))
        })?;
        match status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => Ok(()),
            status => {
                let reasons = failure_reasons(aws, &self.stack)?;
                Err(failed(operation, &self.stack, &format!("{status}\n{reasons}")))
            }
        }
    }
}

/// Returns the outputs of a stack, with the API's URL at the emulator as `ApiUrl`. Returns `None` if there is no such stack.
///
/// # Errors
/// Returns an error if CloudFormation does not respond.
pub fn stack_outputs(target: &Target, stack: &str) -> Result<Option<Map<String, Value>>, ChangeSetError> {
    let response = describe_stack(&AwsClient::new(target.clone()), stack)?;
    Ok(response.map(|response| outputs_in(&response, &target.endpoint)).transpose()?)
}

fn outputs_in(response: &str, endpoint: &Endpoint) -> Result<Map<String, Value>, roxmltree::Error> {
    let document = roxmltree::Document::parse(response)?;
    let mut outputs = Map::new();
    for output in document.descendants().filter(|node| node.tag_name().name() == "member") {
        let field = |name: &str| output.children().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
        let (Some(key), Some(value)) = (field("OutputKey"), field("OutputValue")) else { continue };
        let emulator_url = (key == "ApiUrl").then(|| endpoint.api_url(value)).flatten();
        outputs.insert(key.to_owned(), emulator_url.unwrap_or_else(|| value.to_owned()).into());
    }
    Ok(outputs)
}

/// Returns the status of a stack, on an emulator or on AWS. Returns `None` if there is no such stack.
///
/// # Errors
/// Returns an error if CloudFormation does not respond, or rejects the request.
pub fn stack_status(aws: &AwsClient, stack: &str) -> Result<Option<String>, ChangeSetError> {
    let Some(response) = describe_stack(aws, stack)? else { return Ok(None) };
    let document = roxmltree::Document::parse(&response)?;
    Ok(text(&document, "StackStatus").map(str::to_owned))
}

/// Whether the stack cannot be changed because an operation runs.
fn is_running(status: &str) -> bool {
    status.ends_with("_IN_PROGRESS") && !matches!(status, "REVIEW_IN_PROGRESS" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
}

/// Whether the stack can be updated; otherwise, it can be created. Deletes what a failed creation has left behind. Waits up to
/// `timeout` for an operation that an earlier program has started.
fn is_updatable(aws: &AwsClient, stack: &str, timeout: Duration) -> Result<bool, ChangeSetError> {
    match idle_status(aws, stack, timeout)?.as_deref() {
        Some("ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "CREATE_IN_PROGRESS") => {
            delete(aws, stack)?;
            Ok(false)
        }
        Some("REVIEW_IN_PROGRESS") | None => Ok(false),
        Some(status) if is_running(status) => Err(ChangeSetError::StillRunning { stack: stack.to_owned() }),
        Some(_) => Ok(true),
    }
}

/// Waits until no operation runs, and returns the status of the stack. After `timeout`, the operation may still run.
fn idle_status(aws: &AwsClient, stack: &str, timeout: Duration) -> Result<Option<String>, ChangeSetError> {
    let deadline = Instant::now() + timeout;
    loop {
        let status = stack_status(aws, stack)?;
        if !status.as_deref().is_some_and(is_running) || Instant::now() >= deadline {
            return Ok(status);
        }
        check_interrupted()?;
        sleep(POLL_INTERVAL);
    }
}

fn describe_stack(aws: &AwsClient, stack: &str) -> Result<Option<String>, ChangeSetError> {
    match aws.query(CLOUDFORMATION, "DescribeStacks", &[("StackName", stack)]) {
        Ok(response) => Ok(Some(response)),
        // CloudFormation returns a ValidationError with status 400 for an unknown stack.
        Err(AwsError::Rejected { status: 400 | 404, body, .. }) if body.contains("does not exist") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn delete(aws: &AwsClient, stack: &str) -> Result<(), ChangeSetError> {
    aws.query(CLOUDFORMATION, "DeleteStack", &[("StackName", stack)])?;
    wait_until_ended("the deletion", stack, || {
        let status = stack_status(aws, stack)?;
        Ok(status.is_none_or(|status| status == "DELETE_COMPLETE").then_some(()))
    })
}

/// The reasons of the resources that failed in the last operation, one a line.
fn failure_reasons(aws: &AwsClient, stack: &str) -> Result<String, ChangeSetError> {
    let events = aws.query(CLOUDFORMATION, "DescribeStackEvents", &[("StackName", stack)])?;
    Ok(reasons_in(&events, stack)?.join("\n"))
}

/// Reads the reasons from the events, of which the newest is the first.
fn reasons_in(events: &str, stack: &str) -> Result<Vec<String>, roxmltree::Error> {
    let document = roxmltree::Document::parse(events)?;
    let mut reasons = Vec::new();
    for event in document.descendants().filter(|node| node.tag_name().name() == "member") {
        let field = |name: &str| event.children().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
        let (Some(resource), Some(status)) = (field("LogicalResourceId"), field("ResourceStatus")) else { continue };
        if resource == stack && matches!(status, "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS") {
            break;
        }
        // Resources that were canceled because of another failure have no information of their own.
        if let Some(reason) = field("ResourceStatusReason").filter(|reason| !reason.contains("cancelled"))
            && status.ends_with("_FAILED")
        {
            reasons.push(format!("  {resource}: {reason}"));
        }
    }
    reasons.reverse();
    Ok(reasons)
}

fn wait_until_ended<T>(
    operation: &'static str,
    stack: &str,
    mut result: impl FnMut() -> Result<Option<T>, ChangeSetError>,
) -> Result<T, ChangeSetError> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        check_interrupted()?;
        if let Some(result) = result()? {
            return Ok(result);
        }
        if Instant::now() > deadline {
            return Err(ChangeSetError::TimedOut { operation, stack: stack.to_owned() });
        }
        sleep(POLL_INTERVAL);
    }
}

fn failed(operation: &'static str, stack: &str, reason: &str) -> ChangeSetError {
    ChangeSetError::Failed { operation, stack: stack.to_owned(), reason: reason.to_owned() }
}

fn call(aws: &AwsClient, operation: &str, request: &[(String, String)]) -> Result<String, AwsError> {
    let request: Vec<_> = request.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    aws.query(CLOUDFORMATION, operation, &request)
}

/// The text of the first element with this name. Emulators do not always use the namespace, so it is ignored.
fn text<'a>(document: &'a roxmltree::Document<'_>, name: &str) -> Option<&'a str> {
    document.descendants().find(|node| node.tag_name().name() == name)?.text()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Responds to each request with the next of these statuses of the stack, and then with the last one.
    fn cloudformation(statuses: &'static [&str]) -> AwsClient {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut statuses = statuses.iter().peekable();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                while !String::from_utf8_lossy(&request).contains("StackName=") {
                    let mut buffer = [0; 4096];
                    let size = stream.read(&mut buffer).unwrap();
                    request.extend_from_slice(&buffer[..size]);
                }
                let status = *statuses.peek().unwrap();
                if statuses.len() > 1 {
                    statuses.next();
                }
                let body = format!("<Stacks><member><StackStatus>{status}</StackStatus></member></Stacks>");
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        AwsClient::new(Target::local(port))
    }

    #[test]
    fn waits_until_an_interrupted_operation_has_ended() {
        let is_updatable = |statuses, timeout| is_updatable(&cloudformation(statuses), "app", timeout);
        let minute = Duration::from_secs(60);
        assert!(is_updatable(&["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], minute).unwrap());
        assert!(is_updatable(&["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"], minute).unwrap());
        assert!(!is_updatable(&["REVIEW_IN_PROGRESS"], minute).unwrap());
        let error = is_updatable(&["UPDATE_IN_PROGRESS"], Duration::ZERO).unwrap_err();
        assert!(matches!(error, ChangeSetError::StillRunning { .. }), "{error}");
    }

    #[test]
    fn deletes_a_stack_whose_creation_was_interrupted() {
        // The second status is the response to DeleteStack.
        let aws = cloudformation(&["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]);
        assert!(!is_updatable(&aws, "app", Duration::ZERO).unwrap());
    }

    #[test]
    fn returns_outputs_by_name_with_the_emulators_api_url() {
        let response = "<DescribeStacksResponse><Stacks><member><StackName>app</StackName><Outputs>
            <member><OutputKey>ApiUrl</OutputKey>
              <OutputValue>https://abc.execute-api.us-east-1.amazonaws.com/v1</OutputValue></member>
            <member><OutputKey>StageName</OutputKey><OutputValue>v1</OutputValue></member>
            </Outputs></member></Stacks></DescribeStacksResponse>";
        let outputs = outputs_in(response, &Endpoint::local(4570)).unwrap();
        assert_eq!(
            Value::Object(outputs),
            serde_json::json!({"ApiUrl": "http://127.0.0.1:4570/_aws/execute-api/abc/v1", "StageName": "v1"})
        );
    }

    #[test]
    fn returns_the_reasons_of_the_last_operation_in_order() {
        let event = |resource: &str, status: &str, reason: &str| {
            format!(
                "<member><LogicalResourceId>{resource}</LogicalResourceId><ResourceStatus>{status}</ResourceStatus>\
                 <ResourceStatusReason>{reason}</ResourceStatusReason></member>"
            )
        };
        let events = [
            event("app", "UPDATE_ROLLBACK_IN_PROGRESS", "failed"),
            event("Third", "UPDATE_FAILED", "Resource update cancelled"),
            event("Second", "CREATE_FAILED", "no such role"),
            event("First", "UPDATE_FAILED", "invalid name"),
            event("app", "UPDATE_IN_PROGRESS", "User Initiated"),
            event("Earlier", "UPDATE_FAILED", "an earlier error"),
        ];
        let reasons = reasons_in(&format!("<events>{}</events>", events.concat()), "app").unwrap();
        assert_eq!(reasons, ["  First: invalid name", "  Second: no such role"]);
    }
}
