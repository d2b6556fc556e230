//! The throttling limits of the routes that change data.

use ferrite_local_stack::template::{Route, Template};
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::GenerateError;
use crate::items::{indentation, items};
use crate::routes::{api, routes};

/// The parameter that limits a new write route. To give a route another limit, change its entry.
const LIMIT: &str = "WritesPerSecond";

/// Adds an entry to `MethodSettings` for each write route that has none, and removes those of routes that do not exist.
/// Does nothing if the API has no `MethodSettings`, or if there is no parameter `WritesPerSecond`.
pub(crate) fn update(edited: &mut TemplateText, template: &Template) -> Result<(), GenerateError> {
    let Some(api) = api(template) else { return Ok(()) };
    let section = ["Resources", api, "Properties"];
    let settings = template.root()["Resources"][api]["Properties"]["MethodSettings"].as_sequence();
    let Some(settings) = settings.filter(|_| edited.contains(&["Parameters"], LIMIT)) else { return Ok(()) };
    let routes = routes(template)?;
    let mut lines: Vec<_> = edited.block(&section, "MethodSettings")?.lines().map(str::to_owned).collect();

    let configured: Vec<_> = settings.iter().map(route).collect();
    for (item, route) in items(&lines).into_iter().zip(&configured).rev() {
        if route.as_ref().is_some_and(|route| !routes.contains(route)) {
            lines.drain(item);
        }
    }
    let mut configured: Vec<_> =
        configured.into_iter().filter(|route| route.as_ref().is_none_or(|route| routes.contains(route))).collect();
    let is_write = |route: &&Route| !["GET", "HEAD"].contains(&route.method.as_str());
    let mut previous = None;
    for route in routes.iter().filter(is_write) {
        if !configured.contains(&Some(route.clone())) {
            let items = items(&lines);
            let index = previous
                .and_then(|previous| configured.iter().position(|route| *route == previous))
                .map_or(configured.len(), |index| index + 1);
            let line = index.checked_sub(1).and_then(|index| items.get(index)).map_or(lines.len(), |item| item.end);
            let spaces = " ".repeat(items.first().map_or(8, |item| indentation(&lines[item.start])));
            lines.insert(line, format!("{spaces}- {}", setting(route)));
            configured.insert(index, Some(route.clone()));
        }
        previous = Some(Some(route.clone()));
    }
    let block = lines.join("\n") + "\n";
    if block != edited.block(&section, "MethodSettings")? {
        edited.replace(&section, "MethodSettings", &block)?;
    }
    Ok(())
}

/// The route of an entry; `None` if it applies to several routes.
fn route(setting: &Value) -> Option<Route> {
    let (path, method) = (setting["ResourcePath"].as_str()?, setting["HttpMethod"].as_str()?);
    // `~1` represents a slash in a path.
    let path = path.replacen("/~1", "/", 1).replace("~1", "/");
    (method != "*" && path != "/*").then(|| Route { method: method.to_owned(), path })
}

fn setting(route: &Route) -> String {
    let path = format!("/{}", route.path.replace('/', "~1"));
    // A brace would begin a mapping.
    let path = if path.contains('{') { format!("\"{path}\"") } else { path };
    let method = &route.method;
    format!(
        "{{ResourcePath: {path}, HttpMethod: {method}, ThrottlingRateLimit: !Ref {LIMIT}, ThrottlingBurstLimit: !Ref {LIMIT}}}"
    )
}
