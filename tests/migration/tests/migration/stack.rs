//! The deployed stack of the tests.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::functions::Binary;
use ferrite_local_stack::process::each_line_logged;
use ferrite_local_stack::stack::{output, outputs, sam_deploy};
use ferrite_local_stack::staging::Staging;
use ferrite_local_stack::target::apply_target;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, Tools, install};
use serde_json::Value;

use crate::legacy_backend;

const NAME: &str = "migration";

/// The stack, deployed without the moved route. The tests share it, because a deployment takes seconds.
pub(crate) static STACK: LazyLock<Stack> = LazyLock::new(|| {
    let checkout = Checkout::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap());
    let mut stack = Stack {
        target: Target::from_environment().unwrap().expect("run these tests through ./scripts/test"),
        tools: install(&checkout, &DEPLOY_TOOLS).unwrap(),
        checkout,
        origin: format!("http://{}", legacy_backend::start()),
        api: String::new(),
    };
    stack.deploy(false);
    let outputs = outputs(&stack.tools, Some(&stack.target), NAME).unwrap();
    output(&outputs, "ApiUrl").unwrap().clone_into(&mut stack.api);
    stack
});

/// A deployed stack that forwards requests to the legacy backend.
pub(crate) struct Stack {
    checkout: Checkout,
    target: Target,
    tools: Tools,
    /// The URL of the legacy backend.
    pub(crate) origin: String,
    /// The URL of the API, without a slash at the end.
    pub(crate) api: String,
}

impl Stack {
    /// Deploys the template with or without the moved route.
    pub(crate) fn deploy(&self, with_moved_route: bool) {
        let folder = self.checkout.run_folder(NAME).unwrap();
        let staging = Staging::open(&folder).unwrap();
        let function = Binary { name: "moved-route".to_owned(), path: env!("CARGO_BIN_EXE_moved-route").into() };
        staging.put(&[function]).unwrap();
        let template = fs::read_to_string(self.checkout.path("tests/migration/template.yaml")).unwrap();
        fs::write(staging.template(), if with_moved_route { template } else { without_moved_route(&template) }).unwrap();

        let parameters = [("LegacyOrigin".to_owned(), self.origin.clone())].into();
        let mut sam = sam_deploy(&self.checkout, &self.tools, "local", &staging.template(), &parameters);
        apply_target(&self.target, &mut sam).args(["--stack-name", NAME]);
        each_line_logged(&mut sam, &folder.join("deploy.log"), |_| {}).unwrap();
    }

    /// Sends a request to the API, with the same method, headers and body.
    pub(crate) fn send(&self, path: &str, request: http::request::Builder, body: &[u8]) -> Response {
        send(request.uri(format!("{}{path}", self.api)), body).expect("the API responds")
    }

    /// Sends a GET request without headers or a body to the API.
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(path, http::Request::builder(), &[])
    }
}

/// The template without the resource `Moved`.
fn without_moved_route(template: &str) -> String {
    let (before, from) = template.split_once("  # The moved route.").unwrap();
    let (_, after) = from.split_once("Outputs:").unwrap();
    format!("{before}Outputs:{after}")
}

/// A response of the API.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The values of a header.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The body as JSON, or `null` if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The values of a header that the legacy backend received.
    pub(crate) fn received(&self, name: &str) -> Vec<String> {
        let request = self.json();
        let headers = request["headers"].as_array().expect("the response describes a request");
        let values = headers.iter().filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap().to_owned());
        values.collect()
    }
}

/// Sends a request on a new connection, and does not follow redirects.
pub(crate) fn send(request: http::request::Builder, body: &[u8]) -> Result<Response, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .build()
        .into();
    let mut received = agent.run(request.body(body).expect("the request is well-formed"))?;
    let body = received.body_mut().read_to_vec()?;
    Ok(Response { status: received.status().as_u16(), headers: received.headers().clone(), body })
}
