//! `./scripts/remove-function`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::bail;
use ferrite_local_stack::console::report;
use ferrite_local_stack::files::at;
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::add::OPERATIONS;
use crate::changes::Changes;
use crate::name::FunctionName;
use crate::operations::Operations;
use crate::project::{Project, TEMPLATE};
use crate::render::rustfmt;
use crate::test_modules::without_module;

/// The record of the release that a project was created from. This repository has none.
const RECORD: &str = "ferrite.toml";

/// The changes that remove a function, and what is left to do by hand.
pub(crate) struct Removal {
    /// The changes.
    pub(crate) changes: Changes,
    name: FunctionName,
    /// The logical ids of the removed resources.
    resources: BTreeSet<String>,
}

impl Removal {
    /// Prints what is left to do by hand, if there is something. `project` is the project after the removal.
    ///
    /// # Errors
    /// Returns an error if a folder cannot be read.
    pub(crate) fn print_leftovers(&self, project: &Project) -> anyhow::Result<()> {
        let leftovers = self.leftovers(project)?;
        if !leftovers.is_empty() {
            report("\nThe following still refers to the function. Check whether it is needed:");
        }
        leftovers.iter().for_each(|leftover| report(&format!("  {leftover}")));
        Ok(())
    }

    /// The places that still mention the function or one of the removed resources.
    fn leftovers(&self, project: &Project) -> anyhow::Result<Vec<String>> {
        let mut leftovers = Vec::new();
        for section in ["Resources", "Outputs"] {
            let entries = project.template().document()[section].as_mapping().into_iter().flatten();
            for (id, value) in entries {
                let left = references(value).into_iter().find(|reference| self.resources.contains(reference));
                if let (Some(id), Some(left)) = (id.as_str(), left) {
                    leftovers.push(format!("{TEMPLATE}: {section}.{id} refers to {left}"));
                }
            }
        }
        let is_project = project.exists(RECORD);
        for folder in ["functions", "infra", "scripts", "shared", "tests"] {
            for path in files(project.root(), folder)? {
                if is_derived(&path) || (is_project && is_of_kit(&path)) {
                    continue;
                }
                // Binary files mention no functions.
                let text = project.read_file(&path).unwrap_or_default();
                let lines = text.lines().enumerate().filter(|(_, line)| self.is_mentioned_in(line));
                leftovers.extend(lines.map(|(index, _)| format!("{path}:{}", index + 1)));
            }
        }
        Ok(leftovers)
    }

    fn is_mentioned_in(&self, line: &str) -> bool {
        [self.name.as_str(), &self.name.snake_case()].iter().any(|word| {
            let is_part = |character: char| character.is_alphanumeric() || character == '-' || character == '_';
            line.match_indices(word)
                .any(|(start, _)| !line[..start].ends_with(is_part) && !line[start + word.len()..].starts_with(is_part))
        })
    }
}

/// Computes the changes that remove a function: its folder, its resources, its operations in the API document, and its tests.
///
/// # Errors
/// Returns an error if there is no such function, or if another resource needs it.
pub(crate) fn remove(project: &Project, name: &str) -> anyhow::Result<Removal> {
    let functions = project.functions()?;
    let Some(function) = functions.iter().find(|function| function.name == name) else {
        let names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
        bail!("template.yaml has no function {name:?}; the functions are: {}", names.join(", "));
    };
    let name: FunctionName = name.parse()?;
    let mut changes = Changes::default();
    let mut template = project.template().clone();
    let removed = owned_resources(project, &function.id);
    if let Some((id, _)) = remaining(project, &removed).find(|(_, resource)| refers_to(resource, &function.id)) {
        bail!("{id} in template.yaml needs {name}; remove the reference to {} there first", function.id);
    }
    for id in &removed {
        template.remove(&["Resources"], id)?;
    }
    remove_outputs(&removed, &mut template)?;
    // The policy of all dead-letter queues may still name a removed queue, which the derived policy does not.
    changes.write(TEMPLATE, ferrite_generated_files::template(template.text())?);

    let folder = format!("functions/{name}");
    for path in files(project.root(), &folder)? {
        changes.remove(path);
    }
    if project.exists(OPERATIONS) {
        remove_operations(project, &name, &mut changes)?;
    }
    remove_tests(project, &name, &mut changes)?;
    Ok(Removal { changes, name, resources: removed })
}

/// The logical ids of the resources that only this function uses: its role, log group, queues, rules, and their policies.
fn owned_resources(project: &Project, function: &str) -> BTreeSet<String> {
    let resource = |id: &str| project.resources().find(|(other, _)| *other == id).map(|(_, resource)| resource);
    let mut owned = BTreeSet::from([function.to_owned()]);
    // Roles, queues and log groups that an owned resource refers to, and that nothing else uses.
    loop {
        let mut candidates = BTreeSet::new();
        for id in &owned {
            candidates.extend(resource(id).map(references).unwrap_or_default());
        }
        let new: Vec<String> = candidates
            .into_iter()
            .filter(|id| !owned.contains(id))
            .filter(|id| {
                let kind = resource(id).and_then(|resource| resource["Type"].as_str()).unwrap_or_default();
                ["AWS::IAM::Role", "AWS::SQS::Queue", "AWS::Logs::LogGroup"].contains(&kind)
            })
            .filter(|id| {
                let mut others = project.resources().filter(|(other, _)| !owned.contains(*other) && other != id);
                !others.any(|(_, other)| !follows_queue(other) && refers_to(other, id))
            })
            .collect();
        if new.is_empty() {
            break;
        }
        owned.extend(new);
    }
    // Rules and policies that refer to owned queues only.
    let following = project.resources().filter(|(_, resource)| follows_queue(resource));
    let following: Vec<String> = following
        .filter(|(_, resource)| {
            let queues = queues_of(resource);
            !queues.is_empty() && queues.iter().all(|queue| owned.contains(queue))
        })
        .map(|(id, _)| id.to_owned())
        .collect();
    owned.extend(following);
    owned
}

/// Whether the resource exists only because of queues: a rule that sends to them, or their policy.
fn follows_queue(resource: &Value) -> bool {
    resource["Type"] == "AWS::Events::Rule" || resource["Type"] == "AWS::SQS::QueuePolicy"
}

/// The queues to which a rule sends events, or to which a policy applies.
fn queues_of(resource: &Value) -> Vec<String> {
    let properties = &resource["Properties"];
    let targets = properties["Targets"].as_sequence().into_iter().flatten().map(|target| &target["Arn"]);
    let queues = properties["Queues"].as_sequence().into_iter().flatten();
    targets.chain(queues).flat_map(references).collect()
}

fn remaining<'a>(project: &'a Project, removed: &'a BTreeSet<String>) -> impl Iterator<Item = (&'a str, &'a Value)> {
    project.resources().filter(|(id, _)| !removed.contains(*id))
}

fn refers_to(value: &Value, id: &str) -> bool {
    references(value).contains(id)
}

/// The logical ids that a value refers to with `!Ref`, `!GetAtt` or `!Sub`.
fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Tagged(tagged) => match (&tagged.value, tagged.tag.to_string().as_str()) {
            (Value::String(text), "!Ref" | "!GetAtt") => [text.split('.').next().unwrap_or_default().to_owned()].into(),
            (Value::String(text), "!Sub") => {
                let names = text.split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next());
                names.map(str::to_owned).collect()
            }
            (value, _) => references(value),
        },
        Value::Sequence(values) => values.iter().flat_map(references).collect(),
        Value::Mapping(mapping) => mapping.values().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

fn remove_outputs(removed: &BTreeSet<String>, template: &mut TemplateText) -> anyhow::Result<()> {
    let outputs = template.document()["Outputs"].as_mapping().into_iter().flatten();
    let outputs = outputs.filter(|(_, output)| references(output).iter().any(|id| removed.contains(id)));
    let outputs: Vec<String> = outputs.filter_map(|(name, _)| name.as_str().map(str::to_owned)).collect();
    for output in outputs {
        template.remove(&["Outputs"], &output)?;
    }
    Ok(())
}

/// Removes the function's operations from the API document, and their tags if no other operation has them.
fn remove_operations(project: &Project, name: &FunctionName, changes: &mut Changes) -> anyhow::Result<()> {
    let operations = Operations::parse(OPERATIONS, &project.read_file(OPERATIONS)?)?;
    let tags = operations.tags_of(name.as_str());
    let Some(mut text) = operations.without(name.as_str()) else { return Ok(()) };
    for tag in tags {
        let remaining = Operations::parse(OPERATIONS, &text)?;
        if !remaining.uses_tag(&tag) {
            text = remaining.without_tag(&tag)?;
        }
    }
    // Fewer elements may fit on one line.
    changes.write(OPERATIONS, rustfmt(project.root(), &text)?);
    Ok(())
}

/// Removes the test module with the name of the function, and the snapshots of its responses.
fn remove_tests(project: &Project, name: &FunctionName, changes: &mut Changes) -> anyhow::Result<()> {
    let Ok(folder) = project.tests_folder() else { return Ok(()) };
    let module = name.snake_case();
    let main = format!("{folder}/main.rs");
    if let Some(text) = without_module(&project.read_file(&main)?, &module)
        && project.exists(&format!("{folder}/{module}.rs"))
    {
        changes.remove(format!("{folder}/{module}.rs"));
        changes.write(main, text);
    }
    let snapshot = format!("{folder}/snapshots/{name}.snap");
    if project.exists(&snapshot) {
        changes.remove(snapshot);
    }
    Ok(())
}

/// Folders of the kit beside its commands, which a project does not change.
const KIT: [&str; 10] = [
    "shared/aws/",
    "shared/core/",
    "shared/openapi/",
    "shared/runtime/",
    "tests/architecture/",
    "tests/aws-proxy/",
    "tests/emulators/",
    "tests/fuzz/",
    "tests/harness/",
    "tests/project-checks/",
];

/// Whether the file belongs to the kit. The examples in its tests and documentation have the same names as functions of the
/// skeleton.
fn is_of_kit(path: &str) -> bool {
    let is_command = path.starts_with("scripts/") && !path.starts_with("scripts/crates/application/");
    is_command || KIT.iter().any(|folder| path.starts_with(folder))
}

/// Whether `./scripts/generate` writes the file, or copies of released contracts.
fn is_derived(path: &str) -> bool {
    path.starts_with("shared/api/openapi.") || path.starts_with("infra/") || path.contains("/released/")
}

/// The files in a folder of the checkout and in its subfolders, by their paths relative to the root.
fn files(root: &Path, folder: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&path).map_err(at(&path))? {
            let entry = entry.map_err(at(&path))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let relative = format!("{folder}/{name}");
            if entry.file_type().map_err(at(&path))?.is_dir() {
                if !["target", "node_modules", "__pycache__"].contains(&name) {
                    folders.push(relative);
                }
            } else {
                found.push(relative);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{folder, project, write};

    fn removal(root: &Path, name: &str) -> anyhow::Result<Removal> {
        remove(&project(root), name)
    }

    /// Applies the changes, and returns what is left.
    fn leftovers(root: &Path, removal: &Removal) -> Vec<String> {
        removal.changes.apply(root, &[], || Ok(())).unwrap();
        removal.leftovers(&project(root)).unwrap()
    }

    #[test]
    fn removes_functions_that_were_written_by_hand() {
        let folder = folder();
        let root = folder.path();
        write(root, "tests/tests/app/notes.rs", "// create-note-x\n// create-note\nfn create_note() {}\n");
        let removal = removal(root, "create-note").unwrap();
        let changes = &removal.changes;
        assert!(!changes.text(OPERATIONS).unwrap().contains("create-note"));
        assert!(!changes.text(TEMPLATE).unwrap().contains("/~1notes"), "the throttling limit");
        assert_eq!(leftovers(root, &removal), ["tests/tests/app/notes.rs:2", "tests/tests/app/notes.rs:3"]);
        for path in ["functions/create-note", "tests/tests/app/create_note.rs"] {
            assert!(!root.join(path).exists(), "{path}");
        }
    }

    #[test]
    fn lists_no_mentions_in_what_is_generated_after_the_removal() {
        let folder = folder();
        let root = folder.path();
        let readme = "functions/README.md";
        write(root, readme, "HTTP: create-note\n");
        let removal = removal(root, "create-note").unwrap();
        assert_eq!(leftovers(root, &removal), [format!("{readme}:1")]);
        write(root, readme, "HTTP:\n");
        assert!(removal.leftovers(&project(root)).unwrap().is_empty());
    }

    #[test]
    fn lists_mentions_in_the_kit_only_in_the_repository_of_the_kit() {
        let folder = folder();
        let root = folder.path();
        for file in ["README.md", "crates/application/src/demo.rs", "crates/bench/src/subject.rs"] {
            write(root, &format!("scripts/{file}"), "create-note\n");
        }
        write(root, "shared/runtime/src/lib.rs", "create-note\n");
        let application = "scripts/crates/application/src/demo.rs:1";
        let all =
            ["scripts/README.md:1", application, "scripts/crates/bench/src/subject.rs:1", "shared/runtime/src/lib.rs:1"];
        let removal = removal(root, "create-note").unwrap();
        assert_eq!(leftovers(root, &removal), all);
        write(root, RECORD, "");
        assert_eq!(leftovers(root, &removal), [application]);
    }

    #[test]
    fn removes_only_resources_that_nothing_else_uses() {
        let folder = folder();
        let root = folder.path();
        let own = removal(root, "import-notes").unwrap();
        let template = own.changes.text(TEMPLATE).unwrap();
        for name in ["ImportNotes", "# Used by the import.", "DlqPolicy"] {
            assert!(!template.contains(name), "{name}:\n{template}");
        }
        assert!(template.contains("  Bucket:"), "{template}");

        // The API refers to the queue as well.
        let template =
            project(root).template().text().replace("MethodSettings:", "Queue: !Ref ImportNotesDlq\n      MethodSettings:");
        write(root, TEMPLATE, &template);
        let template = removal(root, "import-notes").unwrap().changes.text(TEMPLATE).unwrap().to_owned();
        assert!(template.contains("  ImportNotesDlq:") && !template.contains("  ImportNotes:"), "{template}");
    }

    #[test]
    fn rejects_functions_that_another_resource_needs() {
        let folder = folder();
        let template = project(folder.path())
            .template()
            .text()
            .replace("MethodSettings:", "Auth: !GetAtt GetNote.Arn\n      MethodSettings:");
        write(folder.path(), TEMPLATE, &template);
        let error = removal(folder.path(), "get-note").err().unwrap().to_string();
        assert_eq!(error, "Api in template.yaml needs get-note; remove the reference to GetNote there first");
    }

    #[test]
    fn lists_the_functions_if_the_name_is_unknown() {
        let error = removal(folder().path(), "get-team").err().unwrap().to_string();
        assert_eq!(
            error,
            "template.yaml has no function \"get-team\"; the functions are: get-note, create-note, import-notes"
        );
    }
}
