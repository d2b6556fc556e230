//! `./scripts/new-function`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::changes::Changes;
use crate::events::EventType;
use crate::name::{FunctionName, pascal_case};
use crate::operations::{Operations, Tag};
use crate::parameters::Parameter;
use crate::payload_code::data_code;
use crate::project::{Project, TEMPLATE};
use crate::render::{Renderer, rustfmt};
use crate::resources::{self, StreamTable, api, bus, stream_table, upload_bucket, upload_prefixes};
use crate::route::Route;
use crate::sample::sample;
use crate::test_modules::with_module;
use crate::trigger::{Access, Trigger};

/// The file with the table of API operations.
pub(crate) const OPERATIONS: &str = "shared/api/src/openapi/operations.rs";
/// The API document.
pub(crate) const DOCUMENT: &str = "shared/api/openapi.json";

/// The file with the tests that cannot run everywhere.
const SKIPPED: &str = "tests/skipped.toml";
/// The entry for tests that read log lines.
const SKIPPED_LOGS: &str = r#"
[[skipped]]
places = ["endpoint", "aws"]
test = "logs::"
reason = "reads the functions' log lines from a file that only an emulator started by the suite writes"
"#;

/// Computes the files of a new function, and the changes of existing files.
///
/// # Errors
/// Returns an error if the name or the trigger conflicts with the project, or if the project does not have what the function
/// needs.
pub(crate) fn add(project: &Project, name: &FunctionName, trigger: &Trigger) -> anyhow::Result<Changes> {
    let ids: Vec<String> = trigger.resources().iter().map(|end| name.logical_id() + end).collect();
    name.check_unused()?;
    project.check_name(name, &ids)?;
    let mut changes = Changes::default();
    let mut values = common_values(project, name, trigger)?;
    let specific = match trigger {
        Trigger::Route(route, access) => route_values(project, route, *access)?,
        Trigger::Event(event) => event_values(project, event)?,
        Trigger::Schedule(schedule) => json!({
            "description": format!("Runs on the schedule {schedule}."),
            "schedule": schedule.to_string(),
            "schedule_yaml": if schedule.to_string().contains(['*', '?', ',']) { format!("\"{schedule}\"") } else { schedule.to_string() },
        }),
        Trigger::Upload(prefix) => {
            let (bucket, output) = upload_bucket(project)?;
            let existing = upload_prefixes(project, &bucket)?;
            prefix.check(name.as_str(), existing.iter().map(|(function, prefix)| (function.as_str(), prefix.as_str())))?;
            json!({
                "description": format!("Handles uploads to the folder {prefix}."),
                "prefix": prefix.to_string(), "bucket": bucket, "bucket_output": output,
            })
        }
        Trigger::Stream => {
            let StreamTable { id, output, key } = stream_table(project)?;
            let attributes = key.iter().map(|name| format!("{name:?}: {{\"S\": partition}}")).collect::<Vec<_>>();
            json!({
                "description": format!("Handles changes of items in {id}."),
                "table": id, "table_output": output, "item": format!("{{{}}}", attributes.join(", ")),
                "attributes": key.len(),
            })
        }
    };
    merge(&mut values, specific);
    values["dependencies"] = dependencies(project, trigger, &values)?;
    let kind = trigger.kind();
    let renderer = Renderer::new(values)?;
    let format = |code: String| rustfmt(project.root(), &code);

    let folder = format!("functions/{name}");
    changes.write(format!("{folder}/Cargo.toml"), renderer.render("Cargo.toml")?);
    changes.write(format!("{folder}/src/main.rs"), format(renderer.render(&format!("{kind}/main.rs"))?)?);
    changes.write(format!("{folder}/src/handler.rs"), format(renderer.render(&format!("{kind}/handler.rs"))?)?);
    changes.write(TEMPLATE, resources::add(project, trigger, &renderer)?);
    if let Trigger::Route(route, _) = trigger {
        changes.write(OPERATIONS, format(with_operation(project, route, &renderer)?)?);
    }
    let tests = project.tests_folder()?;
    let module = name.snake_case();
    let main = format!("{tests}/main.rs");
    if project.exists(&format!("{tests}/{module}.rs")) {
        bail!("{tests}/{module}.rs exists already; delete it or choose another name");
    }
    if matches!(trigger, Trigger::Route(..)) && has_snapshots(project, &tests) {
        changes.write(format!("{tests}/snapshots/{name}.snap"), renderer.render("route/responses.snap")?);
    }
    let test = format(renderer.render(&format!("{kind}/test.rs"))?)?;
    if test.contains("\nmod logs {") && project.exists(SKIPPED) {
        let text = project.read_file(SKIPPED)?;
        if !text.contains("test = \"logs::\"") {
            changes.write(SKIPPED, text + SKIPPED_LOGS);
        }
    }
    changes.write(format!("{tests}/{module}.rs"), test);
    changes.write(
        &main,
        with_module(&project.read_file(&main)?, &module).with_context(|| format!("{main} declares no modules"))?,
    );
    Ok(changes)
}

/// Whether the end-to-end tests compare responses with snapshots.
fn has_snapshots(project: &Project, tests: &str) -> bool {
    let responses = project.read_file(&format!("{tests}/responses.rs"));
    responses.is_ok_and(|code| code.contains("pub(crate) struct OperationResponses"))
}

/// The values that the templates of all triggers use.
fn common_values(project: &Project, name: &FunctionName, trigger: &Trigger) -> anyhow::Result<Value> {
    let default_timeout = project.default_of("Timeout")?;
    Ok(json!({
        "name": name.as_str(), "snake": name.snake_case(), "id": name.logical_id(), "sentence": name.sentence(),
        "kind": trigger.kind(),
        "memory": project.default_of("MemorySize")?,
        "timeout": trigger.timeout().unwrap_or(default_timeout),
        "default_timeout": default_timeout,
        "crates": {
            "api": module(&project.crate_in("shared/api")?),
            "aws": module(&project.crate_in("shared/aws")?),
            "core": module(&project.crate_in("shared/core")?),
            "domain": module(&project.crate_in("shared/domain")?),
            "harness": module(&project.crate_in("tests/harness")?),
            "runtime": module(&project.crate_in("shared/runtime")?),
        },
    }))
}

/// The name of a crate in code.
fn module(package: &str) -> String {
    package.replace('-', "_")
}

fn merge(values: &mut Value, other: Value) {
    if let (Value::Object(values), Value::Object(other)) = (values, other) {
        values.extend(other);
    }
}

fn route_values(project: &Project, route: &Route, access: Access) -> anyhow::Result<Value> {
    let routes = project.routes()?;
    route.check(routes.iter().map(|(function, method, path)| (function.as_str(), method.as_str(), path.as_str())))?;
    let operations = Operations::parse(OPERATIONS, &project.read_file(OPERATIONS)?)?;
    let document: Value =
        serde_json::from_str(&project.read_file(DOCUMENT)?).with_context(|| format!("{DOCUMENT} is not valid JSON"))?;
    let domain = project.read_file("shared/domain/src/lib.rs")?;
    let openapi = module(&project.crate_in("shared/openapi")?);
    let parameters =
        route.parameters().into_iter().map(|name| Parameter::new(name, &operations, &document, &domain, &openapi));
    let parameters: Vec<Parameter> = parameters.collect::<Result<_, _>>()?;
    let AdminScope { constant: scope, value: scope_value } = match access {
        Access::Admin => admin_scope(project)?,
        Access::Customer | Access::None => AdminScope { constant: String::new(), value: String::new() },
    };
    let tag = match operations.tag_for(&route.path) {
        Some(tag) => tag.to_owned(),
        None => new_tag(&operations, route)?.constant,
    };

    let openapi_access = match access {
        Access::Customer => "Access::User".to_owned(),
        Access::Admin => format!("Access::Scope({})", operations.item("crate", &scope)?),
        Access::None => "Access::Anyone".to_owned(),
    };
    let is_customer = access == Access::Customer;
    let (returns, test_name) = match (is_customer, parameters.is_empty()) {
        (true, true) => ("the subject of the caller's token", "returns_the_caller"),
        (true, false) => {
            ("the subject of the caller's token and the path parameters", "returns_the_caller_and_the_path_parameters")
        }
        (false, true) => ("an empty object", "returns_an_empty_object"),
        (false, false) => ("the path parameters", "returns_the_path_parameters"),
    };
    let fields = |subject: &str, value: &dyn Fn(&Parameter) -> String| {
        let subject = is_customer.then(|| format!("\"subject\": {subject}"));
        let parameters = parameters.iter().map(|parameter| format!("\"{}\": {}", parameter.name, value(parameter)));
        let fields: Vec<String> = subject.into_iter().chain(parameters).collect();
        if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
    };
    let sample = |parameter: &Parameter| format!("{:?}", parameter.sample);
    let calls = |invalid: Option<&str>| {
        let call = |parameter: &Parameter| {
            let value = if invalid == Some(&parameter.name) { "invalid" } else { &parameter.sample };
            format!(".path_parameter({:?}, {value:?})", parameter.name)
        };
        parameters.iter().map(call).collect::<String>()
    };
    let caller = match access {
        Access::Customer => ".with_caller(\"ada\", \"\")".to_owned(),
        Access::Admin => format!(".with_caller(\"ada\", {scope})"),
        Access::None => String::new(),
    };
    let path_with = |value: &dyn Fn(&Parameter) -> String| {
        parameters
            .iter()
            .fold(route.path.clone(), |path, parameter| path.replace(&format!("{{{}}}", parameter.name), &value(parameter)))
    };
    let path = path_with(&|parameter| parameter.sample.clone());
    let is_typed = |parameter: &Parameter| parameter.domain_type().is_some();
    let invalid = |parameter: &Parameter| if is_typed(parameter) { "invalid".to_owned() } else { parameter.sample.clone() };
    let invalid_path = parameters.iter().any(is_typed).then(|| path_with(&invalid));
    let call = |path: &str| match access {
        Access::Customer => format!("as_user(&user, \"{}\", {path})", route.method),
        Access::Admin => format!("with_scopes(&user, &[{scope_value:?}], \"{}\", {path})", route.method),
        Access::None => format!("request(\"{}\", {path})", route.method),
    };
    let body = parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.sample.as_str()));
    let body: BTreeMap<&str, &str> = body.chain(is_customer.then_some(("subject", "ada"))).collect();
    let tests = project.tests_folder()?;
    let listed: Vec<Value> = parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name, "variable": parameter.variable, "type": parameter.kind,
                "invalid": parameter.domain_type().is_some(), "test_parameters": calls(Some(&parameter.name)),
            })
        })
        .collect();
    let types: Vec<&str> = parameters.iter().filter_map(Parameter::domain_type).collect();
    Ok(json!({
        "description": format!("{route}."),
        "route": {"method": route.method, "path": route.path},
        "api": api(project)?,
        "public": if access == Access::None { ", Auth: {Authorizer: NONE}" } else { "" },
        "access": access.as_str(),
        "openapi_access": openapi_access,
        "scope": scope,
        "tag": tag,
        "parameters": listed,
        "parameter_types": types,
        "parameter_calls": parameter_calls(&parameters),
        "success_response": operations.item(&openapi, "SuccessResponse")?,
        "json": operations.item("serde_json", "json")?,
        "returns": returns,
        "returns_api": returns.replace("the caller's token", "the token"),
        "test_name": test_name,
        "body": fields("caller.subject()", &|parameter| parameter.variable.clone()),
        "test_body": fields("\"ada\"", &sample),
        "test_body_e2e": fields("user", &sample),
        "test_caller": caller,
        "test_parameters": calls(None),
        "snapshots": has_snapshots(project, &tests),
        "tests": tests,
        "invalid_path": invalid_path,
        "call_success": call("PATH"),
        "call_invalid": invalid_path.as_deref().map(|path| call(&format!("{path:?}"))),
        "snapshot_body": serde_json::to_string_pretty(&body)?,
        "path_constant": format!("const PATH: &str = {path:?};"),
    }))
}

/// The calls that add the parameters to the operation. The first one also adds the problem that there is no such resource.
fn parameter_calls(parameters: &[Parameter]) -> Vec<String> {
    let methods = ["identified_by"].into_iter().chain(std::iter::repeat("parameter"));
    methods.zip(parameters).map(|(method, parameter)| format!(".{method}({})", parameter.expression)).collect()
}

/// The scope that admins have.
struct AdminScope {
    /// The constant of the API crate, such as `NOTES_WRITE`.
    constant: String,
    /// Its value, such as `notes:write`.
    value: String,
}

/// Reads the scope of admins, which the application's tools define for tokens, and the API crate for handlers.
fn admin_scope(project: &Project) -> anyhow::Result<AdminScope> {
    const API: &str = "shared/api/src/lib.rs";
    let tools = ["scopes", "lib"].map(|file| format!("scripts/crates/application/src/{file}.rs"));
    let mut defined = None;
    for file in tools.iter().filter(|file| project.exists(file)) {
        let constants = text_constants(&project.read_file(file)?);
        defined = defined.or_else(|| constants.into_iter().find(|(name, _)| name == "ADMIN_SCOPE"));
    }
    let Some((_, value)) = defined else {
        bail!(
            "{} defines no constant ADMIN_SCOPE, the scope of admins; define it, or use --auth customer",
            tools.join(" or ")
        )
    };
    let constant = text_constants(&project.read_file(API)?).into_iter().find(|(_, other)| *other == value);
    let constant = constant.with_context(|| {
        format!("{API} has no constant with the scope of admins; add one, as in: pub const WRITE: &str = {value:?};")
    })?;
    Ok(AdminScope { constant: constant.0, value })
}

/// The names and values of the public constants with the type `&str`.
fn text_constants(code: &str) -> Vec<(String, String)> {
    let constants = code.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("pub const ")?.split_once(": &str = \"")?;
        Some((name.to_owned(), value.strip_suffix("\";")?.to_owned()))
    });
    constants.collect()
}

/// The tag of a route whose path begins like no other.
fn new_tag(operations: &Operations, route: &Route) -> anyhow::Result<Tag> {
    let mut segments = route.path.split('/');
    let literal = segments.find(|segment| !segment.is_empty() && !segment.starts_with('{'));
    let name = literal.unwrap_or("other");
    let mut constant: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let is_name = constant.starts_with(|first: char| first.is_ascii_uppercase());
    if !is_name || (operations.has_constant(&constant)? && !operations.has_tag(&constant)?) {
        constant.insert_str(0, "TAG_");
    }
    let description = literal.map_or_else(|| "Other operations.".to_owned(), |name| format!("Operations under /{name}."));
    Ok(Tag { constant, description, name: pascal_case(name) })
}

/// The code of the table of operations with the new operation.
fn with_operation(project: &Project, route: &Route, renderer: &Renderer) -> anyhow::Result<String> {
    let text = project.read_file(OPERATIONS)?;
    let operations = Operations::parse(OPERATIONS, &text)?;
    let text = operations.with(&route.path, &renderer.render("route/operation.rs")?);
    if operations.tag_for(&route.path).is_some() {
        return Ok(text);
    }
    let tag = new_tag(&operations, route)?;
    if operations.has_tag(&tag.constant)? {
        return Ok(text);
    }
    Ok(Operations::parse(OPERATIONS, &text)?.with_tag(&tag)?)
}

fn event_values(project: &Project, name: &str) -> anyhow::Result<Value> {
    let events = project.events()?;
    let event = events.get(name)?;
    if !project.template().contains(&["Resources"], "IdempotencyTable") {
        bail!("template.yaml has no table IdempotencyTable, in which a consumer records the events that it has handled");
    }
    if !project.template().contains(&["Outputs"], "IdempotencyTableName") {
        bail!("template.yaml has no output IdempotencyTableName, which the test of a consumer needs");
    }
    let other = match events.other_than(event) {
        Some(other) => json!({"type": other.name, "data": data_code(&sample_data(project, other)?, 2)}),
        None => Value::Null,
    };
    let data = sample_data(project, event)?;
    Ok(json!({
        "description": format!("Handles the event {}.", event.short_name()),
        "bus": bus(project)?,
        "limits_queues": project.template().contains(&["Conditions"], "LimitsQueues"),
        "event": {
            "source": events.source, "type": event.name, "enumeration": events.enumeration, "variant": event.variant,
            "payload": event.payload.clone().with_context(|| format!("{}::{} must have one unnamed field, its payload", events.enumeration, event.variant))?,
            "data": data_code(&data, 2), "test_data": data_code(&data, 1), "is_only": other.is_null(), "other": other,
        },
    }))
}

/// A payload that matches the schema of the event.
fn sample_data(project: &Project, event: &EventType) -> anyhow::Result<Value> {
    let path = format!("shared/domain/schemas/{}.json", event.name);
    let text = project.read_file(&path).context("run ./scripts/generate, which writes the schemas of the events")?;
    let schema: Value = serde_json::from_str(&text).with_context(|| format!("{path} is not valid JSON"))?;
    sample(&schema["properties"]["data"], &schema["$defs"]).context(path)
}

/// The lines of the sections `dependencies` and `dev-dependencies` of the manifest.
fn dependencies(project: &Project, trigger: &Trigger, values: &Value) -> anyhow::Result<Value> {
    let plain = |name: &str| format!("{name}.workspace = true");
    let with = |name: &str, feature: &str| format!("{name} = {{ workspace = true, features = [\"{feature}\"] }}");
    let [aws, core, domain, runtime] =
        ["aws", "core", "domain", "runtime"].map(|folder| project.crate_in(&format!("shared/{folder}")));
    let (aws, core, domain, runtime) = (aws?, core?, domain?, runtime?);
    let (mut workspace, registry, mut tests): (Vec<String>, &[&str], Vec<String>) = match trigger {
        Trigger::Route(..) => {
            let mut workspace = vec![plain(&project.crate_in("shared/api")?), plain(&runtime)];
            if values["parameter_types"].get(0).is_some() {
                workspace.push(plain(&domain));
            }
            (workspace, &["http", "serde_json", "tokio"], vec![with(&runtime, "testing")])
        }
        Trigger::Event(_) => (
            vec![with(&aws, "sqs"), plain(&core), plain(&domain), plain(&runtime)],
            &["serde", "tokio"],
            vec![with(&core, "testing"), plain("serde_json")],
        ),
        Trigger::Stream => (vec![with(&aws, "sqs"), plain(&runtime)], &["serde", "serde_json", "tokio"], Vec::new()),
        Trigger::Schedule(_) | Trigger::Upload(_) => {
            (vec![with(&aws, "sqs"), plain(&runtime)], &["serde", "serde_json", "tokio"], Vec::new())
        }
    };
    workspace.sort();
    tests.sort();
    let registry: Vec<String> = registry.iter().map(|name| plain(name)).collect();
    Ok(json!({"workspace": workspace, "registry": registry, "tests": tests}))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fixture::{files, folder, project, write};
    use crate::remove::remove;

    fn route(route: &str, access: Access) -> Trigger {
        Trigger::Route(route.parse().unwrap(), access)
    }

    fn event() -> Trigger {
        Trigger::Event("note.created".to_owned())
    }

    fn upload(prefix: &str) -> Trigger {
        Trigger::Upload(prefix.parse().unwrap())
    }

    fn schedule() -> Trigger {
        Trigger::Schedule("cron(30 0 * * ? *)".parse().unwrap())
    }

    fn add_to(root: &Path, name: &str, trigger: &Trigger) -> anyhow::Result<Changes> {
        add(&project(root), &name.parse()?, trigger)
    }

    fn apply(root: &Path, changes: &Changes) {
        changes.apply(root, &[], || Ok(())).unwrap();
    }

    fn error(root: &Path, name: &str, trigger: &Trigger) -> String {
        match add_to(root, name, trigger) {
            Ok(_) => panic!("{name} was added"),
            Err(error) => format!("{error:#}"),
        }
    }

    /// Paths of files, each with a text that the file contains.
    type ExpectedTexts = Vec<(&'static str, &'static str)>;

    /// All kinds of functions, each with texts that its files contain.
    fn all() -> Vec<(&'static str, Trigger, ExpectedTexts)> {
        vec![
            (
                "count-notes",
                route("GET /notes/{noteId}/count/{kindId}", Access::Customer),
                vec![
                    ("functions/count-notes/Cargo.toml", "acme-domain.workspace = true"),
                    ("functions/count-notes/src/handler.rs", "let note_id: NoteId = path_id(&request, \"noteId\")?;"),
                    ("functions/count-notes/src/handler.rs", "let kind_id: String = path_id(&request, \"kindId\")?;"),
                    (
                        "shared/api/src/openapi/operations.rs",
                        ".identified_by(note_id())\n            .parameter(Parameter::new(",
                    ),
                    ("tests/tests/app/count_notes.rs", "\"/notes/note_aaaa/count/text\""),
                    ("template.yaml", "Method: HEAD, Path: \"/notes/{noteId}/count/{kindId}\"}}"),
                ],
            ),
            (
                "create-team",
                route("POST /teams", Access::Admin),
                vec![
                    ("functions/create-team/src/handler.rs", "caller(&request)?.require_scope(NOTES_WRITE)?;"),
                    ("shared/api/src/openapi/operations.rs", "\"post\", \"/teams\", Access::Scope(NOTES_WRITE))"),
                    ("shared/api/src/openapi/operations.rs", "TAGS: [(&str, &str); 2]"),
                    ("tests/tests/app/create_team.rs", "with_scopes(&user, &[\"notes:write\"], \"POST\", PATH)"),
                    (
                        "template.yaml",
                        "- {ResourcePath: /~1teams, HttpMethod: POST, ThrottlingRateLimit: !Ref WritesPerSecond",
                    ),
                ],
            ),
            (
                "get-status",
                route("GET /status", Access::None),
                vec![("template.yaml", "Path: \"/status\", Auth: {Authorizer: NONE}}}")],
            ),
            (
                "send-note",
                event(),
                vec![
                    ("template.yaml", "detail-type: [acme.note.created.v1]"),
                    ("template.yaml", "SendNoteQueueUrl: {Description: Queue of send-note, Value: !Ref SendNoteQueue}"),
                    ("functions/send-note/src/handler.rs", "let NoteEvent::NoteCreated(payload) = &event else {"),
                    ("tests/tests/app/send_note.rs", "json!({\"noteId\": \"note_aaaa\"})"),
                ],
            ),
            (
                "purge-notes",
                schedule(),
                vec![
                    ("template.yaml", "Queues: [!Ref ImportNotesDlq, !Ref PurgeNotesDlq]"),
                    ("template.yaml", "{Schedule: \"cron(30 0 * * ? *)\", Description: Purge notes}"),
                    ("tests/tests/app/purge_notes.rs", "runs on the schedule cron(30 0 * * ? *).\n"),
                ],
            ),
            ("scan-note", upload("scans/"), vec![("template.yaml", "Value: scans/}")]),
            (
                "index-note",
                Trigger::Stream,
                vec![
                    ("template.yaml", "Stream: !GetAtt Table.StreamArn"),
                    ("tests/tests/app/index_note.rs", "r#\"{\"attributes\":2}\"#"),
                ],
            ),
        ]
    }

    #[test]
    fn adds_and_removes_functions_of_all_kinds() {
        let folder = folder();
        let root = folder.path();
        let mut before = vec![files(root)];
        for (name, trigger, expected) in all() {
            apply(root, &add_to(root, name, &trigger).unwrap());
            let after = files(root);
            for (path, text) in expected {
                let file = after.iter().find(|(file, _)| file == path).map(|(_, text)| text.as_str()).unwrap_or_default();
                assert!(file.contains(text), "{path} does not contain {text:?}:\n{file}");
            }
            before.push(after);
        }
        before.pop();
        for (name, ..) in all().into_iter().rev() {
            apply(root, &remove(&project(root), name).unwrap().changes);
            let (expected, actual) = (before.pop().unwrap(), files(root));
            let paths = |files: &[(String, String)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
            assert_eq!(paths(&actual), paths(&expected), "{name}");
            for ((path, actual), (_, expected)) in actual.iter().zip(&expected) {
                assert_eq!(actual, expected, "{name}: {path}");
            }
        }
    }

    #[test]
    fn keeps_comments_and_puts_resources_after_similar_ones() {
        let folder = folder();
        let changes = add_to(folder.path(), "scan-note", &upload("scans/")).unwrap();
        let template = changes.text(TEMPLATE).unwrap();
        let position = |text: &str| template.find(text).unwrap_or_else(|| panic!("{text} is not in the template"));
        let order = [
            "# Used by the import.\n  ImportNotesDlq:",
            "ScanNoteDlq:",
            "# Only this account",
            "# Reads uploads.\n  ImportNotes:",
        ];
        let order = order.into_iter().chain([
            "ScanNoteLogGroup:",
            "ScanNoteRole:",
            "\n  ScanNote:",
            "\nOutputs:",
            "ScanNoteDlqUrl:",
        ]);
        assert!(order.map(position).is_sorted(), "{template}");
    }

    #[test]
    fn limits_the_concurrency_of_consumers_if_the_template_has_a_limit() {
        let folder = folder();
        let root = folder.path();
        let has_limit = || {
            let changes = add_to(root, "send-note", &event()).unwrap();
            changes.text(TEMPLATE).unwrap().contains("ScalingConfig: !If [LimitsQueues, ")
        };
        assert!(!has_limit());
        let template = std::fs::read_to_string(root.join(TEMPLATE)).unwrap();
        let condition = "Conditions:\n  LimitsQueues: !Not [!Equals [!Ref QueueConcurrency, 0]]\n";
        write(root, TEMPLATE, &template.replacen("Conditions:\n", condition, 1));
        assert!(has_limit());
    }

    #[test]
    fn rejects_names_that_are_taken() {
        let folder = folder();
        let root = folder.path();
        write(root, "functions/old-note/Cargo.toml", "");
        for (name, reason) in [
            ("get-note", "there is already a function get-note"),
            ("getnote", "same letters"),
            ("old-note", "the folder functions/old-note exists"),
            ("serde", "a crate serde"),
            ("table", "already has an entry Table"),
            ("notes", "tests/tests/app/notes.rs"),
            ("path-id", "the generated code uses it"),
            ("count-all-of-the-notes-of-a-team-and-all-of-its-members", "at most 42 characters"),
        ] {
            write(root, "tests/tests/app/notes.rs", "");
            let error = error(root, name, &route("GET /count", Access::None));
            assert!(error.contains(reason), "{name}: {error}");
        }
    }

    #[test]
    fn skips_tests_of_log_lines_where_there_is_no_log() {
        let folder = folder();
        let root = folder.path();
        write(root, SKIPPED, "# Skipped.\n");
        assert_eq!(add_to(root, "get-status", &route("GET /status", Access::None)).unwrap().text(SKIPPED), None);
        for (name, trigger) in
            [("purge-notes", schedule()), ("scan-note", upload("scans/")), ("index-note", Trigger::Stream)]
        {
            let changes = add_to(root, name, &trigger).unwrap();
            assert_eq!(changes.text(SKIPPED), Some(format!("# Skipped.\n{SKIPPED_LOGS}").as_str()), "{name}");
        }
        apply(root, &add_to(root, "purge-notes", &schedule()).unwrap());
        assert_eq!(add_to(root, "index-note", &Trigger::Stream).unwrap().text(SKIPPED), None);
    }

    #[test]
    fn adds_a_tag_whose_name_is_free() {
        let folder = folder();
        let root = folder.path();
        let operations = project(root).read_file(OPERATIONS).unwrap();
        let operations = operations
            .replace("const NOTES:", "const NOTE: &str = \"note_aaaa\";\nconst NOTES:")
            .replace("{Access,", "{Access, JSON,");
        write(root, OPERATIONS, &operations);
        for (path, constant, name, description) in [
            ("/note", "TAG_NOTE", "Note", "Operations under /note."),
            ("/json", "TAG_JSON", "Json", "Operations under /json."),
            ("/2fa", "TAG_2FA", "2fa", "Operations under /2fa."),
            ("/tags", "TAG_TAGS", "Tags", "Operations under /tags."),
            ("/teams", "TEAMS", "Teams", "Operations under /teams."),
            ("/{tenantId}/x", "X", "X", "Operations under /x."),
            ("/{tenantId}", "OTHER", "Other", "Other operations."),
        ] {
            let changes = add_to(root, "count-all", &route(&format!("GET {path}"), Access::None)).unwrap();
            let text = changes.text(OPERATIONS).unwrap();
            for expected in [
                format!("({constant}, \"{description}\")"),
                format!("const {constant}: &str = \"{name}\";"),
                format!(".describe({constant}, "),
            ] {
                assert!(text.contains(&expected), "{path}: {expected} is missing:\n{text}");
            }
        }
    }

    #[test]
    fn requires_constants_with_the_scope_of_admins() {
        let folder = folder();
        let root = folder.path();
        let admin = route("POST /teams", Access::Admin);
        write(root, "shared/api/src/lib.rs", "");
        assert!(error(root, "create-team", &admin).contains("pub const WRITE: &str = \"notes:write\";"));
        write(root, "scripts/crates/application/src/lib.rs", "");
        assert!(error(root, "create-team", &admin).contains("no constant ADMIN_SCOPE"));
    }

    #[test]
    fn rejects_triggers_that_conflict_with_the_project() {
        let folder = folder();
        let root = folder.path();
        for (trigger, reason) in [
            (route("GET /notes/{noteId}", Access::Customer), "get-note already serves GET /notes/{noteId}"),
            (route("GET /notes/{id}/x", Access::Customer), "use {noteId}"),
            (upload("uploads/scans/"), "import-notes already receives"),
            (Trigger::Event("note.deleted".to_owned()), "the events are: note.created, note.shared"),
        ] {
            let error = error(root, "new-note", &trigger);
            assert!(error.contains(reason), "{error}");
        }
        for name in ["index-note", "copy-note"] {
            apply(root, &add_to(root, name, &Trigger::Stream).unwrap());
        }
        let error = error(root, "new-note", &Trigger::Stream);
        assert!(error.contains("throttles more than two readers"), "{error}");
    }

    #[test]
    fn rejects_projects_without_the_resources_that_a_function_needs() {
        let folder = folder();
        let root = folder.path();
        let template = project(root).template().text().to_owned();
        for (trigger, removed, replacement, reason) in [
            (event(), "  IdempotencyTable:", "  Other:", "no table IdempotencyTable"),
            (event(), "AWS::Events::EventBus", "Other", "no event bus"),
            (route("GET /x", Access::None), "AWS::Serverless::Api", "Other", "no API"),
            (schedule(), "MemorySize: 256, ", "", "Globals.Function.MemorySize"),
            (Trigger::Stream, "StreamSpecification", "Other", "exactly one table with a StreamSpecification"),
        ] {
            write(root, TEMPLATE, &template.replace(removed, replacement));
            let error = error(root, "new-note", &trigger);
            assert!(error.contains(reason), "{removed}: {error}");
        }
        write(root, TEMPLATE, "Resources: [");
        let error = Project::read(ferrite_local_stack::checkout::Checkout::at(root)).err().unwrap();
        assert!(error.to_string().contains("template.yaml is not valid YAML"), "{error:#}");
    }
}
