//! Lists dead letters and sends them back.
//!
//! A message is deleted from its dead-letter queue after it was sent back, never before. If the command dies in between, the
//! message is delivered twice, which every consumer handles.
//!
//! SQS's own StartMessageMoveTask is not used: it moves whole queues and no single messages, it cannot invoke the functions that
//! most of the dead-letter queues belong to, and it keeps the attributes with the reason for the failure.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{print, report};
use ferrite_local_stack::process::check_interrupted;
use ferrite_local_stack::running::Running;
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::template::Template;
use serde_json::{Value, json};

use crate::dead_letter::{DeadLetter, Input};
use crate::deployed::Deployed;
use crate::error::RedriveError;
use crate::origin::{Origin, dead_letter_queues};
use crate::queue::Queue;
use crate::stream;

/// How long messages are hidden from other readers while they are listed, at most.
const LISTING_SECONDS: u32 = 30;
/// How long messages are hidden while they are sent back, at most.
const SENDING_SECONDS: u32 = 300;

/// The options of `./scripts/redrive`.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Only this dead-letter queue.
    pub(crate) queue: Option<String>,
    /// Send back these messages of it.
    pub(crate) messages: Vec<String>,
    /// Send back everything in it.
    pub(crate) all: bool,
    /// The stack; the local one by default.
    pub(crate) stack: Option<String>,
}

/// Lists the dead letters of a stack, or sends some back.
///
/// # Errors
/// When AWS does not answer, or a message could not be sent back.
pub(crate) fn redrive(checkout: &Checkout, options: &Options) -> anyhow::Result<()> {
    let (aws, stack) = find_stack(checkout, options.stack.as_deref())?;
    let mut queues = dead_letter_queues(&Template::read(&checkout.path("template.yaml"))?)?;
    let deployed = Deployed::read(&aws, &stack)?;
    warn_of_differences(&queues, &deployed);
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

/// The caller's endpoint; or AWS, if a stack is named; or else the stack that runs in this checkout.
fn find_stack(checkout: &Checkout, named: Option<&str>) -> anyhow::Result<(AwsClient, String)> {
    let local = || anyhow::Ok(named.map_or(Section::require(checkout, "local")?.stack, str::to_owned));
    if let Some(target) = Target::from_environment()? {
        return Ok((AwsClient::new(target), local()?));
    }
    if let Some(stack) = named {
        return Ok((AwsClient::from_environment()?, stack.to_owned()));
    }
    Ok((AwsClient::new(Running::require(checkout)?.target()), local()?))
}

/// Warns of queues that only the template or only the stack has.
fn warn_of_differences(known: &BTreeMap<String, Origin>, deployed: &Deployed) {
    for missing in known.keys().filter_map(|queue| deployed.physical_id(queue).err()) {
        report(&format!("warning: {missing}"));
    }
    let consumed = |queue: &str| known.values().any(|origin| origin.name() == queue);
    for queue in deployed.queues().filter(|queue| !known.contains_key(*queue) && !consumed(queue)) {
        report(&format!("warning: template.yaml has no {queue}, but the stack does: check out what was deployed"));
    }
}

struct Stack<'a> {
    aws: &'a AwsClient,
    deployed: &'a Deployed,
}

impl Stack<'_> {
    fn list(&self, queues: &BTreeMap<String, Origin>) -> anyhow::Result<()> {
        // In parallel, because each empty queue takes a second.
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
        let hidden = match queue.hidden()? {
            0 => String::new(),
            hidden => format!(" (and {hidden} that another reader has received)"),
        };
        let messages = queue.receive_all(LISTING_SECONDS)?;
        queue.show(messages.iter());
        let mut lines = vec![format!("{name}, from {}: {}{hidden}", origin.name(), messages.len())];
        for message in &messages {
            lines.push(format!("  {}  {}  {}", message.id, age(message.age()), message.reason(origin)));
            lines.push(format!("    {}", message.first_line().chars().take(200).collect::<String>()));
        }
        Ok(lines)
    }

    /// Sends back the messages with these ids, or all where none is named.
    fn send_back(&self, name: &str, origin: &Origin, ids: &[String]) -> Result<(), RedriveError> {
        let queue = Queue::new(self.aws, self.deployed.physical_id(name)?);
        let messages = queue.receive_all(SENDING_SECONDS)?;
        let (chosen, others): (Vec<_>, Vec<_>) =
            messages.iter().partition(|message| ids.is_empty() || ids.contains(&message.id));
        queue.show(others.into_iter());
        let mut kept = Vec::new();
        for message in &chosen {
            if check_interrupted().is_err() {
                kept.push(*message);
                continue;
            }
            match self.send_one_back(&queue, origin, message) {
                Ok(()) => print(&format!("{} is back at {}", message.id, origin.name())),
                Err(error) => {
                    print(&format!("{} stays: {error}", message.id));
                    kept.push(*message);
                }
            }
        }
        queue.show(kept.iter().copied());
        check_interrupted()?;
        let missing: Vec<_> = ids.iter().filter(|id| chosen.iter().all(|message| message.id != **id)).cloned().collect();
        if !missing.is_empty() {
            let (queue, messages) = (name.to_owned(), missing.join(", "));
            return Err(RedriveError::NoSuchMessages { queue, messages });
        }
        if kept.is_empty() { Ok(()) } else { Err(RedriveError::NotSentBack(kept.len())) }
    }

    fn send_one_back(&self, queue: &Queue<'_>, origin: &Origin, message: &DeadLetter) -> Result<(), RedriveError> {
        let name = self.deployed.physical_id(origin.name())?;
        match origin {
            Origin::Queue { .. } => Queue::new(self.aws, name).send(&message.as_sent())?,
            Origin::Events { .. } | Origin::Stream { .. } => self.invoke(name, origin, message.input()?)?,
        }
        Ok(queue.delete(message)?)
    }

    fn invoke(&self, function: &str, origin: &Origin, input: Input) -> Result<(), RedriveError> {
        // Lambda does not keep an event that a stream function fails with when it is invoked directly, so its response is
        // awaited. Failures of other functions return to their dead-letter queue.
        let (wait, filters) = match origin {
            Origin::Stream { filters, .. } => (true, filters.as_slice()),
            _ => (false, [].as_slice()),
        };
        let event = match input {
            Input::Event(event) => event,
            Input::Place(place) => json!({"Records": stream::records_at(self.aws, &place, filters)?}),
        };
        let answer = self.aws.invoke(function, &event, wait)?;
        let response: Value = serde_json::from_str(&answer.payload).unwrap_or_default();
        let failures = response["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
        if answer.failed || failures {
            return Err(RedriveError::FailedAgain { function: function.to_owned(), answer: answer.payload });
        }
        Ok(())
    }
}

/// An age in its two largest units.
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
