//! Contract tests of a queue and its dead-letter queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use ferrite_aws::Queue;
use ferrite_aws::testing::emulator_config;
use ferrite_core::contract::queue::QueueUnderTest;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{DeadLetterQueue, IdGenerator, MessageVisibility, PortError};

struct TestQueues {
    client: Client,
    url: String,
    dead_letter_url: String,
    adapter: Queue,
}

/// Creates two queues per test, so that a message received by one test is not hidden from another test.
async fn create_queues() -> TestQueues {
    let client = Client::new(&emulator_config());
    let create_queue = async || {
        let response = client.create_queue().queue_name(UniqueIds.new_id().to_string()).send().await;
        response.expect("should create the queue").queue_url.expect("should return the queue URL")
    };
    let url = create_queue().await;
    let dead_letter_url = create_queue().await;
    let adapter = Queue::new(&emulator_config(), url.clone(), dead_letter_url.clone());
    TestQueues { client, url, dead_letter_url, adapter }
}

impl TestQueues {
    async fn receive(&self, url: &str) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(url).max_number_of_messages(10);
        let received = receive.message_attribute_names("All").send().await.expect("should receive messages");
        received.messages.unwrap_or_default()
    }
}

impl DeadLetterQueue for TestQueues {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), PortError> {
        self.adapter.reject(body, reason).await
    }
}

impl MessageVisibility for TestQueues {
    async fn delay(&self, receipt_handle: &str, seconds: u32) -> Result<(), PortError> {
        self.adapter.delay(receipt_handle, seconds).await
    }
}

impl QueueUnderTest for TestQueues {
    async fn send_and_receive(&self, body: &str) -> String {
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.expect("should send the message");
        let received = self.receive(&self.url).await;
        let message = received.into_iter().find(|message| message.body() == Some(body)).expect("should receive the message");
        message.receipt_handle.expect("should have a receipt handle")
    }

    async fn can_be_received(&self, body: &str) -> bool {
        let received = self.receive(&self.url).await;
        received.iter().any(|message| message.body() == Some(body))
    }

    async fn reason_of(&self, body: &str) -> Option<String> {
        let receive = self.client.receive_message().queue_url(&self.dead_letter_url).max_number_of_messages(10);
        // Keep the messages visible, so that the next call can receive them again.
        let received =
            receive.visibility_timeout(0).message_attribute_names("All").send().await.expect("should receive messages");
        let messages = received.messages.unwrap_or_default();
        let message = messages.iter().find(|message| message.body() == Some(body))?;
        message.message_attributes()?.get("reason")?.string_value().map(str::to_owned)
    }
}

ferrite_core::queue_contract!(create_queues().await);
