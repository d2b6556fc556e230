//! Checks that preflight responses agree with the routes of template.yaml.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ferrite_local_stack::template::Template;

fn template() -> Template {
    Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

/// The methods of each path, without `OPTIONS`.
fn methods(template: &Template) -> BTreeMap<String, BTreeSet<String>> {
    let mut methods: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (route, ..) in template.routes().unwrap() {
        if route.method != "OPTIONS" {
            methods.entry(route.path).or_default().insert(route.method);
        }
    }
    methods
}

#[test]
fn preflight_responses_list_the_methods_of_each_path() {
    let template = template();
    let preflight = template.resources_of_type("AWS::Serverless::Function").find(|(name, _)| *name == "AnswerPreflight");
    let configured = preflight.unwrap().1["Environment"]["Variables"]["METHODS"].as_str().unwrap();
    let configured: BTreeMap<String, String> = serde_json::from_str(configured).unwrap();
    let configured = configured.into_iter().map(|(path, methods)| (path, methods.split(", ").map(str::to_owned).collect()));
    assert_eq!(configured.collect::<BTreeMap<String, BTreeSet<String>>>(), methods(&template));

    let routes = template.routes().unwrap().into_iter();
    let preflight = routes.filter(|(route, ..)| route.method == "OPTIONS").map(|(route, ..)| route.path);
    assert_eq!(preflight.collect::<BTreeSet<_>>(), methods(&template).into_keys().collect());
}
