//! The lists of infra/operations.yaml, which contain the functions and queues that have alarms.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_local_stack::template::{Template, function_name};
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::items::{indentation, items, sequence};
use crate::{GenerateError, invalid};

pub(crate) const FILE: &str = "infra/operations.yaml";

/// Updates the lists that the file has: those of its `Fn::ForEach` loops, and the mapping `Slow`.
pub(crate) fn update(template: &Template, operations: &str) -> Result<String, GenerateError> {
    let mut edited = TemplateText::parse(operations).map_err(|error| invalid(FILE, error.to_string()))?;
    let functions: BTreeSet<_> = template.functions()?.into_iter().map(|function| function.name).collect();
    let authorizers = authorizers(template)?;
    let failing = functions.iter().filter(|name| !authorizers.contains(*name)).cloned().collect();
    for (collection, names) in [
        ("Function", functions),
        ("FailingFunction", failing),
        ("StreamFunction", stream_functions(template)?),
        ("Queue", queues(template, true)?),
        ("DeadLetterQueue", queues(template, false)?),
    ] {
        update_loop(&mut edited, collection, &names)?;
    }
    update_thresholds(&mut edited, template)?;
    Ok(edited.text().to_owned())
}

/// Replaces the values of `Fn::ForEach::EachNAME`. Also replaces the same values in another layout, so that the removal of a
/// new function restores the file.
fn update_loop(edited: &mut TemplateText, collection: &str, names: &BTreeSet<String>) -> Result<(), GenerateError> {
    let id = format!("Fn::ForEach::Each{collection}");
    if !edited.contains(&["Resources"], &id) {
        let resources = edited.document()["Resources"].as_mapping();
        let mut resources = resources.into_iter().flat_map(|resources| resources.keys()).filter_map(Value::as_str);
        if names.is_empty() || !resources.any(|resource| resource.starts_with("Fn::ForEach::Each")) {
            return Ok(());
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let reason = format!("the loop {id} is missing, so {} would have no alarms; add the loop again", names.join(", "));
        return Err(invalid(FILE, reason));
    }
    let current = edited.document()["Resources"][id.as_str()][1].as_sequence();
    let current = current.map(|names| names.iter().filter_map(Value::as_str));
    let is_current = current.is_some_and(|current| current.eq(names.iter().map(String::as_str)));
    // CloudFormation rejects a loop without values.
    if names.is_empty() && !is_current {
        let action = "add the new function before you remove the last one, or remove the loop";
        return Err(invalid(FILE, format!("template.yaml has nothing for the loop {id}; {action}")));
    }
    let mut lines: Vec<_> = edited.block(&["Resources"], &id)?.lines().map(str::to_owned).collect();
    let arguments = items(&lines);
    let [_, values, _] = arguments.as_slice() else {
        if is_current {
            return Ok(());
        }
        return Err(invalid(FILE, format!("{id} must have three arguments, each beginning on its own line")));
    };
    let spaces = indentation(&lines[values.start]);
    let names: Vec<_> = names.iter().cloned().collect();
    let list = sequence(&format!("{}-", " ".repeat(spaces)), spaces + 2, &names);
    // A block sequence in a sequence begins on the same line.
    let list = list.replacen(&format!("-\n{}- ", " ".repeat(spaces + 2)), "- - ", 1);
    let list: Vec<_> = list.lines().map(str::to_owned).collect();
    let old = &lines[values.clone()];
    // The layout of a list with comments stays.
    if *old == list || (is_current && old.iter().any(|line| line.contains('#'))) {
        return Ok(());
    }
    lines.splice(values.clone(), list);
    Ok(edited.replace(&["Resources"], &id, &(lines.join("\n") + "\n"))?)
}

/// Sets the threshold of each function in the mapping `Slow` to 80 % of its timeout.
fn update_thresholds(edited: &mut TemplateText, template: &Template) -> Result<(), GenerateError> {
    let section = ["Mappings", "Slow"];
    if !edited.contains(&section[..1], "Slow") {
        return Ok(());
    }
    let default = &template.root()["Globals"]["Function"]["Timeout"];
    let mut thresholds = BTreeMap::new();
    for (id, properties) in template.resources_of_type("AWS::Serverless::Function") {
        // Lambda's default is 3 seconds.
        let timeout = properties.get("Timeout").unwrap_or(default);
        let seconds = if timeout.is_null() { Some(3) } else { timeout.as_u64() };
        let seconds = seconds.ok_or_else(|| invalid("template.yaml", format!("the Timeout of {id} must be a number")))?;
        thresholds.insert(function_name(properties)?, seconds * 800);
    }
    for (name, threshold) in &thresholds {
        let line = format!("    {name}: {{Milliseconds: {threshold}}}\n");
        let entries = edited.entries(&section)?;
        if !entries.contains(name) {
            match entries.iter().find(|entry| *entry > name) {
                Some(next) => edited.insert_before(&section, next, &line)?,
                None => edited.insert_last(&section, &line)?,
            }
        } else if edited.document()["Mappings"]["Slow"][name.as_str()]["Milliseconds"].as_u64() != Some(*threshold) {
            let block = edited.block(&section, name)?.split_inclusive('\n');
            let comments: String = block.take_while(|line| line.trim_start().starts_with('#')).collect();
            edited.replace(&section, name, &(comments + &line))?;
        }
    }
    for name in edited.entries(&section)? {
        if !thresholds.contains_key(&name) {
            edited.remove(&section, &name)?;
        }
    }
    Ok(())
}

/// The names of the functions that are authorizers of an API. Lambda counts their rejections as errors, so they need another alarm.
pub(crate) fn authorizers(template: &Template) -> Result<BTreeSet<String>, GenerateError> {
    let apis = template.resources_of_type("AWS::Serverless::Api");
    let authorizers = apis.flat_map(|(_, api)| api["Auth"]["Authorizers"].as_mapping().into_iter().flatten());
    let ids: BTreeSet<_> = authorizers
        .filter_map(|(_, authorizer)| match &authorizer["FunctionArn"] {
            Value::Tagged(arn) => arn.value.as_str()?.split('.').next(),
            _ => None,
        })
        .collect();
    let functions = template.resources_of_type("AWS::Serverless::Function");
    let names = functions.filter(|(id, _)| ids.contains(id)).map(|(_, properties)| function_name(properties));
    Ok(names.collect::<Result<_, _>>()?)
}

/// The functions that read a stream.
fn stream_functions(template: &Template) -> Result<BTreeSet<String>, GenerateError> {
    let functions = template.resources_of_type("AWS::Serverless::Function").filter(|(_, properties)| {
        let mut events = properties["Events"].as_mapping().into_iter().flatten();
        events.any(|(_, event)| event["Type"] == "DynamoDB" || event["Type"] == "Kinesis")
    });
    Ok(functions.map(|(_, properties)| function_name(properties)).collect::<Result<_, _>>()?)
}

/// The names, without the stack's prefix, of the queues with a redrive policy (`has_redrive_policy`) or of those
/// without, which are dead-letter queues.
fn queues(template: &Template, has_redrive_policy: bool) -> Result<BTreeSet<String>, GenerateError> {
    let queues = template.resources_of_type("AWS::SQS::Queue");
    let selected = queues.filter(|(_, queue)| queue.get("RedrivePolicy").is_some() == has_redrive_policy);
    let names = selected.map(|(id, queue)| {
        let name = if let Value::Tagged(name) = &queue["QueueName"] { name.value.as_str() } else { None };
        let name = name.and_then(|name| name.strip_prefix("${AWS::StackName}-"));
        let reason =
            || format!("the QueueName of {id} must be !Sub \"${{AWS::StackName}}-NAME\", so that its alarms find it");
        name.map(str::to_owned).ok_or_else(|| invalid("template.yaml", reason()))
    });
    names.collect()
}
