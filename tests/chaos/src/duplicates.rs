//! The published events, so that they can be delivered again: EventBridge and SQS deliver at least once.

use std::sync::{Mutex, PoisonError};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Value, json};

/// An event that EventBridge accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// EventBridge's own identifier of it.
    pub id: String,
    /// The bus.
    pub bus: String,
    /// Its source.
    pub source: String,
    /// Its detail type.
    pub detail_type: String,
    /// Its detail, a JSON text.
    pub detail: String,
}

impl Published {
    /// The body of the message that a rule's queue gets for it ("Events in Amazon EventBridge"), but for account,
    /// region and time.
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
    published: Mutex<Vec<Published>>,
}

impl Duplicates {
    /// A share (0 to 1) of the events published so far, shuffled. The seed decides which events, and their order.
    #[must_use]
    pub fn sample(&self, seed: u64, share: f64) -> Vec<Published> {
        let mut sample = self.published.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sample.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        sample.truncate((sample.len() as f64 * share).round() as usize);
        sample
    }

    /// Adds the events of a PutEvents call that EventBridge accepted.
    pub(crate) fn add(&self, request: &[u8], answer: &[u8]) {
        let request = serde_json::from_slice::<Entries<Entry>>(request).map_or(Vec::new(), |request| request.entries);
        let answer = serde_json::from_slice::<Entries<EntryResult>>(answer).map_or(Vec::new(), |answer| answer.entries);
        let accepted = request.into_iter().zip(answer).filter_map(|(entry, result)| {
            Some(Published {
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
                json!({"EventBusName": "bus", "Source": "shop", "DetailType": "placed", "Detail": format!("{{\"n\":{n}}}")});
            let request = json!({ "Entries": [entry, entry] }).to_string();
            let answer = json!({ "FailedEntryCount": 1, "Entries": [{"EventId": n.to_string()}, {"ErrorCode": "No"}] });
            duplicates.add(request.as_bytes(), answer.to_string().as_bytes());
        }
        duplicates
    }

    #[test]
    fn a_sample_is_the_same_for_the_same_seed_and_in_another_order_than_published() {
        let duplicates = published(100);
        let sample = duplicates.sample(7, 0.5);
        assert_eq!(sample, duplicates.sample(7, 0.5));
        assert_ne!(sample, duplicates.sample(8, 0.5));
        assert_eq!(sample.len(), 50);
        let order: Vec<usize> = sample.iter().map(|event| event.id.parse().unwrap()).collect();
        assert!(!order.is_sorted());
        assert_eq!(duplicates.sample(7, 1.0).len(), 100, "events that EventBridge rejected are not among them");
    }

    #[test]
    fn formats_an_event_as_a_rule_does() {
        let again = published(1).sample(0, 1.0)[0].message();
        assert_eq!((&again["source"], &again["detail-type"]), (&json!("shop"), &json!("placed")));
        assert_eq!(again["detail"], json!({"n": 0}));
    }
}
