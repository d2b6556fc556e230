//! `scripts/bench`: what each function weighs and how quick it is, beside two yardsticks: the floor (lambda_runtime alone)
//! and the default (the SDK as it comes).
//!
//! Every function is run as it ships, by a Runtime API and against an AWS endpoint of this program's own, and has to carry
//! out what it is invoked for.

mod answers;
mod aws_endpoint;
mod cap;
mod conditions;
mod environment;
mod events;
mod figures;
mod hooks;
mod items;
mod measure;
mod runtime_api;
mod subject;
mod table;
mod tls;
mod verdict;

use std::collections::BTreeMap;
use std::io;

use ferrite_tests::issuer::{AUDIENCE, ISSUER, Issuer};
use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::console::{keep_stdout_for_data, print, step};
use crate::template::{Function, Template};
use crate::token::{Bearer, mint};
use crate::tools::{DEPLOY_TOOLS, install};
use crate::trouble::Trouble;

use self::aws_endpoint::AwsEndpoint;
use self::cap::Means;
use self::conditions::Conditions;
use self::figures::Rows;
use self::measure::Bench;
use self::subject::{Subject, YARDSTICKS};

/// What the template cannot know: this machine's own token issuer, whose keys are in a parameter.
const PARAMETERS: [(&str, &str); 4] = [
    ("JwtIssuer", ISSUER),
    ("JwtAudience", AUDIENCE),
    ("JwksParameter", "/ferrite-bench/jwks"),
    ("SenderAddress", "shop@ferrite.example"),
];

/// What to measure, and how.
#[derive(Debug)]
pub struct Options {
    /// Only these functions; all of them when empty.
    pub functions: Vec<String>,
    /// How often each is started with each memory.
    pub starts: usize,
    /// Measure what was built before.
    pub no_build: bool,
    /// Cap the CPU by signals, also where the kernel could.
    pub signals: bool,
    /// Print data and not a table.
    pub json: bool,
}

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The functions are Linux programs.
    #[error("functions run on Linux, so this measures them on Linux only")]
    NotLinux,
    /// There is no such function.
    #[error("template.yaml has no function {0}")]
    UnknownFunction(String),
    /// There is nothing to measure.
    #[error("{0} was not built yet: leave --no-build out")]
    NotBuilt(String),
    /// A function did something else than it should.
    #[error("{function} did not get through {what}: {how}\nthe last that it wrote: {last}")]
    Function {
        /// Which function.
        function: String,
        /// What it should have done.
        what: &'static str,
        /// What it did.
        how: String,
        /// The last line of its log.
        last: String,
    },
    /// No port on loopback.
    #[error("cannot listen on loopback: {0}")]
    Port(#[source] io::Error),
    /// The endpoint's certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The endpoint's certificate could not be used.
    #[error("cannot serve TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Builds, measures and prints.
///
/// # Errors
/// When something does not build, or a function does not carry out what it is invoked for. A budget that is not met is no
/// error: times depend on the machine.
pub fn bench(checkout: &Checkout, options: &Options) -> Result<(), Trouble> {
    if !cfg!(target_os = "linux") {
        return Err(BenchError::NotLinux.into());
    }
    keep_stdout_for_data();
    let template = Template::read(&checkout.path("template.yaml"))?;
    let functions = wanted(template.functions()?, &options.functions)?;
    let folder = checkout.run_folder("bench")?;
    let built = folder.join("lambda");
    let tools = install(checkout, &DEPLOY_TOOLS)?;
    if !options.no_build {
        subject::build(checkout, &tools, &built, &functions)?;
    }
    let token = mint(checkout, &Bearer::Customer(items::CALLER.to_owned()))?;
    let mut subjects: Vec<_> = YARDSTICKS.into_iter().map(|yardstick| Subject::yardstick(yardstick, &built)).collect();
    for function in functions {
        let variables = template.variables(&function.name, &BTreeMap::from(PARAMETERS))?;
        subjects.push(Subject::function(function, &built, variables, &token));
    }
    // Before the minutes that measuring takes.
    subjects.iter().try_for_each(|subject| subject.sizes().map(drop))?;

    let means = Means::find(options.signals);
    let conditions = Conditions::of(&tools, &means, options.starts)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().map_err(BenchError::Port)?;
    runtime.spawn(stay_awake());
    let jwks = Issuer::open(&checkout.keys())?.jwks();
    let endpoint = AwsEndpoint::open(runtime.handle(), &folder, jwks)?;
    let bench = Bench { servers: runtime.handle(), endpoint: &endpoint, means: &means, folder: &folder };
    let rows = step("Measuring", || bench.measure(&subjects, options.starts).map(Rows))?;

    let hooks = hooks::measure(checkout)?;
    let verdicts = verdict::verdicts(&rows);
    if options.json {
        let budgets: Vec<Value> = verdicts.iter().map(verdict::Verdict::json).chain([hooks.json()]).collect();
        let data = json!({ "conditions": conditions, "measured": rows.json(), "budgets": budgets });
        print(&data.to_string());
    } else {
        print(&format!("{}{}\n", table::text(&conditions, &rows, &verdicts), hooks.line()));
    }
    Ok(())
}

/// Keeps the servers' thread from sleeping: to be woken takes it tens of microseconds at each round trip of a start, which
/// would be counted as the function's.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

fn wanted(mut functions: Vec<Function>, names: &[String]) -> Result<Vec<Function>, Trouble> {
    if let Some(unknown) = names.iter().find(|name| !functions.iter().any(|function| &function.name == *name)) {
        return Err(BenchError::UnknownFunction(unknown.clone()).into());
    }
    functions.retain(|function| names.is_empty() || names.contains(&function.name));
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> Function {
        Function { name: name.to_owned(), route: None }
    }

    #[test]
    fn only_the_named_functions_are_measured() {
        let all = || vec![function("b"), function("a")];
        let names = |wanted: Vec<Function>| wanted.into_iter().map(|function| function.name).collect::<Vec<_>>();
        assert_eq!(names(wanted(all(), &[]).unwrap()), ["a", "b"]);
        assert_eq!(names(wanted(all(), &["b".to_owned()]).unwrap()), ["b"]);
        let error = wanted(all(), &["b".to_owned(), "c".to_owned()]).unwrap_err();
        assert!(error.to_string().ends_with(" c"), "{error}");
    }
}
