//! `scripts/redrive`: what lies in the dead-letter queues and why, and back with it to where it came from.
//!
//! A message is deleted from its dead-letter queue after it was sent back, never before: whoever dies in between has it
//! delivered twice, which every consumer absorbs.

pub mod dead_letter;
pub mod deployed;
pub mod origin;
pub mod queue;
pub mod stream;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::checkout::Checkout;
use crate::console::{print, say};
use crate::endpoint::Target;
use crate::process::go_on;
use crate::running::Running;
use crate::samconfig::Section;
use crate::template::Template;
use crate::trouble::Trouble;
use dead_letter::{DeadLetter, Input};
use deployed::Deployed;
use origin::{Origin, dead_letter_queues};
use queue::Queue;

/// For how long, at most, a message is hidden from others to be listed.
const LISTING_SECONDS: u32 = 30;
/// For how long, at most, it is hidden to be sent back.
const SENDING_SECONDS: u32 = 300;

/// What to do with which messages.
#[derive(Debug, Default)]
pub struct Options {
    /// This dead-letter queue alone.
    pub queue: Option<String>,
    /// Send back these messages of it.
    pub messages: Vec<String>,
    /// Send back all of it.
    pub all: bool,
    /// The stack; without one, the local one.
    pub stack: Option<String>,
}

/// Why dead letters could not be listed or sent back.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// template.yaml has no such queue.
    #[error("{name} is no dead-letter queue of template.yaml; these are: {known}")]
    UnknownQueue {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A dead-letter queue has two owners.
    #[error(
        "template.yaml: {queue} takes the dead letters of {one} and of {other}, so nobody can tell what goes back where"
    )]
    Shared {
        /// The dead-letter queue.
        queue: String,
        /// A consumer.
        one: String,
        /// Another one.
        other: String,
    },
    /// The stack is another than the template.
    #[error("the stack {stack} has no {name}: check out what was deployed")]
    NotDeployed {
        /// The resource.
        name: String,
        /// The stack.
        stack: String,
    },
    /// A message that names no event.
    #[error("{id} holds nothing that a function can be invoked with: {reason}")]
    Unreadable {
        /// The message.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Records of a stream that are there no more.
    #[error("its records have left the stream (shard {0}), as all do after 24 hours")]
    Gone(String),
    /// The function failed again.
    #[error("{function} failed with it again: {answer}")]
    FailedAgain {
        /// The function.
        function: String,
        /// What it answered.
        answer: String,
    },
    /// The queue has no such messages.
    #[error("not in {queue}, or somebody else is reading them just now: {messages}")]
    NoSuchMessages {
        /// The queue.
        queue: String,
        /// What was asked for.
        messages: String,
    },
    /// Some messages are where they were; each has been told.
    #[error("{0} of them stay where they are")]
    NotSentBack(usize),
}

/// Lists the dead letters of a stack, or sends some back.
///
/// # Errors
/// When AWS does not answer, or a message that was asked for could not be sent back.
pub fn redrive(checkout: &Checkout, options: &Options) -> Result<(), Trouble> {
    let (aws, stack) = find_stack(checkout, options.stack.as_deref())?;
    let mut queues = dead_letter_queues(&Template::read(&checkout.path("template.yaml"))?)?;
    let deployed = Deployed::ask(&aws, &stack)?;
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
        return queues.iter().try_for_each(|(queue, origin)| stack.send_back(queue, origin, &options.messages));
    }
    stack.list(&queues)
}

/// The caller's endpoint, AWS where a stack is named, or else what runs in this checkout.
fn find_stack(checkout: &Checkout, named: Option<&str>) -> Result<(Aws, String), Trouble> {
    let local = || Ok::<_, Trouble>(named.map_or(Section::require(checkout, "local")?.stack, str::to_owned));
    if let Some(target) = Target::from_environment()? {
        return Ok((Aws::emulator(target), local()?));
    }
    if let Some(stack) = named {
        return Ok((Aws::from_environment()?, stack.to_owned()));
    }
    let running = Running::find(checkout).ok_or(Trouble::NothingRuns)?;
    Ok((Aws::emulator(Target::local(running.port)), local()?))
}

/// A queue that only the template or only the stack has is not to be passed over in silence.
fn warn_of_differences(known: &BTreeMap<String, Origin>, deployed: &Deployed) {
    for missing in known.keys().filter_map(|queue| deployed.physical_id(queue).err()) {
        say(&format!("warning: {missing}"));
    }
    let consumed = |queue: &str| known.values().any(|origin| origin.name() == queue);
    for queue in deployed.queues().filter(|queue| !known.contains_key(*queue) && !consumed(queue)) {
        say(&format!("warning: template.yaml has no {queue}, and the stack does: check out what was deployed"));
    }
}

struct Stack<'a> {
    aws: &'a Aws,
    deployed: &'a Deployed,
}

impl Stack<'_> {
    fn list(&self, queues: &BTreeMap<String, Origin>) -> Result<(), Trouble> {
        // Side by side, because to find a queue empty takes a second.
        let lists: Vec<Result<Vec<String>, Trouble>> = thread::scope(|scope| {
            let threads: Vec<_> =
                queues.iter().map(|(queue, origin)| scope.spawn(move || self.list_one(queue, origin))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Trouble::Interrupted))).collect()
        });
        for list in lists {
            list?.iter().for_each(|line| print(line));
        }
        Ok(())
    }

    fn list_one(&self, name: &str, origin: &Origin) -> Result<Vec<String>, Trouble> {
        let queue = Queue::new(self.aws, self.deployed.physical_id(name)?);
        let hidden = match queue.hidden()? {
            0 => String::new(),
            hidden => format!(" (and {hidden} that somebody is reading just now)"),
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
    fn send_back(&self, name: &str, origin: &Origin, ids: &[String]) -> Result<(), Trouble> {
        let queue = Queue::new(self.aws, self.deployed.physical_id(name)?);
        let messages = queue.receive_all(SENDING_SECONDS)?;
        let (chosen, others): (Vec<_>, Vec<_>) =
            messages.iter().partition(|message| ids.is_empty() || ids.contains(&message.id));
        queue.show(others.into_iter());
        let mut kept = Vec::new();
        for message in &chosen {
            if go_on().is_err() {
                kept.push(*message);
                continue;
            }
            match self.send_one_back(&queue, origin, message) {
                Ok(()) => print(&format!("{} is back at {}", message.id, origin.name())),
                Err(trouble) => {
                    print(&format!("{} stays: {trouble}", message.id));
                    kept.push(*message);
                }
            }
        }
        queue.show(kept.iter().copied());
        go_on()?;
        let missing: Vec<_> = ids.iter().filter(|id| chosen.iter().all(|message| message.id != **id)).cloned().collect();
        if !missing.is_empty() {
            let (queue, messages) = (name.to_owned(), missing.join(", "));
            return Err(RedriveError::NoSuchMessages { queue, messages }.into());
        }
        if kept.is_empty() { Ok(()) } else { Err(RedriveError::NotSentBack(kept.len()).into()) }
    }

    fn send_one_back(&self, queue: &Queue<'_>, origin: &Origin, message: &DeadLetter) -> Result<(), Trouble> {
        let name = self.deployed.physical_id(origin.name())?;
        match origin {
            Origin::Queue { .. } => Queue::new(self.aws, name).send(&message.as_sent())?,
            Origin::Events { .. } | Origin::Stream { .. } => self.invoke(name, origin, message.input()?)?,
        }
        queue.delete(message)
    }

    fn invoke(&self, function: &str, origin: &Origin, input: Input) -> Result<(), Trouble> {
        // Nobody would keep an event that a reader of streams fails with again, so its answer is waited for; any other
        // function's failures come back to its dead-letter queue by themselves.
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
            return Err(RedriveError::FailedAgain { function: function.to_owned(), answer: answer.payload }.into());
        }
        Ok(())
    }
}

/// An age as people read it, in its two largest units.
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
    fn ages_read_well() {
        let ages = [42, 180, 3 * 3600 + 720, 4 * 86_400 + 3 * 3600 + 60].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["42 s", "3 min", "3 h 12 min", "4 d 3 h"]);
    }
}
