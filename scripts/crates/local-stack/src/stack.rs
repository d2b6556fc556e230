//! Deploys the stack and reads its outputs with the SAM CLI.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_client::error::AwsError;
use serde_json::{Map, Value};

use crate::change_set::{ChangeSetError, stack_outputs};
use crate::checkout::Checkout;
use crate::console::Progress;
use crate::process::{ProcessError, capture, each_line_logged};
use crate::samconfig::{SamconfigError, Section};
use crate::staging::Staging;
use crate::target::apply_target;
use crate::tools::Tools;

/// Error returned when the stack cannot be deployed, or its outputs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The output of the SAM CLI is not valid JSON.
    #[error("cannot parse the output of sam list stack-outputs")]
    Outputs(#[from] serde_json::Error),
    /// The stack does not have a required output.
    #[error("the stack has no output {0}; check the Outputs section of template.yaml")]
    MissingOutput(String),
    /// There is no such stack.
    #[error("there is no stack {0}; deploy it first")]
    NoStack(String),
    /// The stack could not be read.
    #[error(transparent)]
    ChangeSet(#[from] ChangeSetError),
    /// A parameter is missing in samconfig.toml.
    #[error(transparent)]
    Samconfig(#[from] SamconfigError),
    /// The keys of the token issuer could not be stored in the SSM parameter.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The SAM CLI failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Returns the architecture of this machine as a value of the template's `Architecture` parameter: `arm64` or `x86_64`.
#[must_use]
pub fn host_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// Returns the `sam deploy` command that deploys a staged template to one environment of samconfig.toml.
#[must_use]
pub fn sam_deploy(
    checkout: &Checkout,
    tools: &Tools,
    environment: &str,
    template: &Path,
    parameters: &BTreeMap<String, String>,
) -> Command {
    let mut sam = tools.command("sam");
    sam.args(["deploy", "--config-env", environment, "--config-file"])
        .arg(checkout.path("samconfig.toml"))
        .arg("--template-file")
        .arg(template);
    if !parameters.is_empty() {
        sam.arg("--parameter-overrides");
        sam.args(parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")));
    }
    sam
}

/// Settings for a deployment to an emulator.
pub struct Deployment<'a> {
    /// The checkout.
    pub checkout: &'a Checkout,
    /// The tool set with the SAM CLI.
    pub sam: &'a Tools,
    /// Endpoint and credentials of the emulator.
    pub target: &'a Target,
    /// The `local` section of samconfig.toml.
    pub config: &'a Section,
    /// JWK Set of the token issuer that the stack trusts.
    pub jwks: &'a str,
}

impl Deployment<'_> {
    /// Stores the issuer's keys in their SSM parameter, deploys the staged template and code as `stack`, and returns the
    /// stack's outputs. The log of the SAM CLI is written to the run's folder.
    ///
    /// # Errors
    /// Returns an error if the deployment fails. The message quotes the log.
    pub fn deploy(&self, staging: &Staging, stack: &str, run_folder: &Path) -> Result<Map<String, Value>, StackError> {
        AwsClient::new(self.target.clone()).put_parameter(self.config.parameter("JwksParameter")?, self.jwks)?;
        let mut parameters = self.config.parameters.clone();
        parameters.insert("Architecture".to_owned(), host_architecture().to_owned());
        let mut sam = sam_deploy(self.checkout, self.sam, "local", &staging.template(), &parameters);
        apply_target(self.target, &mut sam).args(["--stack-name", stack]);
        let mut progress = Progress::new(stack);
        each_line_logged(&mut sam, &run_folder.join("deploy.log"), |line| {
            if line.starts_with("CREATE_COMPLETE") || line.starts_with("UPDATE_COMPLETE") {
                progress.report("creating resources");
            } else if line.contains("Uploading to") {
                progress.report("uploading code");
            }
        })?;
        outputs(self.sam, Some(self.target), stack)
    }
}

/// Returns the outputs of a stack at `target`, or on AWS if `target` is `None`.
///
/// For an emulator, `ApiUrl` is replaced with the URL at which the emulator serves the API.
///
/// # Errors
/// Returns an error if there is no such stack, or if the SAM CLI fails.
pub fn outputs(tools: &Tools, target: Option<&Target>, stack: &str) -> Result<Map<String, Value>, StackError> {
    match target {
        Some(target) => stack_outputs(target, stack)?.ok_or_else(|| StackError::NoStack(stack.to_owned())),
        // The SAM CLI finds credentials in every place that the AWS CLI supports.
        None => {
            let mut sam = tools.command("sam");
            sam.args(["list", "stack-outputs", "--output", "json", "--stack-name", stack]);
            parse_outputs(&capture(&mut sam)?)
        }
    }
}

fn parse_outputs(json: &str) -> Result<Map<String, Value>, StackError> {
    let list: Vec<Value> = serde_json::from_str(json)?;
    let named =
        list.iter().filter_map(|output| Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].clone())));
    Ok(named.collect())
}

/// Returns the value of a required output.
///
/// # Errors
/// Returns an error if the stack does not have the output.
pub fn output<'a>(outputs: &'a Map<String, Value>, name: &str) -> Result<&'a str, StackError> {
    outputs.get(name).and_then(Value::as_str).ok_or_else(|| StackError::MissingOutput(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_outputs_by_name() {
        let listed = r#"[
            {"OutputKey": "ApiUrl", "OutputValue": "https://abc.execute-api.us-east-1.amazonaws.com/v1", "Description": "x"},
            {"OutputKey": "StageName", "OutputValue": "v1"}]"#;
        let outputs = parse_outputs(listed).unwrap();
        assert_eq!(
            Value::Object(outputs),
            serde_json::json!({"ApiUrl": "https://abc.execute-api.us-east-1.amazonaws.com/v1", "StageName": "v1"})
        );
    }
}
