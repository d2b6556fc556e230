//! A small project in a temporary folder, for tests.

use std::fs;
use std::path::Path;

use ferrite_local_stack::checkout::Checkout;
use tempfile::TempDir;

use crate::project::Project;

const MANIFEST: &str = r#"
[workspace.dependencies]
acme-api = { path = "shared/api" }
acme-domain = { path = "shared/domain" }
kit-aws = { path = "shared/aws" }
kit-core = { path = "shared/core" }
kit-openapi = { path = "shared/openapi" }
kit-runtime = { path = "shared/runtime" }
kit-test-harness = { path = "tests/harness" }
"#;

const LOCK: &str = "[[package]]\nname = \"get-note\"\n\n[[package]]\nname = \"serde\"\n";

const SAMCONFIG: &str = "[local.deploy.parameters]\nstack_name = \"acme-notes-local\"\n";

const TEMPLATE: &str = r#"# A template.
Parameters:
  WritesPerSecond: {Type: Number, Default: 50}

Conditions:
  OverTls: !Not [!Equals [!Ref AWS::StackName, acme-notes-local]]

Globals:
  Function: {MemorySize: 256, Timeout: 10}

Resources:
  # Storage

  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema:
        - {AttributeName: pk, KeyType: HASH}
        - {AttributeName: sk, KeyType: RANGE}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}

  IdempotencyTable:
    Type: AWS::DynamoDB::Table

  Bucket:
    Type: AWS::S3::Bucket

  # Events

  Bus:
    Type: AWS::Events::EventBus

  # Used by the import.
  ImportNotesDlq:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-import-notes-dlq"

  # Only this account may send to the other dead-letter queues.
  DlqPolicy:
    Type: AWS::SQS::QueuePolicy
    Condition: OverTls
    Properties:
      Queues: [!Ref ImportNotesDlq]
      PolicyDocument: {Statement: []}

  # The API

  Api:
    Type: AWS::Serverless::Api
    Properties:
      MethodSettings:
        - {ResourcePath: /*, HttpMethod: "*", ThrottlingRateLimit: 9, ThrottlingBurstLimit: 9}
        - {ResourcePath: /~1notes, HttpMethod: POST, ThrottlingRateLimit: !Ref WritesPerSecond, ThrottlingBurstLimit: !Ref WritesPerSecond}

  # Functions

  GetNote:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/get-note/
      Events:
        Route: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: "/notes/{noteId}"}}
        Head: {Type: Api, Properties: {RestApiId: !Ref Api, Method: HEAD, Path: "/notes/{noteId}"}}

  CreateNote:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/create-note/
      Events:
        Route: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: "/notes"}}

  # Reads uploads.
  ImportNotes:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/import-notes/
      Environment:
        Variables:
          DEAD_LETTER_QUEUE_URL: !Ref ImportNotesDlq
      Events:
        Upload:
          Type: S3
          Properties:
            Bucket: !Ref Bucket
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: prefix, Value: uploads/}]}}

Outputs:
  TableName: {Description: Table, Value: !Ref Table}
  BucketName: {Description: Bucket, Value: !Ref Bucket}
  ImportNotesDlqUrl: {Description: Dead-letter queue of import-notes, Value: !Ref ImportNotesDlq}
  IdempotencyTableName: {Description: Records, Value: !Ref IdempotencyTable}
"#;

const OPERATIONS: &str = r#"//! The table of operations.

use acme_domain::NoteId;
use kit_openapi::{Access, Operation, Parameter, SuccessResponse, schema_of};

use crate::NOTES_WRITE;

pub(super) const TAGS: [(&str, &str); 1] = [(NOTES, "Notes.")];

const NOTES: &str = "Notes";

fn note_id() -> Parameter {
    Parameter::new("noteId", "path", true, schema_of::<NoteId>(), "Identifier of the note.")
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        // Creates.
        Operation::new("create-note", "post", "/notes", Access::Scope(NOTES_WRITE))
            .describe(NOTES, "Create a note", "Creates a note.")
            .response(SuccessResponse::new(201, "The note.")),
        Operation::new("get-note", "get", "/notes/{noteId}", Access::User)
            .describe(NOTES, "Get a note", "Returns a note.")
            .identified_by(note_id())
            .response(SuccessResponse::new(200, "The note.")),
    ]
}
"#;

const DOCUMENT: &str = r#"{"components": {"parameters": {"NoteId": {
    "in": "path", "name": "noteId", "schema": {"type": "string", "pattern": "^note_[0-9a-f]{4}$"}
}}}}"#;

const EVENTS: &str = r#"
pub enum NoteEvent {
    #[serde(rename = "acme.note.created.v1")]
    NoteCreated(NoteCreated),
    #[serde(rename = "acme.note.shared.v1")]
    NoteShared(NoteShared),
}

impl Event for NoteEvent {
    const SOURCE: &'static str = "acme.notes";
}
"#;

const SCHEMA: &str = r#"{"properties": {"data": {"type": "object", "required": ["noteId"], "properties": {
    "noteId": {"type": "string", "pattern": "^note_[0-9a-f]{4}$"}
}}}}"#;

const APPLICATION: &str = r#"pub mod scopes {
    pub const ADMIN_SCOPE: &str = "notes:write";
}
"#;

/// The files of the project.
const FILES: [(&str, &str); 16] = [
    ("Cargo.toml", MANIFEST),
    ("Cargo.lock", LOCK),
    ("samconfig.toml", SAMCONFIG),
    ("rustfmt.toml", "max_width = 125\n"),
    ("template.yaml", TEMPLATE),
    ("functions/create-note/src/handler.rs", "fn f() {}"),
    ("scripts/crates/application/src/lib.rs", APPLICATION),
    ("shared/api/openapi.json", DOCUMENT),
    ("shared/api/src/lib.rs", "pub const OTHER: &str = \"other\";\npub const NOTES_WRITE: &str = \"notes:write\";\n"),
    ("shared/api/src/openapi/operations.rs", OPERATIONS),
    ("shared/domain/src/event.rs", EVENTS),
    ("shared/domain/src/lib.rs", "pub use id::NoteId;\n"),
    ("shared/domain/schemas/acme.note.created.v1.json", SCHEMA),
    ("shared/domain/schemas/acme.note.shared.v1.json", SCHEMA),
    ("tests/tests/app/main.rs", "//! Tests.\n\nmod create_note;\nmod notes;\n"),
    ("tests/tests/app/create_note.rs", "// Tests of create-note.\n"),
];

/// Creates the project in a temporary folder.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        write(folder.path(), path, text);
    }
    folder
}

/// Writes a file, given its path relative to `root`.
pub(crate) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Reads the project in a folder.
pub(crate) fn project(root: &Path) -> Project {
    Project::read(Checkout::at(root)).unwrap()
}

/// The paths and texts of all files.
pub(crate) fn files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(root).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
