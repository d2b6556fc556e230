//! `./scripts/deploy ENVIRONMENT`: builds every function for Lambda, then runs `sam deploy` with the environment's
//! section of samconfig.toml.

use std::io::IsTerminal as _;

use anyhow::bail;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::functions::functions;
use ferrite_local_stack::lambda_build::build_for_lambda;
use ferrite_local_stack::process::run_interactive;
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::stack::{host_architecture, sam_deploy};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::target::apply_target;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};

/// Maximum length of a stack name, so that the bucket name `<stack>-images-<account>-<region>` is valid.
///
/// A bucket name has at most 63 characters, without upper-case letters (Amazon S3, "General purpose bucket naming
/// rules"). The account ID has 12 characters and the longest region name has 14.
const MAX_STACK_NAME_LENGTH: usize = 28;

/// Builds the functions and deploys the stack. For a new environment, the SAM CLI prompts for the settings that are
/// missing in samconfig.toml.
///
/// # Errors
/// Returns an error if a step fails.
pub(crate) fn deploy(checkout: &Checkout, environment: &str, architecture: Option<&str>) -> anyhow::Result<()> {
    let target = Target::from_environment()?;
    let section = Section::read(checkout, environment)?;
    if section.is_none() && !std::io::stdin().is_terminal() {
        bail!(
            "samconfig.toml: [{environment}.deploy.parameters] has no stack_name; set it, or run the \
             command in a terminal to be prompted for it"
        );
    }
    let name = match &section {
        Some(section) => section.stack.clone(),
        None => default_stack_name(&Section::load(checkout, "local")?.stack, environment),
    };
    // Check the name before the build, which takes minutes. With an invalid name, CloudFormation would fail after it has
    // created part of the stack.
    check_stack_name(&name)?;
    let staging = Staging::open(&checkout.run_folder(&format!("deploy-{environment}"))?)?;
    let tools = install(checkout, &DEPLOY_TOOLS)?;
    let configured = section.as_ref().and_then(|section| section.parameters.get("Architecture").cloned());
    let architecture = match (architecture, &target, configured) {
        (Some(requested), _, _) => requested.to_owned(),
        // An emulator runs the functions on this machine.
        (None, Some(_), _) => host_architecture().to_owned(),
        (None, None, Some(configured)) => configured,
        // Graviton has better price performance than x86.
        (None, None, None) => "arm64".to_owned(),
    };
    step(&format!("Building the functions for {architecture}"), || {
        staging.copy_template(checkout)?;
        build_for_lambda(checkout, &tools, &staging.functions_folder(), &architecture, &functions(checkout)?)?;
        anyhow::Ok(())
    })?;
    let guided = section.is_none();
    let mut parameters = section.map(|section| section.parameters).unwrap_or_default();
    parameters.insert("Environment".to_owned(), environment.to_owned());
    parameters.insert("Architecture".to_owned(), architecture);
    let mut sam = sam_deploy(checkout, &tools, environment, &staging.template(), &parameters);
    if let Some(target) = &target {
        apply_target(target, &mut sam);
        report(&format!("  deploying to the emulator at {}, not to AWS", target.endpoint.url()));
    }
    if guided {
        sam.args(["--guided", "--stack-name", &name]);
    }
    Ok(step("Deploying", || run_interactive(&mut sam))?)
}

/// The name of a new environment's stack, with the same beginning as that of the local stack.
fn default_stack_name(local: &str, environment: &str) -> String {
    format!("{}-{environment}", local.trim_end_matches("-local"))
}

fn check_stack_name(name: &str) -> anyhow::Result<()> {
    let is_allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_with_letter && name.len() <= MAX_STACK_NAME_LENGTH && name.chars().all(is_allowed) {
        return Ok(());
    }
    bail!(
        "samconfig.toml: invalid stack name {name:?}: because bucket names contain it, it must start with a lower-case \
         letter, contain only lower-case letters, digits and hyphens, and have at most {MAX_STACK_NAME_LENGTH} characters"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_new_stacks_after_the_local_stack() {
        assert_eq!(default_stack_name("notes-local", "staging"), "notes-staging");
        assert_eq!(default_stack_name("notes", "staging"), "notes-staging");
    }

    #[test]
    fn rejects_names_that_are_not_valid_in_a_bucket_name() {
        for valid in ["ferrite-staging", "s", "app-2", &"a".repeat(MAX_STACK_NAME_LENGTH)] {
            assert!(check_stack_name(valid).is_ok(), "{valid}");
        }
        for invalid in ["", "App", "2app", "app_eu", "app.eu", &"a".repeat(MAX_STACK_NAME_LENGTH + 1)] {
            assert!(check_stack_name(invalid).is_err(), "{invalid}");
        }
    }
}
