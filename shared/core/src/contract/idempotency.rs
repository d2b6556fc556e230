//! Contract of an idempotency store.

use futures_util::future::join_all;

use super::now;
use crate::Timestamp;
use crate::memory::UniqueIds;
use crate::ports::{Attempt, Fingerprint, IdGenerator, IdempotencyStore, SavedResponse, StartResult};

/// Generates the contract tests of an [`IdempotencyStore`].
#[macro_export]
macro_rules! idempotency_store_contract {
    ($adapter:expr) => {
        $crate::contract_tests!(
            $crate::contract::idempotency, $adapter,
            acquires_the_first_attempt
            acquires_one_of_twenty_concurrent_attempts
            returns_the_saved_response_to_later_attempts
            accepts_the_same_response_twice
            lets_another_attempt_take_over_after_the_first_times_out
            ignores_a_response_after_a_takeover
            completes_any_attempt_in_progress
            does_not_complete_a_key_without_an_attempt_in_progress
            frees_a_released_key
            ignores_a_release_after_a_takeover
            treats_an_expired_response_as_absent
            treats_an_expired_attempt_as_absent
        );
    };
}

const INVOCATION_MS: i64 = 30_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn plus_millis(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(time.unix_millis() + millis)
}

/// Creates an attempt with a unique key.
fn new_attempt() -> Attempt {
    Attempt {
        key: format!("charge#{}", UniqueIds.new_id()),
        fingerprint: Fingerprint("first".to_owned()),
        now: now(),
        in_progress_until: plus_millis(now(), INVOCATION_MS),
        expires_at: plus_millis(now(), DAY_MS),
    }
}

/// Creates another attempt with the same key, `millis` later.
fn attempt_after(first: &Attempt, millis: i64) -> Attempt {
    let now = plus_millis(first.now, millis);
    Attempt {
        now,
        in_progress_until: plus_millis(now, INVOCATION_MS),
        expires_at: plus_millis(now, DAY_MS),
        ..first.clone()
    }
}

fn completed(response: &str) -> StartResult {
    StartResult::Completed(SavedResponse { fingerprint: Fingerprint("first".to_owned()), response: response.to_owned() })
}

pub async fn acquires_the_first_attempt(store: &impl IdempotencyStore) {
    let first = new_attempt();
    assert_eq!(store.start(&first).await.unwrap(), StartResult::Acquired);
    assert_eq!(store.start(&attempt_after(&first, 1)).await.unwrap(), StartResult::InProgress);
    assert_eq!(store.start(&new_attempt()).await.unwrap(), StartResult::Acquired, "keys are independent of each other");
}

pub async fn acquires_one_of_twenty_concurrent_attempts(store: &impl IdempotencyStore) {
    let attempt = new_attempt();
    let results = join_all((0..20).map(|_| store.start(&attempt))).await;
    let acquired = results.into_iter().filter(|result| *result.as_ref().unwrap() == StartResult::Acquired);
    assert_eq!(acquired.count(), 1);
}

pub async fn returns_the_saved_response_to_later_attempts(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    assert!(store.complete(&first, r#"{"paid":true}"#, first.expires_at).await.unwrap());
    assert_eq!(store.start(&attempt_after(&first, 1)).await.unwrap(), completed(r#"{"paid":true}"#));
    // The store returns the response until it expires, even to a different request: the caller compares fingerprints.
    let other = Attempt { fingerprint: Fingerprint("other".to_owned()), ..attempt_after(&first, DAY_MS - 1) };
    assert_eq!(store.start(&other).await.unwrap(), completed(r#"{"paid":true}"#));
}

pub async fn accepts_the_same_response_twice(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    for (response, is_saved) in [("1", true), ("1", true), ("2", false)] {
        assert_eq!(store.complete(&first, response, first.expires_at).await.unwrap(), is_saved, "{response}");
    }
    assert_eq!(store.start(&attempt_after(&first, 1)).await.unwrap(), completed("1"));
}

pub async fn lets_another_attempt_take_over_after_the_first_times_out(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    assert_eq!(store.start(&attempt_after(&first, INVOCATION_MS)).await.unwrap(), StartResult::InProgress);
    let second = attempt_after(&first, INVOCATION_MS + 1);
    assert_eq!(store.start(&second).await.unwrap(), StartResult::Acquired);
    assert_eq!(
        store.start(&attempt_after(&second, 1)).await.unwrap(),
        StartResult::InProgress,
        "the second attempt gets as much time as the first"
    );
}

pub async fn ignores_a_response_after_a_takeover(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    let second = attempt_after(&first, INVOCATION_MS + 1);
    store.start(&second).await.unwrap();
    assert!(!store.complete(&first, "1", first.expires_at).await.unwrap());
    assert_eq!(store.start(&attempt_after(&second, 1)).await.unwrap(), StartResult::InProgress);
    assert!(store.complete(&second, "2", second.expires_at).await.unwrap());
    assert!(!store.complete(&first, "1", first.expires_at).await.unwrap());
    assert_eq!(store.start(&attempt_after(&second, 2)).await.unwrap(), completed("2"));
}

pub async fn completes_any_attempt_in_progress(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    let second = attempt_after(&first, INVOCATION_MS + 1);
    store.start(&second).await.unwrap();
    assert!(store.complete_if_in_progress(&first.key, "1", second.expires_at).await.unwrap());
    assert_eq!(store.start(&attempt_after(&second, 1)).await.unwrap(), completed("1"));
    assert!(store.complete(&second, "1", second.expires_at).await.unwrap(), "the same response is already saved");
    assert!(!store.complete(&second, "2", second.expires_at).await.unwrap());
    assert_eq!(store.start(&attempt_after(&second, INVOCATION_MS + 1)).await.unwrap(), completed("1"));
}

pub async fn does_not_complete_a_key_without_an_attempt_in_progress(store: &impl IdempotencyStore) {
    let first = new_attempt();
    assert!(!store.complete_if_in_progress(&first.key, "1", first.expires_at).await.unwrap());
    store.start(&first).await.unwrap();
    store.complete(&first, "2", first.expires_at).await.unwrap();
    assert!(!store.complete_if_in_progress(&first.key, "1", first.expires_at).await.unwrap());
    assert_eq!(store.start(&attempt_after(&first, 1)).await.unwrap(), completed("2"));
}

pub async fn frees_a_released_key(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    store.release(&first).await.unwrap();
    assert!(!store.complete(&first, "1", first.expires_at).await.unwrap(), "a released attempt cannot be completed");
    assert_eq!(store.start(&attempt_after(&first, 1)).await.unwrap(), StartResult::Acquired);
}

pub async fn ignores_a_release_after_a_takeover(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    let second = attempt_after(&first, INVOCATION_MS + 1);
    store.start(&second).await.unwrap();
    store.release(&first).await.unwrap();
    assert_eq!(store.start(&attempt_after(&second, 1)).await.unwrap(), StartResult::InProgress);
    store.complete(&second, "2", second.expires_at).await.unwrap();
    store.release(&second).await.unwrap();
    assert_eq!(store.start(&attempt_after(&second, 2)).await.unwrap(), completed("2"));
}

pub async fn treats_an_expired_response_as_absent(store: &impl IdempotencyStore) {
    let first = new_attempt();
    store.start(&first).await.unwrap();
    store.complete(&first, "1", plus_millis(first.now, 60_000)).await.unwrap();
    assert_eq!(store.start(&attempt_after(&first, 60_000)).await.unwrap(), completed("1"));
    assert_eq!(store.start(&attempt_after(&first, 61_000)).await.unwrap(), StartResult::Acquired);
}

pub async fn treats_an_expired_attempt_as_absent(store: &impl IdempotencyStore) {
    let first = Attempt { expires_at: plus_millis(now(), 1000), ..new_attempt() };
    store.start(&first).await.unwrap();
    assert_eq!(store.start(&attempt_after(&first, 2000)).await.unwrap(), StartResult::Acquired);
}
