//! Records the items that tests create in an existing stack, so that `./scripts/test --stack` can delete them
//! afterwards.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::api::Response;

/// The environment variable with the path of the record; if it is not set, nothing is recorded. `./scripts/test`
/// deletes the partitions of the table that the file lists.
pub const CREATED_FILE: &str = "FERRITE_MADE";

/// Something that a test did and that may create items in the table.
#[derive(Debug, Clone, Copy)]
pub enum Activity<'a> {
    /// A token was issued for a user.
    Token {
        /// The user's id.
        user: &'a str,
    },
    /// A response was received.
    Response {
        /// The method of the request.
        method: &'a str,
        /// The path of the request, with the name of the stage.
        path: &'a str,
        /// The response.
        response: &'a Response,
    },
}

/// Appends a partition of the table to the record.
pub fn record_partition(partition: &str) {
    let Some(path) = std::env::var_os(CREATED_FILE) else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the record can be opened");
    // Tests run in parallel: a single write keeps each line whole.
    file.write_all(format!("{partition}\n").as_bytes()).expect("the record can be written");
}
