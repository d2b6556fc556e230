//! A consumer's queue and its dead-letter queue.

use crate::memory::UniqueIds;
use crate::ports::{DeadLetterQueue, MessageVisibility, NewIds};

/// A queue whose other end a test can reach.
pub trait QueueUnderTest: DeadLetterQueue + MessageVisibility {
    /// Sends a message with this body and receives it; returns its receipt handle.
    fn send_and_receive(&self, body: &str) -> impl Future<Output = String> + Send;

    /// Whether the message with this body can be received now.
    fn can_be_received(&self, body: &str) -> impl Future<Output = bool> + Send;

    /// The reason of the dead letter with this body, if there is one.
    fn reason_of(&self, body: &str) -> impl Future<Output = Option<String>> + Send;
}

/// Tests of a [`QueueUnderTest`].
#[macro_export]
macro_rules! queue_contract {
    ($open:expr) => {
        $crate::contract_tests!(
            $crate::contract::queue, $open,
            a_rejected_message_is_in_the_dead_letter_queue_with_its_reason
            a_delayed_message_is_not_delivered_at_once
        );
    };
}

fn body() -> String {
    UniqueIds.new_id().to_string()
}

pub async fn a_rejected_message_is_in_the_dead_letter_queue_with_its_reason(queue: &impl QueueUnderTest) {
    let (body, plain) = (body(), body());
    queue.reject(&body, "no such\nentry").await.unwrap();
    queue.reject(&plain, "").await.unwrap();
    assert_eq!(queue.reason_of(&body).await.as_deref(), Some("no such entry"));
    assert_eq!(queue.reason_of(&plain).await.as_deref(), Some("unknown"), "a reason is never empty");
}

pub async fn a_delayed_message_is_not_delivered_at_once(queue: &impl QueueUnderTest) {
    let (now, later) = (body(), body());
    let (receipt_now, receipt_later) = (queue.send_and_receive(&now).await, queue.send_and_receive(&later).await);
    queue.delay(&receipt_now, 0).await.unwrap();
    queue.delay(&receipt_later, 600).await.unwrap();
    assert!(queue.can_be_received(&now).await);
    assert!(!queue.can_be_received(&later).await);
}
