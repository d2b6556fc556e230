//! Deploying the stack and reading its outputs, through the SAM CLI.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ferrite_tests::issuer::Issuer;
use serde_json::{Map, Value};

use crate::aws::put_parameter;
use crate::checkout::Checkout;
use crate::console::Progress;
use crate::endpoint::{Endpoint, Target};
use crate::process::{capture, each_line_logged};
use crate::samconfig::Section;
use crate::stage::Stage;
use crate::tools::Tools;
use crate::trouble::Trouble;

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

/// What it takes to deploy to an emulator.
pub struct Deployment<'a> {
    /// The checkout.
    pub checkout: &'a Checkout,
    /// The SAM CLI.
    pub sam: &'a Tools,
    /// The emulator.
    pub target: &'a Target,
    /// The `local` section of samconfig.toml.
    pub config: &'a Section,
}

impl Deployment<'_> {
    /// Deploys what is staged as `stack`, with the local issuer's keys in their parameter, and returns the outputs. What
    /// the SAM CLI says is kept in the run's folder.
    ///
    /// # Errors
    /// When the deployment fails; the error quotes the log.
    pub fn deploy(&self, stage: &Stage, stack: &str, run_folder: &Path) -> Result<Map<String, Value>, Trouble> {
        let jwks = Issuer::open(&self.checkout.keys())?.jwks();
        let parameter = self.config.parameter("JwksParameter")?;
        put_parameter(&self.target.endpoint, &self.target.account, parameter, &jwks)?;
        let mut parameters = self.config.parameters.clone();
        parameters.insert("Architecture".to_owned(), host_architecture().to_owned());
        let mut sam = sam_deploy(self.checkout, self.sam, "local", &stage.template(), &parameters);
        self.target.apply(&mut sam).args(["--stack-name", stack]);
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

/// The stack's outputs at `target`, with `ApiUrl` as it can be called there; `None` is AWS itself.
///
/// # Errors
/// When there is no such stack, or the SAM CLI fails.
pub fn outputs(tools: &Tools, target: Option<&Target>, stack: &str) -> Result<Map<String, Value>, Trouble> {
    let mut sam = tools.command("sam");
    sam.args(["list", "stack-outputs", "--output", "json", "--stack-name", stack]);
    if let Some(target) = target {
        target.apply(&mut sam);
    }
    parse_outputs(&capture(&mut sam)?, target.map(|target| &target.endpoint))
}

fn parse_outputs(json: &str, endpoint: Option<&Endpoint>) -> Result<Map<String, Value>, Trouble> {
    let list: Vec<Value> = serde_json::from_str(json)
        .map_err(|error| Trouble::Unexpected { program: "sam list stack-outputs".to_owned(), reason: error.to_string() })?;
    let mut outputs = Map::new();
    for output in list {
        if let (Some(key), Some(value)) = (output["OutputKey"].as_str(), output["OutputValue"].as_str()) {
            let here = endpoint.filter(|_| key == "ApiUrl").and_then(|endpoint| endpoint.api_url(value));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_flat_and_the_api_is_callable() {
        let listed = r#"[
            {"OutputKey": "ApiUrl", "OutputValue": "https://abc.execute-api.us-east-1.amazonaws.com/v1", "Description": "x"},
            {"OutputKey": "StageName", "OutputValue": "v1"}]"#;
        let outputs = parse_outputs(listed, Some(&Endpoint::local(4570))).unwrap();
        assert_eq!(
            Value::Object(outputs),
            serde_json::json!({"ApiUrl": "http://127.0.0.1:4570/_aws/execute-api/abc/v1", "StageName": "v1"})
        );
    }
}
