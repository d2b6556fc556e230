//! Adds the resources of a function to template.yaml. New resources follow those of the last similar function.

use anyhow::{Context as _, bail};
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::project::Project;
use crate::render::Renderer;
use crate::trigger::Trigger;

/// Returns the template with the resources of a new function, and with everything that `./scripts/generate` derives from them.
///
/// # Errors
/// Returns an error if the template does not have the resources that the new ones refer to or follow.
pub(crate) fn add(project: &Project, trigger: &Trigger, renderer: &Renderer) -> anyhow::Result<String> {
    let mut template = project.template().clone();
    match trigger {
        Trigger::Route(..) => {}
        Trigger::Event(_) => {
            let anchor = last_consumer_resource(project)?;
            template.insert_after(&["Resources"], &anchor, &renderer.render("template/consumer.yaml")?)?;
        }
        Trigger::Schedule(_) | Trigger::Upload(_) | Trigger::Stream => {
            let anchor = last_dead_letter_queue(project)?;
            template.insert_after(&["Resources"], &anchor, &renderer.render("template/queue.yaml")?)?;
        }
    }
    let anchor = last_similar_function(project, trigger)?;
    template.insert_after(&["Resources"], &anchor, &renderer.render("template/function.yaml")?)?;
    if !matches!(trigger, Trigger::Route(..)) {
        add_outputs(&mut template, &renderer.render("template/outputs.yaml")?)?;
    }
    Ok(ferrite_generated_files::template(template.text())?)
}

/// The logical id of the last function with the same kind of trigger, or of the last function of all.
fn last_similar_function(project: &Project, trigger: &Trigger) -> anyhow::Result<String> {
    let functions = project.functions()?;
    let is_similar = |event: &Value| event["Type"] == trigger.event_type() && event["Properties"]["Method"] != "OPTIONS";
    let similar = functions.iter().rev().find(|function| function.events.iter().any(is_similar));
    let last = similar.or(functions.last()).context("template.yaml has no functions")?;
    Ok(last.id.clone())
}

/// The logical id of the last queue policy that lets a rule send messages, or of the last queue or the bus.
fn last_consumer_resource(project: &Project) -> anyhow::Result<String> {
    let is_for_rule = |policy: &Value| {
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_sequence().into_iter().flatten();
        statements.into_iter().any(|statement| statement["Principal"]["Service"] == "events.amazonaws.com")
    };
    let policies =
        project.resources().filter(|(_, resource)| resource["Type"] == "AWS::SQS::QueuePolicy" && is_for_rule(resource));
    let last = policies.last().map(|(id, _)| id);
    let last = last.or_else(|| project.ids_of_type("AWS::SQS::Queue").last().copied());
    let last = last.or_else(|| project.ids_of_type("AWS::Events::EventBus").last().copied());
    Ok(last.context("template.yaml has no event bus")?.to_owned())
}

/// The logical id of the last queue that no policy of its own names, or of the last queue or the bus.
fn last_dead_letter_queue(project: &Project) -> anyhow::Result<String> {
    let is_shared = |policy: &Value| policy["Properties"]["Queues"].as_sequence().is_some_and(|queues| queues.len() > 1);
    let policies = project.resources().filter(|(_, resource)| resource["Type"] == "AWS::SQS::QueuePolicy");
    let policy = policies.filter(|(_, policy)| is_shared(policy)).last().map(|(_, policy)| policy);
    let queues = policy.and_then(|policy| policy["Properties"]["Queues"].as_sequence());
    match queues.and_then(|queues| reference(queues.last()?)) {
        Some(queue) => Ok(queue.to_owned()),
        None => last_consumer_resource(project),
    }
}

/// Adds outputs after the last one about a queue.
fn add_outputs(template: &mut TemplateText, block: &str) -> anyhow::Result<()> {
    let outputs = template.entries(&["Outputs"])?;
    match outputs.iter().rev().find(|output| output.ends_with("DlqUrl") || output.ends_with("QueueUrl")) {
        Some(last) => template.insert_after(&["Outputs"], last, block)?,
        None => template.insert_last(&["Outputs"], block)?,
    }
    Ok(())
}

/// The logical id of the API.
///
/// # Errors
/// Returns an error if the template does not have exactly one API.
pub(crate) fn api(project: &Project) -> anyhow::Result<&str> {
    only(project, "AWS::Serverless::Api", "API")
}

/// The logical id of the bus.
///
/// # Errors
/// Returns an error if the template does not have exactly one bus.
pub(crate) fn bus(project: &Project) -> anyhow::Result<&str> {
    only(project, "AWS::Events::EventBus", "event bus")
}

fn only<'a>(project: &'a Project, kind: &str, description: &str) -> anyhow::Result<&'a str> {
    match project.ids_of_type(kind)[..] {
        [id] => Ok(id),
        [] => bail!("template.yaml has no {description} ({kind})"),
        ref ids => bail!("template.yaml has several resources of the type {kind}: {}", ids.join(", ")),
    }
}

/// The logical id of the bucket for uploads, and the name of the output with the bucket's name.
///
/// # Errors
/// Returns an error if it is not clear which bucket receives uploads, or if there is no such output.
pub(crate) fn upload_bucket(project: &Project) -> anyhow::Result<(String, String)> {
    let functions = project.functions()?;
    let events = functions.iter().flat_map(|function| &function.events).filter(|event| event["Type"] == "S3");
    let used = events.map(|event| &event["Properties"]["Bucket"]).find_map(reference);
    let bucket = match used {
        Some(bucket) => bucket,
        None => only(project, "AWS::S3::Bucket", "bucket")?,
    };
    Ok((bucket.to_owned(), output_of(project, bucket)?))
}

/// The name of the output whose value is a resource, which the tests read.
fn output_of(project: &Project, id: &str) -> anyhow::Result<String> {
    let outputs = project.template().document()["Outputs"].as_mapping().into_iter().flatten();
    let mut outputs = outputs.filter(|(_, output)| reference(&output["Value"]) == Some(id));
    let output = outputs.find_map(|(name, _)| name.as_str());
    let output =
        output.with_context(|| format!("template.yaml has no output with the value !Ref {id}, which the test needs"))?;
    Ok(output.to_owned())
}

/// The prefixes of the uploads to the bucket, each with the name of the function that receives them.
///
/// # Errors
/// Returns an error if the template cannot be interpreted.
pub(crate) fn upload_prefixes(project: &Project, bucket: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut prefixes = Vec::new();
    for function in project.functions()? {
        for event in function.events.iter().filter(|event| event["Type"] == "S3") {
            let properties = &event["Properties"];
            if reference(&properties["Bucket"]) != Some(bucket) {
                continue;
            }
            let rules = properties["Filter"]["S3Key"]["Rules"].as_sequence().into_iter().flatten();
            let prefix = rules.into_iter().find(|rule| rule["Name"] == "prefix").and_then(|rule| rule["Value"].as_str());
            prefixes.push((function.name.clone(), prefix.unwrap_or_default().to_owned()));
        }
    }
    Ok(prefixes)
}

/// The table whose stream a function reads.
pub(crate) struct StreamTable {
    /// The logical id.
    pub(crate) id: String,
    /// The name of the output with the table's name.
    pub(crate) output: String,
    /// The names of the attributes of the key.
    pub(crate) key: Vec<String>,
}

/// The table with the stream.
///
/// # Errors
/// Returns an error if there is no such table, or if two functions already read its stream.
pub(crate) fn stream_table(project: &Project) -> anyhow::Result<StreamTable> {
    let is_streamed = |resource: &Value| {
        resource["Type"] == "AWS::DynamoDB::Table" && resource["Properties"]["StreamSpecification"].is_mapping()
    };
    let tables: Vec<&str> = project.resources().filter(|(_, resource)| is_streamed(resource)).map(|(id, _)| id).collect();
    let [table] = tables[..] else {
        bail!("template.yaml must have exactly one table with a StreamSpecification, but it has {}", tables.len());
    };
    let functions = project.functions()?;
    let readers: Vec<_> =
        functions.iter().filter(|function| function.has_event("DynamoDB")).map(|function| function.name.as_str()).collect();
    if readers.len() >= 2 {
        bail!(
            "{} already read the stream of {table}, and DynamoDB throttles more than two readers of a stream; \
             handle a domain event instead, with --on",
            readers.join(" and ")
        );
    }
    let key =
        project.template().document()["Resources"][table]["Properties"]["KeySchema"].as_sequence().into_iter().flatten();
    let key = key.filter_map(|attribute| attribute["AttributeName"].as_str()).map(str::to_owned).collect();
    Ok(StreamTable { id: table.to_owned(), output: output_of(project, table)?, key })
}

/// The logical id in a `!Ref`.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    match value {
        Value::Tagged(tagged) if tagged.tag == "!Ref" => tagged.value.as_str(),
        _ => None,
    }
}
