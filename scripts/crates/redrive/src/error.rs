//! Why dead letters could not be listed or sent back.

use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::Interrupted;

/// Why dead letters could not be listed or sent back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedriveError {
    /// template.yaml has no such queue.
    #[error("{name} is not a dead-letter queue of template.yaml; these are: {known}")]
    UnknownQueue {
        /// The name that was given.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A dead-letter queue has two owners.
    #[error("template.yaml: {queue} takes the dead letters of {one} and of {other}, so the origin of a message is unknown")]
    Shared {
        /// The dead-letter queue.
        queue: String,
        /// A consumer.
        one: String,
        /// Another one.
        other: String,
    },
    /// The stack differs from the template.
    #[error("the stack {stack} has no {name}: check out what was deployed")]
    NotDeployed {
        /// The resource.
        name: String,
        /// The stack.
        stack: String,
    },
    /// A message without an event.
    #[error("{id} holds nothing that a function can be invoked with: {reason}")]
    Unreadable {
        /// The message.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Records that have left the stream.
    #[error("its records have left the stream (shard {0}), as all do after 24 hours")]
    Gone(String),
    /// The function failed again.
    #[error("{function} failed with it again: {answer}")]
    FailedAgain {
        /// The function.
        function: String,
        /// Its response.
        answer: String,
    },
    /// The queue has no such messages.
    #[error("not in {queue}, or somebody else is reading them just now: {messages}")]
    NoSuchMessages {
        /// The queue.
        queue: String,
        /// The ids that were given.
        messages: String,
    },
    /// Some messages were not sent back. Each was printed.
    #[error("{0} of them stay where they are")]
    NotSentBack(usize),
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// CloudFormation answered something other than XML.
    #[error("CloudFormation answered something unexpected")]
    Xml(#[from] roxmltree::Error),
    /// A signal asked the command to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
