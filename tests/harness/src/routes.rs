//! Checks of all routes of a template, so that new routes are checked as well.

use std::path::Path;

use ferrite_local_stack::template::{Route, Template};

use crate::api::Api;

/// A value for each parameter of a path. API Gateway rejects a request without a token before a function reads the value.
const PARAMETER_VALUE: &str = "x";

/// The routes that require a token: all whose event in the template does not have `Auth: {Authorizer: NONE}`.
#[must_use]
pub fn protected(template: &Template) -> Vec<Route> {
    let routes = template.routes().expect("the template has routes");
    routes.into_iter().filter(|(.., is_public)| !is_public).map(|(route, ..)| route).collect()
}

/// Checks that every protected route responds with 401 to a request without a token.
pub fn assert_protected_routes_require_a_token(api: &Api, template: &Template) {
    let routes = protected(template);
    assert!(!routes.is_empty(), "the template has no route that requires a token");
    for Route { method, path } in routes {
        let response = api.request(&method, &with_value(&path)).send();
        assert_eq!(
            response.status, 401,
            "{method} {path} must require a token: its event in template.yaml has no `Auth: {{Authorizer: NONE}}`"
        );
        assert_eq!(response.header("www-authenticate"), "Bearer", "{method} {path}");
        // A response to HEAD has no body.
        if method != "HEAD" {
            assert_eq!(response.problem_type(), "unauthorized", "{method} {path}");
        }
    }
}

/// The path of a request, with a value in place of each parameter in braces.
fn with_value(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { PARAMETER_VALUE } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Checks that each function with a route has a test of its responses in `folder`, except those in `others`, whose responses
/// other tests check. That is either a snapshot, `snapshots/NAME.snap` for the function `NAME`, or a test module with the
/// name of the function, which `./scripts/new-function` creates.
pub fn assert_every_route_has_a_test_of_its_responses(template: &Template, folder: &Path, others: &[&str]) {
    let routes = template.routes().expect("the template has routes").into_iter();
    // API Gateway sends requests with HEAD to the function for GET, and every path has a preflight route.
    let routes = routes.filter(|(route, ..)| !["HEAD", "OPTIONS"].contains(&route.method.as_str()));
    let is_tested = |function: &str| {
        let files = [format!("snapshots/{function}.snap"), format!("{}.rs", function.replace('-', "_"))];
        others.contains(&function) || files.iter().any(|file| folder.join(file).is_file())
    };
    let missing: Vec<_> = routes
        .filter(|(_, function, _)| !is_tested(function))
        .map(|(Route { method, path }, function, _)| format!("{method} {path} ({function})"))
        .collect();
    assert!(
        missing.is_empty(),
        "the responses of these routes are not tested in {folder}. Add a test module with the name of the function or, if there \
         is a module responses.rs, a test that writes the snapshot snapshots/FUNCTION.snap, and run ./scripts/generate \
         --snapshots:\n{}",
        missing.join("\n"),
        folder = folder.display()
    );
}
