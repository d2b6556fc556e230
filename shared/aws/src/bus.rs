//! EventBridge event bus.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use ferrite_core::ports::{PortError, PublishEvents};
use ferrite_core::{CloudEvent, Event};

use crate::prewarm;

/// Maximum number of entries per `PutEvents` call.
const MAX_ENTRIES: usize = 10;

/// Publishes domain events to an EventBridge event bus.
///
/// The role needs `events:PutEvents` on the bus.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// Creates a publisher for the event bus `name`.
    pub fn new(config: &aws_types::SdkConfig, name: String) -> Self {
        Self { client: Client::new(config), name }
    }

    /// Opens the connection during init with a call without entries, which EventBridge rejects.
    pub async fn prewarm(&self) {
        let put = self.client.put_events().set_entries(Some(Vec::new()));
        let one_attempt = Builder::new().retry_config(RetryConfig::disabled());
        prewarm(put.customize().config_override(one_attempt).send()).await;
    }

    fn entry<E: Event>(&self, event: &CloudEvent<E>) -> Result<PutEventsRequestEntry, PortError> {
        let detail = serde_json::to_string(event).map_err(|error| PortError::new("PutEvents", error))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(&event.source)
            .detail_type(event.event.event_type())
            .detail(detail)
            .set_trace_header(event.trace_context.traceparent.map(|span| span.xray_header()))
            .build())
    }
}

impl<E: Event> PublishEvents<E> for Bus {
    async fn publish(&self, events: &[CloudEvent<E>]) -> Result<(), PortError> {
        for events in events.chunks(MAX_ENTRIES) {
            let entries = events.iter().map(|event| self.entry(event)).collect::<Result<_, _>>()?;
            let response = self
                .client
                .put_events()
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| PortError::new("PutEvents", error))?;
            // `PutEvents` succeeds even if some entries fail.
            let failed = response.entries().iter().zip(events).find_map(|(entry, event)| {
                entry
                    .error_code()
                    .map(|code| format!("{}: {code}: {}", event.id.as_str(), entry.error_message().unwrap_or("")))
            });
            if let Some(reason) = failed {
                return Err(PortError::new("PutEvents", reason));
            }
            if response.failed_entry_count() > 0 || response.entries().len() != events.len() {
                return Err(PortError::new("PutEvents", "some entries were not accepted"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;
    use ferrite_core::contract::bus::TestEvent;
    use ferrite_core::contract::now;
    use ferrite_core::{EventId, Version};

    use super::*;

    fn events(count: u64) -> Vec<CloudEvent<TestEvent>> {
        let event = |version: u64| {
            let id = EventId::of_change("n1", Version::from(version));
            CloudEvent::new(id, "n1".to_owned(), now(), TestEvent::Happened { note: "a note".to_owned() })
        };
        (0..count).map(event).collect()
    }

    fn bus_with_responses(bodies: &[&str]) -> (Bus, StaticReplayClient) {
        let replay = |body: &&str| {
            let request = http::Request::builder().uri("https://events.test/").body(SdkBody::empty()).unwrap();
            ReplayEvent::new(request, http::Response::new(SdkBody::from(*body)))
        };
        let http = StaticReplayClient::new(bodies.iter().map(replay).collect());
        let config = aws_sdk_eventbridge::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_eventbridge::config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_eventbridge::config::Credentials::new("a", "b", None, None, "test"))
            .http_client(http.clone())
            .build();
        (Bus { client: Client::from_conf(config), name: "bus".to_owned() }, http)
    }

    #[tokio::test]
    async fn returns_an_error_if_one_entry_fails() {
        let (bus, _) = bus_with_responses(&[
            r#"{"FailedEntryCount":1,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}]}"#,
        ]);
        let error = bus.publish(&events(2)).await.unwrap_err();
        assert!(error.cause.to_string().contains("ThrottlingException"), "{}", error.cause);
    }

    #[tokio::test]
    async fn splits_more_than_ten_events_into_multiple_calls() {
        let ten = format!(r#"{{"FailedEntryCount":0,"Entries":[{}]}}"#, [r#"{"EventId":"1"}"#; 10].join(","));
        let (bus, http) = bus_with_responses(&[&ten, r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#]);
        bus.publish(&events(11)).await.unwrap();
        assert_eq!(http.actual_requests().count(), 2);
    }
}
