//! The idempotency records.

use futures_util::future::join_all;

use super::now;
use crate::Timestamp;
use crate::memory::UniqueIds;
use crate::ports::{Attempt, Begun, Fingerprint, IdempotencyRecords, NewIds, SavedAnswer};

/// Tests of [`IdempotencyRecords`].
#[macro_export]
macro_rules! idempotency_records_contract {
    ($open:expr) => {
        $crate::contract_tests!(
            $crate::contract::idempotency, $open,
            the_first_attempt_is_the_first
            of_twenty_attempts_at_once_one_is_the_first
            an_answer_is_given_to_everyone_after
            an_answer_that_is_sent_twice_is_kept_once
            an_attempt_is_in_progress_until_its_time_and_then_taken_over
            an_answer_that_comes_after_a_takeover_changes_nothing
            what_is_settled_is_answered_whoever_is_at_it
            what_nobody_is_at_is_not_settled
            a_key_that_is_given_up_is_free
            giving_up_too_late_changes_nothing
            an_answer_that_has_expired_counts_as_absent
            an_attempt_that_has_expired_counts_as_absent
        );
    };
}

const INVOCATION: i64 = 30_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn after(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(time.unix_millis() + millis)
}

/// An attempt at something that nobody else does.
fn attempt() -> Attempt {
    Attempt {
        key: format!("charge#{}", UniqueIds.new_id()),
        fingerprint: Fingerprint("first".to_owned()),
        now: now(),
        in_progress_until: after(now(), INVOCATION),
        expires_at: after(now(), DAY),
    }
}

/// The same thing tried again, `millis` later.
fn again(first: &Attempt, millis: i64) -> Attempt {
    let now = after(first.now, millis);
    Attempt { now, in_progress_until: after(now, INVOCATION), expires_at: after(now, DAY), ..first.clone() }
}

fn answered(answer: &str) -> Begun {
    Begun::Answered(SavedAnswer { fingerprint: Fingerprint("first".to_owned()), answer: answer.to_owned() })
}

pub async fn the_first_attempt_is_the_first(records: &impl IdempotencyRecords) {
    let first = attempt();
    assert_eq!(records.begin(&first).await.unwrap(), Begun::First);
    assert_eq!(records.begin(&again(&first, 1)).await.unwrap(), Begun::InProgress);
    assert_eq!(records.begin(&attempt()).await.unwrap(), Begun::First, "another key has nothing to do with it");
}

pub async fn of_twenty_attempts_at_once_one_is_the_first(records: &impl IdempotencyRecords) {
    let attempt = attempt();
    let begun = join_all((0..20).map(|_| records.begin(&attempt))).await;
    let first = begun.into_iter().filter(|begun| *begun.as_ref().unwrap() == Begun::First);
    assert_eq!(first.count(), 1);
}

pub async fn an_answer_is_given_to_everyone_after(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    assert!(records.complete(&first, r#"{"paid":true}"#, first.expires_at).await.unwrap());
    assert_eq!(records.begin(&again(&first, 1)).await.unwrap(), answered(r#"{"paid":true}"#));
    // Long after the attempt's own time, and to a request that says something else: what to make of that is the caller's.
    let other = Attempt { fingerprint: Fingerprint("other".to_owned()), ..again(&first, DAY - 1) };
    assert_eq!(records.begin(&other).await.unwrap(), answered(r#"{"paid":true}"#));
}

pub async fn an_answer_that_is_sent_twice_is_kept_once(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    for (answer, is_kept) in [("1", true), ("1", true), ("2", false)] {
        assert_eq!(records.complete(&first, answer, first.expires_at).await.unwrap(), is_kept, "{answer}");
    }
    assert_eq!(records.begin(&again(&first, 1)).await.unwrap(), answered("1"));
}

pub async fn an_attempt_is_in_progress_until_its_time_and_then_taken_over(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    assert_eq!(records.begin(&again(&first, INVOCATION)).await.unwrap(), Begun::InProgress);
    let second = again(&first, INVOCATION + 1);
    assert_eq!(records.begin(&second).await.unwrap(), Begun::First);
    assert_eq!(records.begin(&again(&second, 1)).await.unwrap(), Begun::InProgress, "it has the time of a first attempt");
}

pub async fn an_answer_that_comes_after_a_takeover_changes_nothing(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    let second = again(&first, INVOCATION + 1);
    records.begin(&second).await.unwrap();
    assert!(!records.complete(&first, "1", first.expires_at).await.unwrap());
    assert_eq!(records.begin(&again(&second, 1)).await.unwrap(), Begun::InProgress);
    assert!(records.complete(&second, "2", second.expires_at).await.unwrap());
    assert!(!records.complete(&first, "1", first.expires_at).await.unwrap());
    assert_eq!(records.begin(&again(&second, 2)).await.unwrap(), answered("2"));
}

pub async fn what_is_settled_is_answered_whoever_is_at_it(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    let second = again(&first, INVOCATION + 1);
    records.begin(&second).await.unwrap();
    assert!(records.settle(&first.key, "1", second.expires_at).await.unwrap());
    assert_eq!(records.begin(&again(&second, 1)).await.unwrap(), answered("1"));
    assert!(records.complete(&second, "1", second.expires_at).await.unwrap(), "it says the same");
    assert!(!records.complete(&second, "2", second.expires_at).await.unwrap());
    assert_eq!(records.begin(&again(&second, INVOCATION + 1)).await.unwrap(), answered("1"));
}

pub async fn what_nobody_is_at_is_not_settled(records: &impl IdempotencyRecords) {
    let first = attempt();
    assert!(!records.settle(&first.key, "1", first.expires_at).await.unwrap());
    records.begin(&first).await.unwrap();
    records.complete(&first, "2", first.expires_at).await.unwrap();
    assert!(!records.settle(&first.key, "1", first.expires_at).await.unwrap());
    assert_eq!(records.begin(&again(&first, 1)).await.unwrap(), answered("2"));
}

pub async fn a_key_that_is_given_up_is_free(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    records.release(&first).await.unwrap();
    assert!(!records.complete(&first, "1", first.expires_at).await.unwrap(), "there is nothing to complete");
    assert_eq!(records.begin(&again(&first, 1)).await.unwrap(), Begun::First);
}

pub async fn giving_up_too_late_changes_nothing(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    let second = again(&first, INVOCATION + 1);
    records.begin(&second).await.unwrap();
    records.release(&first).await.unwrap();
    assert_eq!(records.begin(&again(&second, 1)).await.unwrap(), Begun::InProgress);
    records.complete(&second, "2", second.expires_at).await.unwrap();
    records.release(&second).await.unwrap();
    assert_eq!(records.begin(&again(&second, 2)).await.unwrap(), answered("2"));
}

pub async fn an_answer_that_has_expired_counts_as_absent(records: &impl IdempotencyRecords) {
    let first = attempt();
    records.begin(&first).await.unwrap();
    records.complete(&first, "1", after(first.now, 60_000)).await.unwrap();
    assert_eq!(records.begin(&again(&first, 60_000)).await.unwrap(), answered("1"));
    assert_eq!(records.begin(&again(&first, 61_000)).await.unwrap(), Begun::First);
}

pub async fn an_attempt_that_has_expired_counts_as_absent(records: &impl IdempotencyRecords) {
    let first = Attempt { expires_at: after(now(), 1000), ..attempt() };
    records.begin(&first).await.unwrap();
    assert_eq!(records.begin(&again(&first, 2000)).await.unwrap(), Begun::First);
}
