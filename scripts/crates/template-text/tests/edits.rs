//! Tests of the edits, on a template with headings, comments, and sections with and without blank lines.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

use std::error::Error as _;

use ferrite_template_text::{EditError, TemplateText, split};

const TEMPLATE: &str = r#"AWSTemplateFormatVersion: "2010-09-09"

# Describes the order of the file.

Parameters:
  LogLevel:
    Type: String
  # Limits a route.
  WritesPerSecond:
    Type: Number

Resources:
  # Storage

  Table:
    Type: AWS::DynamoDB::Table
    # checkov:skip=CKV_AWS_119:encrypted
    Properties:
      KeySchema:
      - {AttributeName: pk, KeyType: HASH}

  # The queue of process-item.
  # It has no dead-letter queue.
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-items"

  # Functions

  Preflight:
    Type: AWS::Serverless::Function
    Properties:
      Description: |
        Answers:

          # not a comment
      Events:
        Items: {Type: Api, Properties: {Method: OPTIONS, Path: /items}}
        "Item: one": {Type: Api, Properties: {Method: OPTIONS, Path: "/items/{id}"}}

Outputs:
  TableName: {Value: !Ref Table}
  QueueUrl: {Value: !Ref Queue}
"#;

const TOPIC: &str = "  # Tells others.\n  Topic:\n    Type: AWS::SNS::Topic\n";

fn template() -> TemplateText {
    TemplateText::parse(TEMPLATE).unwrap()
}

#[test]
fn lists_sections_and_entries_in_the_order_of_the_file() {
    let template = template();
    assert_eq!(template.entries(&[]).unwrap(), ["AWSTemplateFormatVersion", "Parameters", "Resources", "Outputs"]);
    assert_eq!(template.entries(&["Resources"]).unwrap(), ["Table", "Queue", "Preflight"]);
    let events = ["Resources", "Preflight", "Properties", "Events"];
    assert_eq!(template.entries(&events).unwrap(), ["Items", "Item: one"]);
}

#[test]
fn a_block_has_the_comments_directly_above_but_no_heading() {
    let template = template();
    let queue = template.block(&["Resources"], "Queue").unwrap();
    assert!(queue.starts_with("  # The queue of process-item.\n  # It has no dead-letter queue.\n  Queue:\n"), "{queue}");
    assert!(queue.ends_with("-items\"\n"), "{queue}");
    assert!(template.block(&["Resources"], "Table").unwrap().starts_with("  Table:\n"));
    assert!(template.block(&["Resources"], "Preflight").unwrap().contains("# not a comment"));
    assert_eq!(template.line(&["Resources"], "Table").unwrap(), 15);
}

#[test]
fn inserted_resources_are_separated_by_blank_lines() {
    for (anchor, before, after) in [
        ("Table", "KeyType: HASH}\n\n", "\n  # The queue of process-item.\n"),
        ("Queue", "-items\"\n\n", "\n  # Functions\n\n"),
        ("Preflight", "Path: \"/items/{id}\"}}\n\n", "\nOutputs:\n"),
    ] {
        let mut template = template();
        template.insert_after(&["Resources"], anchor, TOPIC).unwrap();
        assert!(template.text().contains(&format!("{before}{TOPIC}{after}")), "{}", template.text());
        template.remove(&["Resources"], "Topic").unwrap();
        assert_eq!(template.text(), TEMPLATE);
    }
    let mut before_queue = template();
    before_queue.insert_before(&["Resources"], "Queue", TOPIC).unwrap();
    let mut after_table = template();
    after_table.insert_after(&["Resources"], "Table", TOPIC).unwrap();
    assert_eq!(before_queue.text(), after_table.text());
}

#[test]
fn inserts_before_the_first_entry_below_its_heading() {
    let mut template = template();
    template.insert_before(&["Resources"], "Table", TOPIC).unwrap();
    assert!(template.text().contains(&format!("  # Storage\n\n{TOPIC}\n  Table:\n")), "{}", template.text());
    template.remove(&["Resources"], "Topic").unwrap();
    assert_eq!(template.text(), TEMPLATE);
}

#[test]
fn inserts_several_entries_at_once() {
    let mut template = template();
    template.insert_last(&["Resources"], &format!("\n{TOPIC}\n  Bus:\n    Type: AWS::Events::EventBus\n")).unwrap();
    assert_eq!(template.entries(&["Resources"]).unwrap(), ["Table", "Queue", "Preflight", "Topic", "Bus"]);
    assert!(template.text().contains("EventBus\n\nOutputs:"), "{}", template.text());
}

#[test]
fn entries_of_a_section_without_blank_lines_are_not_separated() {
    let mut template = template();
    template.insert_after(&["Outputs"], "TableName", "  BusName: {Value: bus}\n").unwrap();
    template.insert_last(&["Outputs"], "  TopicName: {Value: topic}").unwrap();
    let outputs = "  TableName: {Value: !Ref Table}\n  BusName: {Value: bus}\n  QueueUrl: {Value: !Ref Queue}\n  TopicName: {Value: topic}\n";
    assert!(template.text().ends_with(outputs), "{}", template.text());
    template.insert_after(&["Parameters"], "LogLevel", "  Rate:\n    Type: Number\n").unwrap();
    assert!(template.text().contains("  Rate:\n    Type: Number\n  # Limits a route.\n"), "{}", template.text());
    let events = ["Resources", "Preflight", "Properties", "Events"];
    template.insert_after(&events, "Items", "        Me: {Type: Api}").unwrap();
    template.remove(&events, "Item: one").unwrap();
    assert_eq!(template.entries(&events).unwrap(), ["Items", "Me"]);
}

#[test]
fn removes_an_entry_with_its_comments_and_one_blank_line() {
    let mut template = template();
    template.remove(&["Resources"], "Queue").unwrap();
    assert!(template.text().contains("KeyType: HASH}\n\n  # Functions\n\n  Preflight:"), "{}", template.text());
    template.remove(&["Resources"], "Preflight").unwrap();
    assert!(template.text().contains("KeyType: HASH}\n\n  # Functions\n\nOutputs:"), "{}", template.text());
    template.remove(&["Parameters"], "WritesPerSecond").unwrap();
    assert!(template.text().contains("  LogLevel:\n    Type: String\n\nResources:"), "{}", template.text());
}

#[test]
fn replaces_text_only_within_the_entry() {
    let mut template = template();
    template
        .replace_text(&["Resources"], "Table", "Type: AWS::DynamoDB::Table", "Type: AWS::DynamoDB::GlobalTable")
        .unwrap();
    assert_eq!(template.text(), TEMPLATE.replace("DynamoDB::Table", "DynamoDB::GlobalTable"));
    let error = template.replace_text(&["Resources"], "Table", "AWS::SQS", "AWS::SNS").unwrap_err();
    assert!(matches!(error, EditError::NotOnce { count: 0, .. }), "{error}");
    let error = template.replace_text(&["Resources"], "Table", "Table:", "Renamed:").unwrap_err();
    assert!(error.to_string().contains("does not consist of the entry Table"), "{error}");
}

#[test]
fn errors_leave_the_text_as_it_was() {
    let mut template = template();
    let exists = template.insert_last(&["Resources"], "  Queue:\n    Type: AWS::SNS::Topic\n").unwrap_err();
    assert_eq!(exists.to_string(), "line 24 of template.yaml: Resources already has an entry Queue");
    let unknown = template.insert_after(&["Resources"], "Topic", TOPIC).unwrap_err();
    assert_eq!(unknown.to_string(), "Resources in template.yaml has no entry Topic");
    let no_section = template.remove(&["Mappings"], "Slow").unwrap_err();
    assert_eq!(no_section.to_string(), "template.yaml has no section Mappings");
    let invalid = template.insert_last(&["Resources"], "  Topic: [").unwrap_err();
    assert!(matches!(invalid, EditError::InvalidBlock { .. }), "{invalid}");
    let wrong_indentation = template.insert_last(&["Resources"], "Topic:\n  Type: AWS::SNS::Topic\n").unwrap_err();
    assert!(matches!(wrong_indentation, EditError::ChangesMore { .. }), "{wrong_indentation}");
    let layout = template.entries(&["Outputs", "QueueUrl"]).unwrap_err();
    assert!(layout.to_string().starts_with("line 44 of template.yaml: cannot edit Outputs.QueueUrl"), "{layout}");
    assert_eq!(template.text(), TEMPLATE);
}

#[test]
fn the_only_entry_of_a_section_cannot_be_removed() {
    let mut template = TemplateText::parse("Resources:\n  Table:\n    Type: AWS::DynamoDB::Table\n").unwrap();
    let error = template.remove(&["Resources"], "Table").unwrap_err();
    assert_eq!(error.to_string(), "Table is the only entry of Resources in template.yaml; remove Resources instead");
}

#[test]
fn an_error_in_the_template_names_its_line() {
    for (template, reason) in [
        ("Resources:\n  Table:\n    Type: [\n  Queue: {}\n", "line 5"),
        ("Resources:\n  Table: {}\n  Table: {}\n", "duplicate"),
    ] {
        let error = TemplateText::parse(template).unwrap_err();
        // The message does not repeat that of the source, because the commands print both.
        assert_eq!(error.to_string(), "template.yaml is not valid YAML");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(reason), "{source}");
    }
}

#[test]
fn keeps_the_line_breaks_of_the_file() {
    let mut template = TemplateText::parse(&TEMPLATE.replace('\n', "\r\n")).unwrap();
    template.insert_after(&["Resources"], "Table", TOPIC).unwrap();
    assert!(!template.text().replace("\r\n", "").contains('\n'));
    template.remove(&["Resources"], "Topic").unwrap();
    assert_eq!(template.text().replace("\r\n", "\n"), TEMPLATE);
    let mut without_end = TemplateText::parse(TEMPLATE.trim_end()).unwrap();
    without_end.insert_last(&["Outputs"], "  TopicName: {Value: topic}").unwrap();
    assert!(without_end.text().ends_with("!Ref Queue}\n  TopicName: {Value: topic}\n"));
}

#[test]
fn splits_a_document_and_its_entries_into_blocks_with_all_lines() {
    let document = split(TEMPLATE).unwrap();
    let joined: String = document.entries.iter().map(|(_, block)| *block).collect();
    assert_eq!((document.head, joined.as_str()), ("", TEMPLATE));
    let names: Vec<_> = document.entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["AWSTemplateFormatVersion", "Parameters", "Resources"]);

    let (_, resources) = &document.entries[2];
    let resources = split(resources).unwrap();
    assert_eq!(resources.head, "\nResources:\n");
    let (name, queue) = &resources.entries[1];
    assert_eq!(name, "Queue");
    assert!(queue.starts_with("\n  # The queue of process-item.\n"), "{queue}");
    assert!(queue.ends_with("      QueueName: !Sub \"${AWS::StackName}-items\"\n"), "{queue}");
    let properties = split(queue).unwrap();
    assert_eq!(properties.entries[0].0, "Type");
}

#[test]
fn does_not_split_lists_scalars_and_repeated_keys() {
    for text in
        ["", "# A comment.\n", "- a\n- b\n", "Key: 1\n", "Key:\n- a: 1\n  b: 2\n", "Text: |\n  a: 1\n", "a: 1\na: 2\n"]
    {
        assert_eq!(split(text), None, "{text}");
    }
}
