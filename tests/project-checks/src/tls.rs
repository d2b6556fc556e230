//! Resource policies that deny requests without TLS.

use std::collections::BTreeSet;

use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

use crate::reference::{if_arguments, reference};

/// Returns the logical ids of the resources for which a policy of the type `kind` denies requests without TLS. `target`
/// is the property of the policy that names its resources.
pub(crate) fn resources_with_tls(template: &Template, kind: &str, target: &str) -> BTreeSet<String> {
    let policies = template.resources_of_type(kind).filter(|(_, policy)| {
        let mut statements = policy["PolicyDocument"]["Statement"].as_sequence().into_iter().flatten();
        statements.any(|statement| {
            let statement_if_true = if_arguments(statement).and_then(|arguments| arguments.get(1));
            denies_plain_http(statement_if_true.unwrap_or(statement))
        })
    });
    let targets = policies.flat_map(|(_, policy)| match &policy[target] {
        Value::Sequence(values) => values.iter().filter_map(reference).collect(),
        value => Vec::from_iter(reference(value)),
    });
    targets.map(str::to_owned).collect()
}

fn denies_plain_http(statement: &Value) -> bool {
    let is_every_action = |action: &Value| action.as_str().is_some_and(|action| action.ends_with(":*"));
    statement["Effect"] == "Deny"
        && statement["Principal"] == "*"
        && is_every_action(&statement["Action"])
        && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
}
