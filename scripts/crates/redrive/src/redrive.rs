//! Lists dead letters and sends them back.
//!
//! A message is deleted from its dead-letter queue only after it was sent back. If the command is killed in between,
//! the message is delivered twice, which every consumer handles.
//!
//! The command does not use StartMessageMoveTask of SQS. That operation moves all messages of a queue instead of
//! selected ones, cannot invoke the functions that most of the dead-letter queues belong to, and keeps the attributes
//! that describe the failure.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{print, report};
use ferrite_local_stack::process::check_interrupted;
use ferrite_local_stack::running::RunningStack;
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::template::Template;
use serde_json::{Value, json};

use crate::dead_letter::{DeadLetter, Input};
use crate::error::RedriveError;
use crate::origin::{Origin, dead_letter_queues};
use crate::queue::Queue;
use crate::stack_resources::StackResources;
use crate::stream;

/// Visibility timeout in seconds for messages that are listed.
const LIST_VISIBILITY_TIMEOUT: u32 = 30;
/// Visibility timeout in seconds for messages that are sent back.
const SEND_VISIBILITY_TIMEOUT: u32 = 300;

/// The options of `./scripts/redrive`.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Name of a dead-letter queue; `None` for all.
    pub(crate) queue: Option<String>,
    /// IDs of the messages in the queue to send back.
    pub(crate) messages: Vec<String>,
    /// Whether to send back all messages in the queue.
    pub(crate) all: bool,
    /// Name of the stack; `None` for the local stack.
    pub(crate) stack: Option<String>,
    /// Path of the template that the stack was deployed from.
    pub(crate) template: PathBuf,
}

/// Lists the dead letters of a stack, or sends messages back.
///
/// # Errors
/// Returns an error if a call to AWS fails, or if a message cannot be sent back.
pub(crate) fn redrive(checkout: &Checkout, options: &Options) -> anyhow::Result<()> {
    let (aws, stack) = find_stack(checkout, options.stack.as_deref())?;
    let mut queues = dead_letter_queues(&Template::read(&options.template)?)?;
    let deployed = StackResources::read(&aws, &stack)?;
    warn_about_differences(&queues, &deployed);
    if let Some(name) = &options.queue {
        let known = queues.keys().cloned().collect::<Vec<_>>().join(", ");
        queues.retain(|queue, _| queue.eq_ignore_ascii_case(name));
        if queues.is_empty() {
            return Err(RedriveError::UnknownQueue { name: name.clone(), known }.into());
        }
    } else {
        queues.retain(|queue, _| deployed.physical_id(queue).is_ok());
    }
    let stack = Stack { aws: &aws, deployed: &deployed };
    if options.all || !options.messages.is_empty() {
        for (queue, origin) in &queues {
            stack.send_back(queue, origin, &options.messages)?;
        }
        return Ok(());
    }
    stack.list(&queues)
}

/// Returns a client and the name of the stack: on the emulator at `AWS_ENDPOINT_URL` if that is set, otherwise on AWS
/// if a stack is named, and otherwise the local stack of this checkout.
fn find_stack(checkout: &Checkout, named: Option<&str>) -> anyhow::Result<(AwsClient, String)> {
    let local = || anyhow::Ok(named.map_or(Section::load(checkout, "local")?.stack, str::to_owned));
    if let Some(target) = Target::from_environment()? {
        return Ok((AwsClient::new(target), local()?));
    }
    if let Some(stack) = named {
        return Ok((AwsClient::from_environment()?, stack.to_owned()));
    }
    Ok((AwsClient::new(RunningStack::load(checkout)?.target()), local()?))
}

/// Warns about queues that are only in the template or only in the stack.
fn warn_about_differences(known: &BTreeMap<String, Origin>, deployed: &StackResources) {
    for missing in known.keys().filter_map(|queue| deployed.physical_id(queue).err()) {
        report(&format!("warning: {missing}"));
    }
    let is_origin = |queue: &str| known.values().any(|origin| origin.name() == queue);
    for queue in deployed.queues().filter(|queue| !known.contains_key(*queue) && !is_origin(queue)) {
        report(&format!(
            "warning: the stack has a queue {queue} that is not in template.yaml; check out the commit that was deployed"
        ));
    }
}

struct Stack<'a> {
    aws: &'a AwsClient,
    deployed: &'a StackResources,
}

impl Stack<'_> {
    fn list(&self, queues: &BTreeMap<String, Origin>) -> anyhow::Result<()> {
        // In parallel, because the long poll of each queue takes a second.
        let lists: Vec<Result<Vec<String>, RedriveError>> = thread::scope(|scope| {
            let threads: Vec<_> =
                queues.iter().map(|(queue, origin)| scope.spawn(move || self.list_one(queue, origin))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        for list in lists {
            list?.iter().for_each(|line| print(line));
        }
        Ok(())
    }

    fn list_one(&self, name: &str, origin: &Origin) -> Result<Vec<String>, RedriveError> {
        let queue = Queue::new(self.aws, self.deployed.physical_id(name)?);
        let in_flight = match queue.in_flight()? {
            0 => String::new(),
            count => format!(" (and {count} in flight)"),
        };
        let messages = queue.receive_all(LIST_VISIBILITY_TIMEOUT)?;
        queue.make_visible(messages.iter());
        let mut lines = vec![format!("{name}, from {}: {}{in_flight}", origin.name(), messages.len())];
        for message in &messages {
            lines.push(format!("  {}  {}  {}", message.id, age(message.age()), message.reason(origin)));
            lines.push(format!("    {}", message.first_line().chars().take(200).collect::<String>()));
        }
        Ok(lines)
    }

    /// Sends back the messages with these IDs, or all messages if `ids` is empty.
    fn send_back(&self, name: &str, origin: &Origin, ids: &[String]) -> Result<(), RedriveError> {
        let queue = Queue::new(self.aws, self.deployed.physical_id(name)?);
        let messages = queue.receive_all(SEND_VISIBILITY_TIMEOUT)?;
        let (selected, others): (Vec<_>, Vec<_>) =
            messages.iter().partition(|message| ids.is_empty() || ids.contains(&message.id));
        queue.make_visible(others.into_iter());
        let mut not_sent = Vec::new();
        for message in &selected {
            if check_interrupted().is_err() {
                not_sent.push(*message);
                continue;
            }
            match self.send_one_back(&queue, origin, message) {
                Ok(()) => print(&format!("sent {} back to {}", message.id, origin.name())),
                Err(error) => {
                    print(&format!("cannot send {} back: {error}", message.id));
                    not_sent.push(*message);
                }
            }
        }
        queue.make_visible(not_sent.iter().copied());
        check_interrupted()?;
        let missing: Vec<_> = ids.iter().filter(|id| selected.iter().all(|message| message.id != **id)).cloned().collect();
        if !missing.is_empty() {
            return Err(RedriveError::MessagesNotFound { queue: name.to_owned(), messages: missing.join(", ") });
        }
        if not_sent.is_empty() { Ok(()) } else { Err(RedriveError::NotSentBack(not_sent.len())) }
    }

    fn send_one_back(&self, queue: &Queue<'_>, origin: &Origin, message: &DeadLetter) -> Result<(), RedriveError> {
        let name = self.deployed.physical_id(origin.name())?;
        match origin {
            Origin::Queue { .. } => Queue::new(self.aws, name).send(&message.send_request())?,
            Origin::AsyncInvocation { .. } | Origin::Stream { .. } => self.invoke(name, origin, message.input()?)?,
        }
        Ok(queue.delete(message)?)
    }

    fn invoke(&self, function: &str, origin: &Origin, input: Input) -> Result<(), RedriveError> {
        // Invoke a stream function synchronously: it has no on-failure destination for direct invocations, so the event
        // would be lost if it failed again. If another function fails, Lambda sends the event to its dead-letter queue
        // again.
        let (wait, filters) = match origin {
            Origin::Stream { filters, .. } => (true, filters.as_slice()),
            _ => (false, [].as_slice()),
        };
        let event = match input {
            Input::Event(event) => event,
            Input::StreamBatch(batch) => json!({"Records": stream::read_records(self.aws, &batch, filters)?}),
        };
        let response = self.aws.invoke(function, &event, wait)?;
        let body: Value = serde_json::from_str(&response.payload).unwrap_or_default();
        let has_batch_failures = body["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
        if response.failed || has_batch_failures {
            return Err(RedriveError::FailedAgain { function: function.to_owned(), response: response.payload });
        }
        Ok(())
    }
}

/// Formats an age in its two largest units.
fn age(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => format!("{} s", age.as_secs()),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_ages_in_their_two_largest_units() {
        let ages = [42, 180, 3 * 3600 + 720, 4 * 86_400 + 3 * 3600 + 60].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["42 s", "3 min", "3 h 12 min", "4 d 3 h"]);
    }
}
