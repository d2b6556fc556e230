//! Contract of a consumer's queue and its dead-letter queue.

use crate::memory::UniqueIds;
use crate::ports::{DeadLetterQueue, IdGenerator, MessageVisibility};

/// A queue that a test can send to and receive from.
pub trait QueueUnderTest: DeadLetterQueue + MessageVisibility {
    /// Sends a message with this body, receives it, and returns its receipt handle.
    fn send_and_receive(&self, body: &str) -> impl Future<Output = String> + Send;

    /// Returns whether the message with this body can be received now.
    fn can_be_received(&self, body: &str) -> impl Future<Output = bool> + Send;

    /// Returns the reason stored with this body in the dead-letter queue, or `None` if the message is not there.
    fn reason_of(&self, body: &str) -> impl Future<Output = Option<String>> + Send;
}

/// Generates the contract tests of a [`QueueUnderTest`].
#[macro_export]
macro_rules! queue_contract {
    ($adapter:expr) => {
        $crate::contract_tests!(
            $crate::contract::queue, $adapter,
            sends_rejected_messages_to_the_dead_letter_queue_with_the_reason
            does_not_deliver_a_delayed_message_immediately
        );
    };
}

fn unique_body() -> String {
    UniqueIds.new_id().to_string()
}

pub async fn sends_rejected_messages_to_the_dead_letter_queue_with_the_reason(queue: &impl QueueUnderTest) {
    let with_reason = unique_body();
    let without_reason = unique_body();
    queue.reject(&with_reason, "no such\nentry").await.unwrap();
    queue.reject(&without_reason, "").await.unwrap();
    assert_eq!(queue.reason_of(&with_reason).await.as_deref(), Some("no such entry"));
    assert_eq!(queue.reason_of(&without_reason).await.as_deref(), Some("unknown"), "an empty reason becomes `unknown`");
}

pub async fn does_not_deliver_a_delayed_message_immediately(queue: &impl QueueUnderTest) {
    let not_delayed = unique_body();
    let delayed = unique_body();
    let not_delayed_receipt = queue.send_and_receive(&not_delayed).await;
    let delayed_receipt = queue.send_and_receive(&delayed).await;
    queue.delay(&not_delayed_receipt, 0).await.unwrap();
    queue.delay(&delayed_receipt, 600).await.unwrap();
    assert!(queue.can_be_received(&not_delayed).await);
    assert!(!queue.can_be_received(&delayed).await);
}
