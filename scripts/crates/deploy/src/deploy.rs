//! The steps of a deployment.

use std::io::{self, IsTerminal as _};

use anyhow::{Context as _, bail};
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::{Credentials, Target};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::functions::functions;
use ferrite_local_stack::lambda_build::build_for_lambda;
use ferrite_local_stack::process::run_interactive;
use ferrite_local_stack::samconfig::{Section, Settings};
use ferrite_local_stack::stack::{host_architecture, sam_deploy};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::target::apply_target;
use ferrite_local_stack::template::Template;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, Tools, install};

use crate::aws_settings::AwsSettings;
use crate::costs::IdleCosts;
use crate::missing::{Defaults, check};
use crate::parameter::{Parameter, values};
use crate::preflight::{self, Deployment};
use crate::questions::{ask, missing_message};
use crate::stack_name::default_stack_name;
use crate::terminal::Console;

/// The environment of ./scripts/dev, whose token issuer is this machine.
const LOCAL: &str = "local";

/// Where a deployment goes.
struct Destination {
    /// The emulator; `None` for AWS.
    emulator: Option<Target>,
    aws: AwsClient,
    region: String,
}

/// Asks for missing settings, checks the account, builds the functions and deploys the stack.
///
/// # Errors
/// Returns an error if a setting is missing or not valid, if a check fails, or if a step fails.
pub(crate) fn deploy(checkout: &Checkout, environment: &str, architecture: Option<&str>) -> anyhow::Result<()> {
    let emulator = Target::from_environment()?;
    refuse_local(environment, emulator.is_some())?;
    let template = Template::read(&checkout.path("template.yaml"))?;
    let is_interactive = io::stdin().is_terminal();
    let configured = configured(checkout, environment, &template)?;
    if !is_interactive && let Some(message) = missing_message(environment, &template, &configured) {
        bail!(message);
    }
    if !is_interactive && configured.confirms_changes {
        bail!(
            "[{environment}.deploy.parameters] in samconfig.toml has confirm_changeset = true, so SAM would ask before it \
             applies the change; run the command in a terminal, or set confirm_changeset = false"
        );
    }
    let tools = install(checkout, &DEPLOY_TOOLS)?;
    let settings = complete(checkout, environment, &template, configured, emulator.as_ref(), &tools)?;
    let stack = settings.stack.as_deref().context("samconfig.toml has no stack_name")?;
    let mut parameters = settings.parameters.clone();
    let architecture = choose_architecture(architecture, emulator.is_some(), &settings).to_owned();
    parameters.insert("Environment".to_owned(), environment.to_owned());
    parameters.insert("Architecture".to_owned(), architecture.clone());
    let values = values(&template, &parameters);

    let destination = destination(emulator, &settings, &tools)?;
    report("▸ Checking the account and the settings");
    preflight::check(&Deployment {
        aws: &destination.aws,
        is_emulator: destination.emulator.is_some(),
        template: &template,
        parameters: &values,
        stack,
        region: &destination.region,
        architecture: &architecture,
    })?;
    if destination.emulator.is_none() {
        report(&format!("  {}", IdleCosts::of(&template, &values, checkout.root())?.summary()));
    }

    let staging = Staging::open(&checkout.run_folder(&format!("deploy-{environment}"))?)?;
    step(&format!("Building the functions for {architecture}"), || {
        staging.copy_template(checkout)?;
        build_for_lambda(checkout, &tools, &staging.functions_folder(), &architecture, &functions(checkout)?)?;
        anyhow::Ok(())
    })?;
    let mut sam = sam_deploy(checkout, &tools, environment, &staging.template(), &parameters);
    sam.args(["--region", &destination.region]);
    if let Some(target) = &destination.emulator {
        apply_target(target, &mut sam);
        report(&format!("  deploying to the emulator at {}, not to AWS", target.endpoint.url()));
    }
    if !settings.confirms_changes {
        sam.arg("--no-confirm-changeset");
    }
    Ok(step("Deploying", || run_interactive(&mut sam))?)
}

/// Only an emulator has the keys of the local token issuer, and some policies of a local stack would be unsafe on AWS.
fn refuse_local(environment: &str, has_emulator: bool) -> anyhow::Result<()> {
    if environment == LOCAL && !has_emulator {
        bail!(
            "the environment local is for emulators, not for AWS; run ./scripts/dev to run the stack on this machine, or \
             ./scripts/deploy staging to deploy it to AWS. (To deploy local to a running emulator, set AWS_ENDPOINT_URL.)"
        );
    }
    Ok(())
}

/// Reads the settings of an environment, and checks those that it has.
fn configured(checkout: &Checkout, environment: &str, template: &Template) -> anyhow::Result<Settings> {
    if let Some(parameter) = Parameter::find(template, "Environment")
        && let Err(reason) = parameter.check(environment)
    {
        bail!("there is no environment {environment:?}: {reason}");
    }
    let settings = Settings::read(checkout, environment)?.with_context(|| {
        format!("samconfig.toml has no section [{environment}.deploy.parameters]; copy the one of another environment")
    })?;
    check(template, &settings).map_err(|invalid| {
        anyhow::anyhow!("[{environment}.deploy.parameters] in samconfig.toml is not valid:\n  {}", invalid.join("\n  "))
    })?;
    Ok(settings)
}

/// Asks for the settings that are missing.
fn complete(
    checkout: &Checkout,
    environment: &str,
    template: &Template,
    settings: Settings,
    emulator: Option<&Target>,
    tools: &Tools,
) -> anyhow::Result<Settings> {
    if missing_message(environment, template, &settings).is_none() {
        return Ok(settings);
    }
    let region = match emulator {
        Some(target) => Some(target.credentials.region.clone()),
        None => AwsSettings::resolve(tools, settings.profile.as_deref())?.region,
    };
    let local = Section::load(checkout, LOCAL)?.stack;
    let defaults = Defaults { region, stack: default_stack_name(&local, environment) };
    ask(&mut Console, checkout, environment, template, settings, &defaults)
}

fn destination(emulator: Option<Target>, settings: &Settings, tools: &Tools) -> anyhow::Result<Destination> {
    if let Some(mut target) = emulator {
        let region = settings.region.clone().unwrap_or_else(|| target.credentials.region.clone());
        target.credentials.region.clone_from(&region);
        return Ok(Destination { aws: AwsClient::new(target.clone()), emulator: Some(target), region });
    }
    let resolved = AwsSettings::resolve(tools, settings.profile.as_deref())?;
    let region = settings.region.clone().or_else(|| resolved.region.clone());
    let region = region.context("no region; set region in samconfig.toml, AWS_REGION, or the region of the profile")?;
    let credentials: Credentials = resolved.credentials(&region)?;
    Ok(Destination { aws: AwsClient::for_aws(credentials), emulator: None, region })
}

fn choose_architecture<'a>(requested: Option<&'a str>, is_emulator: bool, settings: &'a Settings) -> &'a str {
    let configured = settings.parameters.get("Architecture").map(String::as_str);
    match (requested, configured) {
        (Some(requested), _) => requested,
        // An emulator runs the functions on this machine.
        (None, _) if is_emulator => host_architecture(),
        (None, Some(configured)) => configured,
        // Graviton has better price performance than x86.
        (None, None) => "arm64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deploys_local_only_to_an_emulator() {
        let error = refuse_local("local", false).unwrap_err().to_string();
        assert!(error.contains("./scripts/dev"), "{error}");
        assert!(refuse_local("local", true).is_ok() && refuse_local("staging", false).is_ok());
    }

    #[test]
    fn functions_are_built_for_graviton_unless_another_architecture_is_set() {
        let mut settings = Settings::default();
        assert_eq!(choose_architecture(None, false, &settings), "arm64");
        assert_eq!(choose_architecture(None, true, &settings), host_architecture());
        settings.parameters.insert("Architecture".to_owned(), "x86_64".to_owned());
        assert_eq!(choose_architecture(None, false, &settings), "x86_64");
        assert_eq!(choose_architecture(Some("arm64"), false, &settings), "arm64");
    }

    #[test]
    fn environment_must_exist_in_the_template_and_in_samconfig() {
        let folder = tempfile::tempdir().unwrap();
        let file = "[staging.deploy.parameters]\nstack_name = \"App\"\n";
        std::fs::write(folder.path().join("samconfig.toml"), file).unwrap();
        let checkout = Checkout::at(folder.path());
        let text = "Parameters: {Environment: {Type: String, AllowedValues: [staging, production]}}";
        let template = Template::parse(text).unwrap();
        for (environment, reason) in [
            ("stagin", "one of staging, production"),
            ("production", "no section [production.deploy.parameters]"),
            ("staging", "stack_name = \"App\": because bucket names contain it"),
        ] {
            let error = format!("{:#}", configured(&checkout, environment, &template).unwrap_err());
            assert!(error.contains(reason), "{error}");
        }
    }
}
