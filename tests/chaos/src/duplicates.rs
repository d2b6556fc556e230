//! Keeps the published events, so that they can be delivered again: EventBridge and SQS deliver events at least once.

use std::sync::{Mutex, PoisonError};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Value, json};

/// An event that EventBridge accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEvent {
    /// Event ID that EventBridge returned.
    pub id: String,
    /// Name of the event bus.
    pub bus: String,
    /// Source of the event.
    pub source: String,
    /// Detail type of the event.
    pub detail_type: String,
    /// Detail of the event, as JSON text.
    pub detail: String,
}

impl PublishedEvent {
    /// Body of the message that a rule sends to its target queue ("Events in Amazon EventBridge"), without account, Region
    /// and time.
    #[must_use]
    pub fn message(&self) -> Value {
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "resources": [],
            "detail": serde_json::from_str::<Value>(&self.detail).unwrap_or_default(),
        })
    }
}

/// The published events.
#[derive(Debug, Default)]
pub struct Duplicates {
    published: Mutex<Vec<PublishedEvent>>,
}

impl Duplicates {
    /// Returns a random sample of the events published so far, in random order. `rate` (0 to 1) is the fraction of the
    /// events to return. The seed determines the events and their order.
    #[must_use]
    pub fn sample(&self, seed: u64, rate: f64) -> Vec<PublishedEvent> {
        let mut sample = self.published.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sample.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        sample.truncate((sample.len() as f64 * rate).round() as usize);
        sample
    }

    /// Adds the events of a PutEvents call that its response reports as accepted.
    pub(crate) fn add(&self, request: &[u8], response: &[u8]) {
        let request = serde_json::from_slice::<Entries<Entry>>(request).map_or(Vec::new(), |request| request.entries);
        let results =
            serde_json::from_slice::<Entries<EntryResult>>(response).map_or(Vec::new(), |response| response.entries);
        let accepted = request.into_iter().zip(results).filter_map(|(entry, result)| {
            Some(PublishedEvent {
                id: result.event_id?,
                bus: entry.event_bus_name,
                source: entry.source,
                detail_type: entry.detail_type,
                detail: entry.detail,
            })
        });
        self.published.lock().unwrap_or_else(PoisonError::into_inner).extend(accepted);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entries<T> {
    entries: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    event_bus_name: String,
    source: String,
    detail_type: String,
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryResult {
    event_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(count: usize) -> Duplicates {
        let duplicates = Duplicates::default();
        for n in 0..count {
            let entry =
                json!({"EventBusName": "bus", "Source": "app", "DetailType": "created", "Detail": format!("{{\"n\":{n}}}")});
            let request = json!({ "Entries": [entry, entry] }).to_string();
            let response = json!({ "FailedEntryCount": 1, "Entries": [{"EventId": n.to_string()}, {"ErrorCode": "No"}] });
            duplicates.add(request.as_bytes(), response.to_string().as_bytes());
        }
        duplicates
    }

    #[test]
    fn same_seed_returns_the_same_sample_in_shuffled_order() {
        let duplicates = published(100);
        let sample = duplicates.sample(7, 0.5);
        assert_eq!(sample, duplicates.sample(7, 0.5));
        assert_ne!(sample, duplicates.sample(8, 0.5));
        assert_eq!(sample.len(), 50);
        let order: Vec<usize> = sample.iter().map(|event| event.id.parse().unwrap()).collect();
        assert!(!order.is_sorted());
        assert_eq!(duplicates.sample(7, 1.0).len(), 100, "the sample contains no rejected events");
    }

    #[test]
    fn formats_an_event_like_a_rule() {
        let message = published(1).sample(0, 1.0)[0].message();
        assert_eq!((&message["source"], &message["detail-type"]), (&json!("app"), &json!("created")));
        assert_eq!(message["detail"], json!({"n": 0}));
    }
}
