//! The routes of the API in template.yaml.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_local_stack::template::{Route, Template, TemplateError};

/// All routes in the order of the template, except preflight routes, and those for any method, whose function answers
/// preflight requests itself.
pub(crate) fn routes(template: &Template) -> Result<Vec<Route>, TemplateError> {
    let routes = template.routes()?.into_iter().map(|(route, ..)| route);
    Ok(routes.filter(|route| route.method != "OPTIONS" && !is_any(&route.method)).collect())
}

/// The methods of each path.
pub(crate) fn methods(template: &Template) -> Result<BTreeMap<String, BTreeSet<String>>, TemplateError> {
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for route in routes(template)? {
        methods.entry(route.path).or_default().insert(route.method);
    }
    Ok(methods)
}

/// The logical id of the API, if the template defines it.
pub(crate) fn api(template: &Template) -> Option<&str> {
    template.resources_of_type("AWS::Serverless::Api").map(|(name, _)| name).next()
}

fn is_any(method: &str) -> bool {
    method.eq_ignore_ascii_case("ANY")
}
