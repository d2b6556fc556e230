//! Builds the functions, measures them and prints the results.

use std::collections::BTreeMap;
use std::time::Duration;

use ferrite_application_tools::workload::Workload;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{print, report, send_progress_to_stderr, step};
use ferrite_local_stack::template::{Function, Template};
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};
use ferrite_token_issuer::issuer::{AUDIENCE, ISSUER, Issuer};
use serde_json::{Value, json};

use crate::aws_endpoint::AwsEndpoint;
use crate::budgets::{self, BudgetOutcome};
use crate::conditions::Conditions;
use crate::cpu_limit::CpuLimiter;
use crate::error::BenchError;
use crate::measure::Bench;
use crate::middleware_overhead;
use crate::results::Results;
use crate::subject::{self, REFERENCE_FUNCTIONS, Subject};
use crate::table;

/// Lifetime of the token that the `authorize` function verifies.
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Values of the template parameters that have no default.
const PARAMETERS: [(&str, &str); 4] = [
    ("JwtIssuer", ISSUER),
    ("JwtAudience", AUDIENCE),
    ("JwksParameter", "/ferrite-bench/jwks"),
    ("SenderAddress", "shop@ferrite.example"),
];

/// The options of `./scripts/bench`.
#[derive(Debug)]
pub(crate) struct Options {
    /// The functions to measure; empty for all functions.
    pub(crate) functions: Vec<String>,
    /// Number of cold starts per function and memory size.
    pub(crate) starts: usize,
    /// Whether to measure the existing build.
    pub(crate) no_build: bool,
    /// Whether to limit the CPU with signals even if cgroups are available.
    pub(crate) signals: bool,
    /// Whether to print JSON instead of a table.
    pub(crate) json: bool,
}

/// Builds the functions, measures them and prints the results.
///
/// # Errors
/// Returns an error if a build fails or a function fails to handle its event. A missed budget is not an error, because
/// times depend on the machine.
pub(crate) fn bench(checkout: &Checkout, workload: &Workload, options: &Options) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        return Err(BenchError::NotLinux.into());
    }
    send_progress_to_stderr();
    let template = Template::read(&checkout.path("template.yaml"))?;
    let functions = select(template.functions()?, &options.functions)?;
    let folder = checkout.run_folder("bench")?;
    let build_folder = folder.join("lambda");
    let tools = install(checkout, &DEPLOY_TOOLS)?;
    if !options.no_build {
        subject::build(checkout, &tools, &build_folder, &functions)?;
    }
    let issuer = Issuer::open(&checkout.keys_folder())?;
    let token = issuer.mint(workload.caller, &[], TOKEN_LIFETIME);
    let mut subjects: Vec<_> =
        REFERENCE_FUNCTIONS.into_iter().map(|function| Subject::reference(function, &build_folder, workload)).collect();
    for function in functions {
        let variables = template.variables(&function.name, &BTreeMap::from(PARAMETERS))?;
        let subject = Subject::function(function, &build_folder, variables, (workload.invocation, &token));
        if subject.invocation.is_none() {
            report(&format!(
                "{}: only its start is measured; to measure invocations, add an event for it to \
                 scripts/crates/application/src/events.rs",
                subject.name
            ));
        }
        subjects.push(subject);
    }
    // Fail early if a binary is missing: measuring takes minutes.
    subjects.iter().try_for_each(|subject| subject.sizes().map(drop))?;

    let limiter = CpuLimiter::find(options.signals);
    let conditions = Conditions::collect(&tools, &limiter, options.starts)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().map_err(BenchError::Runtime)?;
    runtime.spawn(stay_awake());
    let endpoint = AwsEndpoint::open(runtime.handle(), &folder, workload.respond, issuer.jwks())?;
    let bench = Bench { runtime: runtime.handle(), endpoint: &endpoint, limiter: &limiter, folder: &folder };
    let results = step("Measuring", || bench.measure(&subjects, options.starts).map(Results))?;

    let overhead = middleware_overhead::measure(checkout)?;
    let outcomes = budgets::outcomes(&results);
    if options.json {
        let budgets: Vec<Value> = outcomes.iter().map(BudgetOutcome::json).chain([overhead.json()]).collect();
        let data = json!({ "conditions": conditions, "measured": results.json(), "budgets": budgets });
        print(&data.to_string());
    } else {
        print(&format!("{}{}\n", table::text(&conditions, &results, &outcomes), overhead.line()));
    }
    Ok(())
}

/// Keeps the servers' thread from sleeping. Waking it would add tens of microseconds to every round trip, and these
/// would be attributed to the function.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

fn select(mut functions: Vec<Function>, names: &[String]) -> Result<Vec<Function>, BenchError> {
    if let Some(unknown) = names.iter().find(|name| !functions.iter().any(|function| &function.name == *name)) {
        return Err(BenchError::UnknownFunction(unknown.clone()));
    }
    functions.retain(|function| names.is_empty() || names.contains(&function.name));
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> Function {
        Function { name: name.to_owned(), route: None }
    }

    #[test]
    fn selects_only_the_named_functions() {
        let all = || vec![function("b"), function("a")];
        let names = |functions: Vec<Function>| functions.into_iter().map(|function| function.name).collect::<Vec<_>>();
        assert_eq!(names(select(all(), &[]).unwrap()), ["a", "b"]);
        assert_eq!(names(select(all(), &["b".to_owned()]).unwrap()), ["b"]);
        let error = select(all(), &["b".to_owned(), "c".to_owned()]).unwrap_err();
        assert!(error.to_string().ends_with(" c"), "{error}");
    }
}
