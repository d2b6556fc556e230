//! The EventBridge bus.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use ferrite_domain::CloudEvent;
use ferrite_domain::ports::{PublishEvents, StoreError};

use crate::open;

/// The most entries that one `PutEvents` takes.
const ENTRIES: usize = 10;

/// The bus that domain events are published on.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// The bus called `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: Client::new(config), name }
    }

    /// Opens the connection, in init, with a call that publishes nothing: EventBridge refuses one without entries.
    pub async fn open(&self) {
        let put = self.client.put_events().set_entries(Some(Vec::new()));
        let once = Builder::new().retry_config(RetryConfig::disabled());
        open(put.customize().config_override(once).send()).await;
    }

    fn entry(&self, event: &CloudEvent) -> Result<PutEventsRequestEntry, StoreError> {
        let detail = serde_json::to_string(event).map_err(|error| StoreError::new("PutEvents", error))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(&event.source)
            .detail_type(event.event.kind())
            .detail(detail)
            .set_trace_header(event.cause.traceparent.map(|place| place.xray_header()))
            .build())
    }
}

impl PublishEvents for Bus {
    async fn publish(&self, events: &[CloudEvent]) -> Result<(), StoreError> {
        for events in events.chunks(ENTRIES) {
            let entries = events.iter().map(|event| self.entry(event)).collect::<Result<_, _>>()?;
            let answer = self
                .client
                .put_events()
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| StoreError::new("PutEvents", error))?;
            // The call succeeds with failed entries inside.
            let failed = answer.entries().iter().zip(events).find_map(|(entry, event)| {
                entry
                    .error_code()
                    .map(|code| format!("{}: {code}: {}", event.id.as_str(), entry.error_message().unwrap_or("")))
            });
            if let Some(why) = failed {
                return Err(StoreError::new("PutEvents", why));
            }
            if answer.failed_entry_count() > 0 || answer.entries().len() != events.len() {
                return Err(StoreError::new("PutEvents", "some of the entries were not accepted"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;
    use ferrite_domain::contract;
    use ferrite_domain::{DomainEvent, EventId, OrderPaid, Version};

    use super::*;

    fn events(count: usize) -> Vec<CloudEvent> {
        let order = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";
        let paid = OrderPaid {
            order_id: order.parse().unwrap(),
            customer_id: "ada".to_owned().try_into().unwrap(),
            total: contract::product(1).price,
        };
        let event = |n: usize| {
            let id = EventId::of_change(order, Version::from(n as u64));
            CloudEvent::new(id, order.to_owned(), contract::now(), DomainEvent::OrderPaid(paid.clone()))
        };
        (0..count).map(event).collect()
    }

    fn answering(answers: &[&str]) -> (Bus, StaticReplayClient) {
        let replay = |body: &&str| {
            let request = http::Request::builder().uri("https://events.test/").body(SdkBody::empty()).unwrap();
            ReplayEvent::new(request, http::Response::new(SdkBody::from(*body)))
        };
        let http = StaticReplayClient::new(answers.iter().map(replay).collect());
        let config = aws_sdk_eventbridge::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_eventbridge::config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_eventbridge::config::Credentials::new("a", "b", None, None, "test"))
            .http_client(http.clone())
            .build();
        (Bus { client: Client::from_conf(config), name: "bus".to_owned() }, http)
    }

    #[tokio::test]
    async fn an_entry_that_failed_inside_a_call_that_succeeded_is_an_error() {
        let (bus, _) = answering(&[
            r#"{"FailedEntryCount":1,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}]}"#,
        ]);
        let error = bus.publish(&events(2)).await.unwrap_err();
        assert!(error.cause.to_string().contains("ThrottlingException"), "{}", error.cause);
    }

    #[tokio::test]
    async fn more_than_ten_events_take_more_than_one_call() {
        let ten = format!(r#"{{"FailedEntryCount":0,"Entries":[{}]}}"#, [r#"{"EventId":"1"}"#; 10].join(","));
        let (bus, http) = answering(&[&ten, r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#]);
        bus.publish(&events(11)).await.unwrap();
        assert_eq!(http.actual_requests().count(), 2);
    }
}
