//! The routes of the function `answer-preflight`, which responds to CORS preflight requests on every path.

use std::collections::BTreeMap;

use ferrite_local_stack::template::{Template, function_name};
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::GenerateError;
use crate::items::indentation;
use crate::routes::{api, methods};

const FUNCTION: &str = "answer-preflight";

/// Updates the variable `METHODS` and the events of the function. Does nothing if there is no such function.
pub(crate) fn update(edited: &mut TemplateText, template: &Template) -> Result<(), GenerateError> {
    let mut functions = template.resources_of_type("AWS::Serverless::Function");
    let function = functions.find(|(_, properties)| function_name(properties).is_ok_and(|name| name == FUNCTION));
    let Some((id, properties)) = function else { return Ok(()) };
    let methods: BTreeMap<_, _> =
        methods(template)?.into_iter().map(|(path, methods)| (path, Vec::from_iter(methods).join(", "))).collect();
    update_variable(edited, id, &methods)?;

    let mut events: Vec<_> = properties["Events"].as_mapping().into_iter().flatten().filter_map(preflight_path).collect();
    let section = ["Resources", id, "Properties", "Events"];
    for path in methods.keys() {
        if events.iter().any(|(_, existing)| existing == path) {
            continue;
        }
        let name = event_name(path, &edited.entries(&section)?);
        let next = events.iter().position(|(_, existing)| existing > path);
        let sibling = edited.entries(&section)?.first().map(|first| edited.block(&section, first)).transpose()?;
        let spaces = " ".repeat(sibling.map_or(0, indentation));
        let api = api(template).map(|api| format!("RestApiId: !Ref {api}, ")).unwrap_or_default();
        let event = format!(
            "{spaces}{name}: {{Type: Api, Properties: {{{api}Method: OPTIONS, Path: \"{path}\", Auth: {{Authorizer: NONE}}}}}}\n"
        );
        match next {
            Some(next) => edited.insert_before(&section, &events[next].0, &event)?,
            None => edited.insert_last(&section, &event)?,
        }
        events.insert(next.unwrap_or(events.len()), (name, path.clone()));
    }
    for (name, path) in &events {
        if !methods.contains_key(path) {
            edited.remove(&section, name)?;
        }
    }
    Ok(())
}

fn update_variable(edited: &mut TemplateText, id: &str, methods: &BTreeMap<String, String>) -> Result<(), GenerateError> {
    let section = ["Resources", id, "Properties", "Environment", "Variables"];
    let current = section.iter().try_fold(edited.document(), |value, key| value.get(*key));
    let current = current.and_then(|variables| variables.get("METHODS")?.as_str()).unwrap_or_default();
    if serde_json::from_str(current).is_ok_and(|current: BTreeMap<String, String>| current == *methods) {
        return Ok(());
    }
    let block = edited.block(&section, "METHODS")?;
    let key = block.lines().find(|line| line.trim_start().starts_with("METHODS:")).unwrap_or_default();
    let comments: String = block.split_inclusive('\n').take_while(|line| line.trim_start().starts_with('#')).collect();
    let spaces = " ".repeat(indentation(key));
    let lines: Vec<_> = methods.iter().map(|(path, methods)| format!("{spaces}    {path:?}: {methods:?}")).collect();
    let block = format!("{comments}{spaces}METHODS: |\n{spaces}  {{\n{}\n{spaces}  }}\n", lines.join(",\n"));
    Ok(edited.replace(&section, "METHODS", &block)?)
}

/// The name and the path of an event, if it is a preflight route.
fn preflight_path((name, event): (&Value, &Value)) -> Option<(String, String)> {
    let route = &event["Properties"];
    let path = route["Path"].as_str().filter(|_| event["Type"] == "Api" && route["Method"] == "OPTIONS")?;
    Some((name.as_str()?.to_owned(), path.to_owned()))
}

/// The name of the event for a path: `ItemsItemId` for `/items/{itemId}`.
fn event_name(path: &str, taken: &[String]) -> String {
    let words = path.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect();
    let name = if name.is_empty() { "Root".to_owned() } else { name };
    let mut unique = name.clone();
    let mut number = 2;
    while taken.contains(&unique) {
        unique = format!("{name}{number}");
        number += 1;
    }
    unique
}
