//! Short templates for the tests of the checks.

use ferrite_local_stack::template::Template;

/// Parses a template with these resources, which are indented by two spaces.
pub(crate) fn template(resources: &str) -> Template {
    Template::parse(&format!("Resources:\n{resources}")).unwrap_or_else(|error| panic!("{error}"))
}

/// Parses a template with these resources, without the only line that contains `part`.
pub(crate) fn template_without(resources: &str, part: &str) -> Template {
    let lines: Vec<&str> = resources.lines().filter(|line| !line.contains(part)).collect();
    assert_eq!(lines.len() + 1, resources.lines().count(), "exactly one line contains {part}");
    template(&lines.join("\n"))
}
