//! The table of the functions' triggers in functions/README.md.

use std::collections::BTreeMap;

use ferrite_local_stack::template::{Template, function_name};
use serde_yaml_ng::Value;

use crate::GenerateError;
use crate::alarms::authorizers;

pub(crate) const FILE: &str = "functions/README.md";

const HEADER: &str = "| trigger | functions |\n|---|---|\n";

/// The triggers, in the order of the table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trigger {
    RouteWithToken,
    RouteWithoutToken,
    Authorizer,
    Stream,
    Queue,
    Upload,
    Schedule,
    Other,
}

impl Trigger {
    fn title(self) -> &'static str {
        match self {
            Self::RouteWithToken => "HTTP, with a token",
            Self::RouteWithoutToken => "HTTP, without a token",
            Self::Authorizer => "API Gateway authorizer",
            Self::Stream => "DynamoDB stream",
            Self::Queue => "SQS",
            Self::Upload => "S3 upload",
            Self::Schedule => "schedule",
            Self::Other => "other",
        }
    }

    /// The trigger of an event.
    fn of(event: &Value) -> Self {
        match event["Type"].as_str() {
            Some("Api" | "HttpApi") if event["Properties"]["Auth"]["Authorizer"] == "NONE" => Self::RouteWithoutToken,
            Some("Api" | "HttpApi") => Self::RouteWithToken,
            Some("DynamoDB" | "Kinesis") => Self::Stream,
            Some("SQS") => Self::Queue,
            Some("S3") => Self::Upload,
            Some("Schedule" | "ScheduleV2") => Self::Schedule,
            _ => Self::Other,
        }
    }
}

/// Replaces the rows of the table, if the file has one.
pub(crate) fn update(template: &Template, readme: &str) -> Result<String, GenerateError> {
    let Some((before, rest)) = readme.split_once(HEADER) else { return Ok(readme.to_owned()) };
    let rows: usize = rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    let authorizers = authorizers(template)?;
    let mut functions: BTreeMap<Trigger, Vec<String>> = BTreeMap::new();
    for (_, properties) in template.resources_of_type("AWS::Serverless::Function") {
        let name = function_name(properties)?;
        let mut events = properties["Events"].as_mapping().into_iter().flatten().map(|(_, event)| event);
        let event = events.next();
        let without_events = if authorizers.contains(&name) { Trigger::Authorizer } else { Trigger::Other };
        let trigger = event.map_or(without_events, Trigger::of);
        let schedule = event.and_then(|event| event["Properties"]["Schedule"].as_str());
        let schedule = schedule.map(|schedule| format!(" (`{schedule}`)")).unwrap_or_default();
        functions.entry(trigger).or_default().push(format!("{name}{schedule}"));
    }
    let table: String =
        functions.iter().map(|(trigger, names)| format!("| {} | {} |\n", trigger.title(), names.join(", "))).collect();
    Ok(format!("{before}{HEADER}{table}{}", &rest[rows..]))
}
