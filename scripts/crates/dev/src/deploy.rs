//! `scripts/deploy ENV`: every function built once for Lambda, then the SAM CLI with that environment's section.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Command;

use crate::build::{forget_this_crate, functions};
use crate::checkout::Checkout;
use crate::console::{say, step};
use crate::endpoint::Target;
use crate::process::{run, run_asking};
use crate::samconfig::Section;
use crate::stack::{host_architecture, sam_deploy};
use crate::stage::Stage;
use crate::tools::{DEPLOY_TOOLS, Tools, install};
use crate::trouble::Trouble;

/// The bucket of the pictures is called `<stack>-images-<account>-<region>`, has at most 63 characters and no capitals
/// ("General purpose bucket naming rules"); an account has 12, the longest region 14.
const LONGEST_STACK_NAME: usize = 28;

/// Builds and deploys. The first time for an environment, the SAM CLI asks for what samconfig.toml does not say yet.
///
/// # Errors
/// When a step fails.
pub fn deploy(checkout: &Checkout, environment: &str, architecture: Option<&str>) -> Result<(), Trouble> {
    let target = Target::from_environment()?;
    let section = Section::read(checkout, environment)?;
    if section.is_none() && !std::io::stdin().is_terminal() {
        return Err(Trouble::Samconfig(format!(
            "[{environment}.deploy.parameters] has no stack_name, and there is no terminal to ask on"
        )));
    }
    let name = section.as_ref().map_or_else(|| format!("ferrite-{environment}"), |section| section.stack.clone());
    // Before the minutes that building takes: CloudFormation would find out with half of the stack made.
    check_stack_name(&name)?;
    let stage = Stage::in_run(&checkout.run_folder(&format!("deploy-{environment}"))?)?;
    let tools = install(checkout, &DEPLOY_TOOLS)?;
    let configured = section.as_ref().and_then(|section| section.parameters.get("Architecture").cloned());
    let architecture = match (architecture, &target, configured) {
        (Some(asked_for), _, _) => asked_for.to_owned(),
        // An emulator runs the functions on this machine.
        (None, Some(_), _) => host_architecture().to_owned(),
        (None, None, Some(configured)) => configured,
        // Graviton costs less for the same work.
        (None, None, None) => "arm64".to_owned(),
    };
    step(&format!("Building the functions for {architecture}"), || {
        stage.copy_template(checkout)?;
        build_for_lambda(checkout, &tools, &stage.functions_folder(), &architecture, &functions(checkout)?)
    })?;
    let guided = section.is_none();
    let mut parameters = section.map(|section| section.parameters).unwrap_or_default();
    parameters.insert("Environment".to_owned(), environment.to_owned());
    parameters.insert("Architecture".to_owned(), architecture);
    let mut sam = sam_deploy(checkout, &tools, environment, &stage.template(), &parameters);
    if let Some(target) = &target {
        target.apply(&mut sam);
        say(&format!("  (to {} and not to AWS)", target.endpoint.url()));
    }
    if guided {
        sam.args(["--guided", "--stack-name", &name]);
    }
    step("Deploying", || run_asking(&mut sam))
}

fn check_stack_name(name: &str) -> Result<(), Trouble> {
    let usable = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if begins_well && name.len() <= LONGEST_STACK_NAME && name.chars().all(usable) {
        return Ok(());
    }
    Err(Trouble::Samconfig(format!(
        "a stack cannot be called {name}: a bucket is named after it, so a name is a small letter and then small letters, digits \
         and hyphens, {LONGEST_STACK_NAME} characters at most"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_bucket_can_have_is_refused() {
        for usable in ["ferrite-staging", "s", "shop-2", &"a".repeat(LONGEST_STACK_NAME)] {
            assert!(check_stack_name(usable).is_ok(), "{usable}");
        }
        for unusable in ["", "Shop", "2shop", "shop_eu", "shop.eu", &"a".repeat(LONGEST_STACK_NAME + 1)] {
            assert!(check_stack_name(unusable).is_err(), "{unusable}");
        }
    }
}
