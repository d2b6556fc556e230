//! Contract tests of the event bus. A rule sends all events to a queue, from which the tests read them.

use std::time::{Duration, Instant};

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use ferrite_aws::Bus;
use ferrite_aws::testing::emulator_config;
use ferrite_core::contract::bus::{BusUnderTest, TestEvent};
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{IdGenerator, PortError, PublishEvents};
use ferrite_core::{CloudEvent, Event};
use serde_json::Value;

struct BusWithSubscriber {
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
    adapter: Bus,
}

async fn bus_with_subscriber() -> BusWithSubscriber {
    let sqs = aws_sdk_sqs::Client::new(&emulator_config());
    let events = aws_sdk_eventbridge::Client::new(&emulator_config());
    let name = UniqueIds.new_id().to_string();
    let queue_url = sqs
        .create_queue()
        .queue_name(&name)
        .send()
        .await
        .expect("should create the queue")
        .queue_url
        .expect("should return the queue URL");
    let attributes = sqs.get_queue_attributes().queue_url(&queue_url).attribute_names(QueueAttributeName::QueueArn);
    let attributes =
        attributes.send().await.expect("should read the queue attributes").attributes.expect("should return attributes");
    let arn = &attributes[&QueueAttributeName::QueueArn];
    events.create_event_bus().name(&name).send().await.expect("should create the event bus");
    let pattern = format!(r#"{{"source": ["{}"]}}"#, TestEvent::SOURCE);
    events.put_rule().event_bus_name(&name).name("all").event_pattern(pattern).send().await.expect("should create the rule");
    let target = Target::builder().id("queue").arn(arn).build().expect("should be a valid target");
    events.put_targets().event_bus_name(&name).rule("all").targets(target).send().await.expect("should add the target");
    BusWithSubscriber { sqs, queue_url, adapter: Bus::new(&emulator_config(), name) }
}

impl PublishEvents<TestEvent> for BusWithSubscriber {
    async fn publish(&self, events: &[CloudEvent<TestEvent>]) -> Result<(), PortError> {
        self.adapter.publish(events).await
    }
}

impl BusUnderTest for BusWithSubscriber {
    async fn received(&self, subject: &str, count: usize) -> Vec<CloudEvent<TestEvent>> {
        let mut found = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(30);
        while found.len() < count && Instant::now() < deadline {
            let receive = self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
            let received = receive.wait_time_seconds(1).send().await.expect("should receive messages");
            for message in received.messages.unwrap_or_default() {
                let body: Value = serde_json::from_str(message.body().expect("should have a body")).expect("should be JSON");
                let event = CloudEvent::<TestEvent>::parse(&body["detail"].to_string()).expect("should be a valid event");
                assert_eq!(body["detail-type"], event.event.event_type());
                found.push(event);
            }
        }
        found.retain(|event| event.subject == subject);
        found
    }
}

ferrite_core::bus_contract!(bus_with_subscriber().await);
