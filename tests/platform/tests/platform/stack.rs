//! The deployed stack of the tests.

use std::fs;
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::functions::Binary;
use ferrite_local_stack::stack::Deployment;
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::template::{Function, Template};
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};
use ferrite_platform_tests::template::compose;
use ferrite_test_harness::api::Api;
use ferrite_test_harness::stack::Stack;
use ferrite_test_runner::places::Place;
use ferrite_test_runner::stack::section_for;
use ferrite_token_issuer::issuer::Issuer;

/// The origins whose pages may call the API, in the order of the parameter.
pub(crate) const ALLOWED_ORIGINS: [&str; 2] = ["https://app.example", "http://localhost:5173"];

/// The stack, which the tests share because its deployment takes seconds.
static STACK: LazyLock<Stack> = LazyLock::new(deploy);

/// Returns a lock for tests of requests that echo-text answers with its table. One of them denies the function its table.
pub(crate) fn lock_echo_text_table() -> MutexGuard<'static, ()> {
    static TABLE: Mutex<()> = Mutex::new(());
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The API of the stack.
pub(crate) fn api() -> Api {
    Api::of_stack(STACK.clone())
}

fn deploy() -> Stack {
    let checkout = Checkout::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap());
    let run_folder = checkout.run_folder("platform").unwrap();
    let staging = Staging::open(&run_folder).unwrap();
    // Also copies the nested templates.
    staging.copy_template(&checkout).unwrap();
    let read = |path: &str| fs::read_to_string(checkout.path(path)).unwrap();
    let template = compose(&read("template.yaml"), &read("tests/platform/template.yaml")).unwrap();
    fs::write(staging.template(), &template).unwrap();

    // One build of the workspace writes the functions of the application and those of this crate to the same folder.
    let built = Path::new(env!("CARGO_BIN_EXE_echo-text")).parent().unwrap();
    let functions = Template::parse(&template).unwrap().functions().unwrap().into_iter();
    let functions: Vec<_> = functions.map(|Function { name, .. }| Binary { path: built.join(&name), name }).collect();
    staging.put(&functions).unwrap();

    let target = Target::from_environment().unwrap().expect("run these tests through ./scripts/test");
    let mut config = section_for(&checkout, Place::from_environment().unwrap_or(Place::Endpoint)).unwrap();
    config.parameters.insert("AllowedOrigins".to_owned(), ALLOWED_ORIGINS.join(","));
    let name = format!("{}-platform", config.stack.trim_end_matches("-local"));
    let sam = install(&checkout, &DEPLOY_TOOLS).unwrap();
    let jwks = Issuer::open(&checkout.keys_folder()).unwrap().jwks();
    let deployment = Deployment { checkout: &checkout, sam: &sam, target: &target, config: &config, jwks: &jwks };
    let outputs = deployment.deploy(&staging, &name, &run_folder).unwrap_or_else(|error| panic!("{error}"));
    Stack { name, outputs, template: staging.template(), keys_folder: checkout.keys_folder() }
}
