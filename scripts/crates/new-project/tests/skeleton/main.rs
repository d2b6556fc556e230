//! Tests of the files of a new project: its size, its names, the links in its documents, and that nothing of the example
//! application is left.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

mod links;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use fancy_regex::Regex;
use ferrite_project::{Application, Generated, Names, generate};

/// Limits of the files that the team owns, so that a new project is easy to understand.
const MAX_FILES: usize = 60;
const MAX_LINES: usize = 3000;

/// Words of the example application. "order" is only listed in forms that do not also have a general meaning.
const STOREFRONT: &str = r"(?i)\bstorefront|\bproducts?\b|\bcustomers?\b(?! managed)|\bshops?\b|\borders\b|(place|process|cancel|expire)-order|order_id|OrderId";

/// Files of dependencies, whose descriptions may contain any word.
const DEPENDENCIES: [&str; 2] = ["Cargo.lock", "scripts/requirements/"];

/// A value of an option of `./scripts/new-function`, in its source and in documents.
const OPTION: &str = "customer";

/// A generated project: its files, and the texts of those that are texts.
struct Project {
    files: Generated,
    texts: BTreeMap<String, String>,
    is_formatted: bool,
}

/// The project with the skeleton, which the tests share, because generating it takes seconds.
fn project() -> &'static Project {
    static PROJECT: LazyLock<Project> = LazyLock::new(|| read_project(&Application::skeleton()));
    &PROJECT
}

fn read_project(application: &Application) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap();
    let names = Names::parse("aurora-borealis").unwrap();
    let files = generate(&source, &names, application, folder.path()).unwrap();
    let mut format = Command::new("cargo");
    format.args(["fmt", "--all", "--check"]).current_dir(folder.path());
    let is_formatted = format.status().unwrap().success();
    let all = files.owned.iter().chain(&files.generated).chain(&files.kit);
    let texts = all.filter_map(|file| Some((file.clone(), fs::read_to_string(folder.path().join(file)).ok()?)));
    Project { texts: texts.collect(), files, is_formatted }
}

/// The lines of all files that match a pattern, except in files whose paths start with one of `ignored`.
fn matching(project: &Project, pattern: &str, ignored: &[&str]) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let files = project.texts.iter().filter(|(file, _)| !ignored.iter().any(|prefix| file.starts_with(prefix)));
    let lines = files.flat_map(|(file, text)| text.lines().enumerate().map(move |(number, line)| (file, number + 1, line)));
    let found = lines.filter(|(_, _, line)| pattern.is_match(line).unwrap());
    found.map(|(file, number, line)| format!("{file}:{number}: {}", line.trim())).collect()
}

#[test]
fn a_project_has_few_files_that_the_team_owns() {
    let Project { files, texts, .. } = project();
    let mut sizes: Vec<(usize, &String)> = files.owned.iter().map(|file| (texts[file].lines().count(), file)).collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let lines: usize = sizes.iter().map(|(lines, _)| lines).sum();
    assert!(files.owned.len() <= MAX_FILES, "{} files: {:#?}", files.owned.len(), files.owned);
    assert!(lines <= MAX_LINES, "{lines} lines: {sizes:#?}");
    for kit in ["shared/runtime/src/lib.rs", "functions/authorize/src/main.rs", "scripts/test"] {
        assert!(files.kit.iter().any(|file| file == kit), "{kit}");
    }
}

/// `cargo fmt` does not format the skeleton in this repository, because it is not part of the workspace.
#[test]
fn a_project_is_formatted() {
    assert!(project().is_formatted, "run rustfmt on the files in scripts/skeleton");
}

#[test]
fn a_project_mentions_nothing_of_the_example_application() {
    let mut found = matching(project(), STOREFRONT, &DEPENDENCIES);
    found.retain(|line| !line.starts_with("scripts/crates/new-function/") || !line.to_lowercase().contains(OPTION));
    found.retain(|line| !line.contains("--auth customer"));
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn links_in_documents_lead_to_files_and_headings_of_the_project() {
    for project in [project(), &read_project(&Application::named("storefront"))] {
        let Generated { owned, generated, kit } = &project.files;
        let files = owned.iter().chain(generated).chain(kit).map(String::as_str).collect();
        let broken = links::broken(&project.texts, &files);
        assert!(broken.is_empty(), "{broken:#?}");
    }
}

#[test]
fn public_names_are_those_of_the_project() {
    let project = project();
    let kit_names = [
        r"urn:ferrite",
        r#"["' ]ferrite\.(?!toml)[a-z]"#,
        r"ferrite\.(local|example)",
        r"\bferrite-(local|test|staging)\b(?!-)",
    ];
    let found = matching(project, &kit_names.join("|"), &["Cargo.lock", ".gitignore"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
    // Without comments, which may name crates of the kit.
    let public =
        ["template.yaml", "samconfig.toml", "infra/operations.yaml", "infra/firewall.yaml", "shared/api/openapi.json"];
    for file in public {
        let lines = project.texts[file].lines().filter(|line| !line.trim_start().starts_with('#'));
        let found: Vec<&str> = lines.filter(|line| line.to_lowercase().contains("ferrite")).collect();
        assert!(found.is_empty(), "{file}: {found:#?}");
    }
    let template = &project.texts["template.yaml"];
    for name in ["aurora-borealis.note.created.v1", "urn:aurora-borealis:problem:throttled", "NAMESPACE: AuroraBorealis"] {
        assert!(template.contains(name), "{name}");
    }
    assert!(project.texts["shared/api/openapi.json"].contains("\"title\": \"Aurora Borealis API\""));
}

/// The project's copy of the alarms is maintained by hand, so that it does not contain those of the example application.
#[test]
fn the_alarms_of_the_skeleton_are_those_of_the_kit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let blocks = |text: &str| -> BTreeMap<String, String> {
        let resources = text.split("\nResources:\n").nth(1).unwrap().to_owned();
        let names = Regex::new(r"(?m)^  ([A-Za-z:]+):$").unwrap();
        let starts: Vec<(usize, String)> = names
            .captures_iter(&resources)
            .map(|name| name.unwrap())
            .map(|name| (name.get(0).unwrap().start(), name.get(1).unwrap().as_str().to_owned()))
            .collect();
        let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([resources.len()]);
        // Comments of the next resource are not part of a resource, and the lists of names differ.
        let is_shared = |line: &&str| {
            !line.starts_with("  #") && !line.starts_with("    - ") && !line.starts_with("      - ") && !line.is_empty()
        };
        let block =
            |(start, end): (usize, usize)| resources[start..end].lines().filter(is_shared).collect::<Vec<_>>().join("\n");
        starts.iter().zip(ends).map(|((start, name), end)| (name.clone(), block((*start, end)))).collect()
    };
    let kit = blocks(&read("infra/operations.yaml"));
    let skeleton = blocks(&read("scripts/skeleton/infra/operations.yaml"));
    assert!(skeleton.len() > 8, "{:?}", skeleton.keys());
    for (name, block) in skeleton.iter().filter(|(name, _)| *name != "Dashboard") {
        assert_eq!(
            kit.get(name),
            Some(block),
            "{name} of scripts/skeleton/infra/operations.yaml differs from infra/operations.yaml"
        );
    }
    let missing: Vec<&String> = kit.keys().filter(|name| !skeleton.contains_key(*name)).collect();
    assert_eq!(missing, ["EmailBounceRate", "EmailComplaintRate", "OrdersStandStill"]);
}
