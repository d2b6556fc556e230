//! The error type of the command.

use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::Interrupted;

/// Error returned when dead letters cannot be listed or sent back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedriveError {
    /// template.yaml has no dead-letter queue with this name.
    #[error("template.yaml has no dead-letter queue {name}; the dead-letter queues are: {known}")]
    UnknownQueue {
        /// The requested name.
        name: String,
        /// The names of all dead-letter queues.
        known: String,
    },
    /// Two consumers share a dead-letter queue.
    #[error(
        "template.yaml: {queue} is the dead-letter queue of both {one} and {other}, so the origin of its messages is \
         ambiguous"
    )]
    Shared {
        /// Name of the dead-letter queue.
        queue: String,
        /// Name of a consumer.
        one: String,
        /// Name of another consumer.
        other: String,
    },
    /// The stack does not have a resource that is in the template.
    #[error("the stack {stack} has no resource {name}; check out the commit that was deployed")]
    NotDeployed {
        /// Logical ID of the resource.
        name: String,
        /// Name of the stack.
        stack: String,
    },
    /// The message does not contain an event for a function.
    #[error("message {id} does not contain an event: {reason}")]
    NoEvent {
        /// ID of the message.
        id: String,
        /// Why no event was found.
        reason: String,
    },
    /// The records have expired.
    #[error("the records are no longer in the stream (shard {0}); records expire after 24 hours")]
    RecordsExpired(String),
    /// The function failed again.
    #[error("{function} failed again: {response}")]
    FailedAgain {
        /// Name of the function.
        function: String,
        /// Response of the function.
        response: String,
    },
    /// The queue does not contain the requested messages.
    #[error("messages not found in {queue} (another reader may have received them): {messages}")]
    MessagesNotFound {
        /// Name of the queue.
        queue: String,
        /// The requested IDs that were not found.
        messages: String,
    },
    /// Some messages were not sent back. The reason for each was printed.
    #[error("not all messages were sent back; {0} remain in the dead-letter queue")]
    NotSentBack(usize),
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The response of CloudFormation is not valid XML.
    #[error("cannot parse the response of CloudFormation")]
    Xml(#[from] roxmltree::Error),
    /// The command has received a signal to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
