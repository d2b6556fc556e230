//! Runs the checks on this checkout. They print what is wrong and what to change.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ferrite_local_stack::template::Template;
use ferrite_project_checks::{alarms, features, functions, gateway, openapi, partition, queues, roles, storage, throttling};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn template() -> Template {
    Template::read(&checkout().join("template.yaml")).unwrap()
}

/// The names of the folders in functions/ that have a manifest.
fn function_crates() -> BTreeSet<String> {
    let entries = fs::read_dir(checkout().join("functions")).unwrap().map(|entry| entry.unwrap());
    let crates = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    crates.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn buckets_are_private_and_encrypted_and_require_tls() {
    assert_none(&storage::buckets(&template()));
}

#[test]
fn tables_are_recoverable_and_protected_in_production() {
    assert_none(&storage::tables(&template()));
}

#[test]
fn queues_are_encrypted_and_require_tls() {
    assert_none(&queues::encryption(&template()));
}

#[test]
fn dead_letters_of_every_queue_and_function_are_kept() {
    assert_none(&queues::dead_letters(&template()));
}

#[test]
fn functions_have_log_groups_with_a_retention_period() {
    assert_none(&functions::log_groups(&template()));
}

#[test]
fn the_template_deploys_every_function() {
    assert_none(&functions::crates(&template(), &function_crates()));
}

#[test]
fn roles_have_no_wildcards_and_name_the_partitions_of_tables() {
    assert_none(&roles::permissions(&template()));
}

#[test]
fn write_routes_have_throttling_limits() {
    assert_none(&throttling::limits(&template()).unwrap());
}

#[test]
fn gateway_responses_are_problem_documents_without_data() {
    let template = template();
    assert_none(&[gateway::statuses(&template), gateway::variables(&template), gateway::headers(&template)].concat());
}

#[test]
fn the_template_and_the_openapi_document_have_the_same_routes() {
    let document = fs::read_to_string(checkout().join("shared/api/openapi.json")).unwrap();
    assert_none(&openapi::routes(&template(), &serde_json::from_str(&document).unwrap()).unwrap());
}

#[test]
fn authorizers_have_an_alarm_on_their_own_failures() {
    let operations = checkout().join("infra/operations.yaml");
    if operations.is_file() {
        assert_none(&alarms::authorizers(&template(), &Template::read(&operations).unwrap()));
    }
}

#[test]
fn templates_work_in_every_partition() {
    let nested = fs::read_dir(checkout().join("infra")).into_iter().flatten().map(|entry| entry.unwrap().path());
    let nested = nested.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    for path in nested.chain([checkout().join("template.yaml")]) {
        let name = path.strip_prefix(checkout()).unwrap().display().to_string();
        assert_none(&partition::fixed_names(&name, &fs::read_to_string(&path).unwrap()));
    }
}

#[test]
fn functions_enable_exactly_the_features_of_their_adapters() {
    for name in function_crates() {
        let read = |file: &str| fs::read_to_string(checkout().join("functions").join(&name).join(file)).unwrap();
        let manifest = read("Cargo.toml").parse().unwrap();
        assert_none(&features::violations(&name, &manifest, &read("src/main.rs"), &features::KIT));
    }
}
