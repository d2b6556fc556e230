//! `./scripts/deploy ENVIRONMENT`: builds every function for Lambda, then runs the SAM CLI with that environment's section.

use std::io::IsTerminal as _;

use anyhow::bail;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::functions::functions;
use ferrite_local_stack::lambda_build::build_for_lambda;
use ferrite_local_stack::process::run_asking;
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::stack::{host_architecture, sam_deploy};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::target::apply_target;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};

/// The image bucket is named `<stack>-images-<account>-<region>`. Its name has at most 63 characters, of which the account has
/// 12 and the longest region 14, and no capitals ("General purpose bucket naming rules").
const LONGEST_STACK_NAME: usize = 28;

/// Builds and deploys. For a new environment, the SAM CLI asks for what samconfig.toml lacks.
///
/// # Errors
/// When a step fails.
pub(crate) fn deploy(checkout: &Checkout, environment: &str, architecture: Option<&str>) -> anyhow::Result<()> {
    let target = Target::from_environment()?;
    let section = Section::read(checkout, environment)?;
    if section.is_none() && !std::io::stdin().is_terminal() {
        bail!("samconfig.toml: [{environment}.deploy.parameters] has no stack_name, and there is no terminal to ask on");
    }
    let name = section.as_ref().map_or_else(|| format!("ferrite-{environment}"), |section| section.stack.clone());
    // Before the build, which takes minutes. CloudFormation would fail with half of the stack created.
    check_stack_name(&name)?;
    let staging = Staging::in_run(&checkout.run_folder(&format!("deploy-{environment}"))?)?;
    let tools = install(checkout, &DEPLOY_TOOLS)?;
    let configured = section.as_ref().and_then(|section| section.parameters.get("Architecture").cloned());
    let architecture = match (architecture, &target, configured) {
        (Some(requested), _, _) => requested.to_owned(),
        // An emulator runs the functions on this machine.
        (None, Some(_), _) => host_architecture().to_owned(),
        (None, None, Some(configured)) => configured,
        // Graviton costs less for the same work.
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
        report(&format!("  (to {} and not to AWS)", target.endpoint.url()));
    }
    if guided {
        sam.args(["--guided", "--stack-name", &name]);
    }
    Ok(step("Deploying", || run_asking(&mut sam))?)
}

fn check_stack_name(name: &str) -> anyhow::Result<()> {
    let usable = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if begins_well && name.len() <= LONGEST_STACK_NAME && name.chars().all(usable) {
        return Ok(());
    }
    bail!(
        "samconfig.toml: a stack cannot be named {name}, because a bucket is named after it: use a lower-case letter and then \
         lower-case letters, digits and hyphens, {LONGEST_STACK_NAME} characters at most"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_names_that_no_bucket_can_have() {
        for usable in ["ferrite-staging", "s", "shop-2", &"a".repeat(LONGEST_STACK_NAME)] {
            assert!(check_stack_name(usable).is_ok(), "{usable}");
        }
        for unusable in ["", "Shop", "2shop", "shop_eu", "shop.eu", &"a".repeat(LONGEST_STACK_NAME + 1)] {
            assert!(check_stack_name(unusable).is_err(), "{unusable}");
        }
    }
}
