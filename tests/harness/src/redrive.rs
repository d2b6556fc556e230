//! Runs `./scripts/redrive` on the stack.

use std::process::{Command, Output};

use crate::api::Api;
use crate::poll::wait_for;
use crate::variable;

/// A dead letter in the list that `./scripts/redrive QUEUE` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedLetter {
    /// The id of the message.
    pub id: String,
    /// Why the message was not processed.
    pub reason: String,
}

/// Runs `./scripts/redrive` with these arguments: the logical id of a queue, and the ids of messages.
pub fn redrive(api: &Api, arguments: &[&str]) -> Output {
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(variable("FERRITE_PROGRAM"));
    command.args(["--stack", &api.stack().name, "--template"]).arg(&api.stack().template);
    command.args(arguments).current_dir(checkout);
    command.output().expect("the command starts")
}

/// Returns the list of `queue` as the command prints it.
///
/// # Panics
/// Panics if the command fails.
#[must_use]
pub fn list(api: &Api, queue: &str) -> String {
    let output = redrive(api, &[queue]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until the list of `queue` has a message whose first line contains `text`.
pub fn find_in_list(api: &Api, queue: &str, text: &str) -> ListedLetter {
    wait_for(&format!("{text} to be listed in {queue}"), || {
        let list = list(api, queue);
        let lines: Vec<&str> = list.lines().collect();
        let index = lines.iter().position(|line| line.contains(text))?;
        let (id, reason) = lines[index.checked_sub(1)?].trim_start().split_once("  ")?;
        Some(ListedLetter { id: id.to_owned(), reason: reason.to_owned() })
    })
}

/// Sends a message back to the queue that it came from. Waits while another receiver hides it.
pub fn send_back(api: &Api, queue: &str, id: &str) {
    wait_for(&format!("{id} to be sent back"), || redrive(api, &[queue, id]).status.success().then_some(()));
}
