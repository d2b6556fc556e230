//! Deploying the stack and reading its outputs, through the SAM CLI.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::checkout::Checkout;
use crate::console::Progress;
use crate::endpoint::Endpoint;
use crate::process::{capture, each_line_logged};
use crate::tools::Tools;
use crate::trouble::Trouble;

/// The keys and region that an emulator is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// The region.
    pub region: String,
}

impl Account {
    /// An emulator's own administrator, wherever nothing else is said.
    #[must_use]
    pub fn emulator() -> Self {
        Self { access_key: "test".to_owned(), secret_key: "test".to_owned(), region: "us-east-1".to_owned() }
    }

    /// The caller's, for an endpoint of the caller's; what is not set is as in [`Account::emulator`].
    #[must_use]
    pub fn from_environment() -> Self {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let standard = Self::emulator();
        Self {
            access_key: read("AWS_ACCESS_KEY_ID").unwrap_or(standard.access_key),
            secret_key: read("AWS_SECRET_ACCESS_KEY").unwrap_or(standard.secret_key),
            region: read("AWS_REGION").or_else(|| read("AWS_DEFAULT_REGION")).unwrap_or(standard.region),
        }
    }
}

/// An emulator, and as whom to call it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Who calls.
    pub account: Account,
}

impl Target {
    /// MiniStack as started by these scripts.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { endpoint: Endpoint::local(port), account: Account::emulator() }
    }

    /// The caller's `AWS_ENDPOINT_URL`, when set.
    ///
    /// # Errors
    /// When it is not a plain HTTP address.
    pub fn from_environment() -> Result<Option<Self>, Trouble> {
        Ok(Endpoint::from_environment()?.map(|endpoint| Self { endpoint, account: Account::from_environment() }))
    }

    /// Points a command's AWS client here, and away from the profiles in the user's home.
    pub fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_ENDPOINT_URL", self.endpoint.url())
            .env("AWS_ACCESS_KEY_ID", &self.account.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.account.secret_key)
            .env("AWS_DEFAULT_REGION", &self.account.region)
            .env("AWS_REGION", &self.account.region)
    }
}

/// The architecture of this machine in the words of the template's parameter `Architecture`.
#[must_use]
pub fn host_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// `sam deploy` of a staged template for one environment of samconfig.toml.
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

/// Deploys to an emulator, keeping what the SAM CLI says in `log`.
///
/// # Errors
/// When the deployment fails; the error quotes the log.
pub fn deploy_quietly(sam: &mut Command, target: &Target, stack: &str, log: &Path) -> Result<(), Trouble> {
    let mut progress = Progress::new(stack);
    let mut resources = 0;
    target.apply(sam).args(["--stack-name", stack]);
    each_line_logged(sam, log, |line| {
        if line.starts_with("CREATE_COMPLETE") || line.starts_with("UPDATE_COMPLETE") {
            resources += 1;
            progress.report(&format!("{resources} resources in place"));
        } else if line.contains("Uploading to") {
            progress.report("uploading code");
        }
    })
}

/// The stack's outputs, with `ApiUrl` as it can be called on this emulator.
///
/// # Errors
/// When there is no such stack, or the SAM CLI fails.
pub fn outputs(tools: &Tools, target: &Target, stack: &str) -> Result<Map<String, Value>, Trouble> {
    let mut sam = tools.command("sam");
    sam.args(["list", "stack-outputs", "--output", "json", "--stack-name", stack]);
    parse_outputs(&capture(target.apply(&mut sam))?, &target.endpoint)
}

fn parse_outputs(json: &str, endpoint: &Endpoint) -> Result<Map<String, Value>, Trouble> {
    let list: Vec<Value> = serde_json::from_str(json)
        .map_err(|error| Trouble::Unexpected { program: "sam list stack-outputs".to_owned(), reason: error.to_string() })?;
    let mut outputs = Map::new();
    for output in list {
        if let (Some(key), Some(value)) = (output["OutputKey"].as_str(), output["OutputValue"].as_str()) {
            let here = (key == "ApiUrl").then(|| endpoint.api_url(value)).flatten();
            outputs.insert(key.to_owned(), here.unwrap_or_else(|| value.to_owned()).into());
        }
    }
    Ok(outputs)
}

/// An output that the template promises.
///
/// # Errors
/// When the stack does not have it.
pub fn output<'a>(outputs: &'a Map<String, Value>, name: &str) -> Result<&'a str, Trouble> {
    outputs.get(name).and_then(Value::as_str).ok_or_else(|| Trouble::Unexpected {
        program: "template.yaml".to_owned(),
        reason: format!("the stack has no output {name}"),
    })
}

/// Where the log of a run's deployments goes.
#[must_use]
pub fn deploy_log(run_folder: &Path) -> PathBuf {
    run_folder.join("deploy.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_flat_and_the_api_is_callable() {
        let listed = r#"[
            {"OutputKey": "ApiUrl", "OutputValue": "https://abc.execute-api.us-east-1.amazonaws.com/v1", "Description": "x"},
            {"OutputKey": "StageName", "OutputValue": "v1"}]"#;
        let outputs = parse_outputs(listed, &Endpoint::local(4570)).unwrap();
        assert_eq!(
            Value::Object(outputs),
            serde_json::json!({"ApiUrl": "http://127.0.0.1:4570/_aws/execute-api/abc/v1", "StageName": "v1"})
        );
    }
}
