//! A queue and its dead-letter queue, and a look into both.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use ferrite_aws::Queue;
use ferrite_aws::testing::emulator_config;
use ferrite_core::contract::queue::QueueUnderTest;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{DeadLetterQueue, MessageVisibility, NewIds, PortError};

struct Queues {
    client: Client,
    url: String,
    dead_letter_url: String,
    adapter: Queue,
}

/// Two queues of this test's own: what is received in one test must not be hidden from another.
async fn queues() -> Queues {
    let client = Client::new(&emulator_config());
    let create = async || {
        let made = client.create_queue().queue_name(UniqueIds.new_id().to_string()).send().await;
        made.expect("the queue is created").queue_url.expect("it has a URL")
    };
    let (url, dead_letter_url) = (create().await, create().await);
    let adapter = Queue::new(&emulator_config(), url.clone(), dead_letter_url.clone());
    Queues { client, url, dead_letter_url, adapter }
}

impl Queues {
    async fn receive(&self, url: &str) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(url).max_number_of_messages(10);
        let received = receive.message_attribute_names("All").send().await.expect("the queue answers");
        received.messages.unwrap_or_default()
    }
}

impl DeadLetterQueue for Queues {
    async fn reject(&self, body: &str, reason: &str) -> Result<(), PortError> {
        self.adapter.reject(body, reason).await
    }
}

impl MessageVisibility for Queues {
    async fn delay(&self, receipt_handle: &str, seconds: u32) -> Result<(), PortError> {
        self.adapter.delay(receipt_handle, seconds).await
    }
}

impl QueueUnderTest for Queues {
    async fn send_and_receive(&self, body: &str) -> String {
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.expect("the queue takes it");
        let received = self.receive(&self.url).await;
        let ours = received.into_iter().find(|message| message.body() == Some(body)).expect("the message is there");
        ours.receipt_handle.expect("it has a receipt handle")
    }

    async fn can_be_received(&self, body: &str) -> bool {
        let received = self.receive(&self.url).await;
        received.iter().any(|message| message.body() == Some(body))
    }

    async fn reason_of(&self, body: &str) -> Option<String> {
        let receive = self.client.receive_message().queue_url(&self.dead_letter_url).max_number_of_messages(10);
        // Not hidden: the next look has to find the others.
        let received = receive.visibility_timeout(0).message_attribute_names("All").send().await.expect("the queue answers");
        let letters = received.messages.unwrap_or_default();
        let letter = letters.iter().find(|letter| letter.body() == Some(body))?;
        letter.message_attributes()?.get("reason")?.string_value().map(str::to_owned)
    }
}

ferrite_core::queue_contract!(queues().await);
