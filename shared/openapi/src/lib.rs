//! Generates the OpenAPI 3.1 document of an API and an HTML page that shows it.
//!
//! An application lists its operations in a table. The schemas of the bodies are derived from the types that parse and
//! serialize them, with schemars, because OpenAPI 3.1 uses plain JSON Schema. utoipa would need a macro on each handler,
//! which would add a dependency to the functions and repeat the routes from template.yaml. No function contains this
//! crate: `describe-api` serves the generated files.

pub mod compatibility;
mod document;
mod names;
mod operation;
mod page;

pub use self::document::{Info, Schemas, document};
pub use self::operation::{
    Access, DOCUMENTATION, JSON, MERGE_PATCH, NOT_FOUND_PROBLEMS, Operation, Parameter, ProblemResponse, SuccessResponse,
    conditional, documentation, paginated, problem, schema_of,
};
pub use self::page::{STYLE, page};
