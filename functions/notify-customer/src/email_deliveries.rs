//! Sends one e-mail for each event, even if the event is delivered several times or this process dies.
//!
//! SES has no idempotency key. Each delivery therefore has an idempotency record, with the states that Powertools uses:
//!
//! - in progress: from before the call to SES until the confirmation window ends;
//! - completed: SES accepted the e-mail, or rejected it permanently;
//! - absent: SES did not accept the e-mail, and the next attempt sends it.
//!
//! If the response from SES is lost, or this process dies, the record stays in progress, and the e-mail is not sent
//! again before the window ends. SES publishes an event for each accepted e-mail, and confirm-email then completes the
//! record. SES delivers its events on a best-effort basis. So no e-mail is lost, and one is sent twice only if its
//! response was lost and its event is also lost or is processed after the window ends.
//!
//! Each e-mail is counted against its limits before it is sent. An e-mail beyond the limit is not sent
//! later, because an attacker could otherwise fill the queue.

use std::error::Error;
use std::time::Duration;

use ferrite_core::ports::{Attempt, Clock, Fingerprint, IdempotencyStore, StartResult};
use ferrite_core::{EventId, Timestamp};
use ferrite_domain::ports::{LimitEmails, Reservation, SendEmail, SendEmailError};
use ferrite_domain::{CustomerId, Email, EmailDelivery, EmailLimit, EmailMessage, EmailPurpose, Notification};
use ferrite_runtime::Failure;
use ferrite_runtime::idempotency::digest;
use ferrite_runtime::log;
use ferrite_runtime::metrics::{self, Metric, Unit};
use serde_json::json;
use tracing::{Instrument, info_span};

const EMAILS_SENT: Metric = Metric::new("EmailsSent", Unit::Count);
const EMAILS_REJECTED: Metric = Metric::new("EmailsRejected", Unit::Count);
const EMAILS_OVER_LIMIT: Metric = Metric::new("EmailsOverLimit", Unit::Count);

/// Sends e-mails within their limits, and keeps a record of each delivery.
#[derive(Debug)]
pub(crate) struct EmailDeliveries<R, L, C> {
    records: R,
    limits: L,
    clock: C,
    window: Duration,
    limit: EmailLimit,
}

/// An earlier attempt is in progress: it is unknown whether SES accepted the e-mail.
#[derive(Debug, thiserror::Error)]
#[error("an attempt to send this e-mail is not confirmed yet")]
struct Unconfirmed;

impl<R: IdempotencyStore, L: LimitEmails, C: Clock> EmailDeliveries<R, L, C> {
    /// `window` is how long to wait for the confirmation event of an e-mail if the response from SES was lost. `limit`
    /// is the maximum number of e-mails to a mailbox per hour.
    pub(crate) fn new(records: R, limits: L, clock: C, window: Duration, limit: EmailLimit) -> Self {
        Self { records, limits, clock, window, limit }
    }

    /// Returns the time that deliveries use.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends the notification about `event`, which `customer` caused, to `to`, unless it was sent before.
    ///
    /// An e-mail that SES rejects permanently, or that exceeds a limit, is logged, counted and not sent again.
    ///
    /// # Errors
    /// Returns [`Failure::Retry`] if the e-mail was not sent, or if it is unknown whether it was sent.
    pub(crate) async fn send_once(
        &self,
        mailer: &impl SendEmail,
        event: &EventId,
        customer: &CustomerId,
        to: Email,
        notification: Notification,
        purpose: EmailPurpose,
    ) -> Result<(), Failure> {
        let delivery = EmailDelivery::new(digest(event).map_err(Failure::reject)?);
        let attempt = self.attempt(&delivery);
        match self.records.start(&attempt).await? {
            StartResult::Acquired => {}
            StartResult::InProgress => return Err(Failure::retry(Unconfirmed)),
            StartResult::Completed(_) => return Ok(()),
        }
        for (counter, max) in self.limit.counters(purpose, &to, customer) {
            match self.limits.reserve(counter, &delivery, max, self.clock.now()).await {
                Ok(Reservation::Reserved) => {}
                Ok(Reservation::LimitReached) => {
                    metrics::count(EMAILS_OVER_LIMIT);
                    log::append_to_list("over_limit", json!({ "event_id": event }));
                    return self.complete(&attempt, &json!({ "rejected": "over the e-mail limit" }).to_string()).await;
                }
                Err(error) => {
                    self.release(&attempt).await;
                    return Err(Failure::retry(error));
                }
            }
        }
        let message_tags = vec![(EmailDelivery::MESSAGE_TAG, delivery.digest().to_owned())];
        let message = EmailMessage { message_tags, to, notification };
        match mailer.send(&message).instrument(info_span!("send_email")).await {
            Ok(()) => {
                metrics::count(EMAILS_SENT);
                self.complete(&attempt, EmailDelivery::SENT).await
            }
            Err(SendEmailError::Rejected { reason }) => {
                metrics::count(EMAILS_REJECTED);
                log::append_to_list("rejected", json!({ "event_id": event }));
                self.complete(&attempt, &json!({ "rejected": reason }).to_string()).await
            }
            Err(error @ SendEmailError::NotSent(_)) => {
                self.release(&attempt).await;
                Err(Failure::retry(error))
            }
            Err(error @ SendEmailError::Unknown(_)) => Err(Failure::retry(error)),
        }
    }

    fn attempt(&self, delivery: &EmailDelivery) -> Attempt {
        let now = self.clock.now();
        Attempt {
            key: delivery.key(),
            fingerprint: Fingerprint(delivery.digest().to_owned()),
            now,
            in_progress_until: now.plus(self.window),
            expires_at: now.plus(EmailDelivery::RETENTION),
        }
    }

    /// Deletes the record, so that the next attempt sends the e-mail at once. Otherwise, it sends it after the window.
    async fn release(&self, attempt: &Attempt) {
        if let Err(error) = self.records.release(attempt).await {
            tracing::warn!(error = &error as &dyn Error, "could not release the idempotency record of an e-mail");
        }
    }

    /// Completes the record. Has no effect if confirm-email has completed it already.
    async fn complete(&self, attempt: &Attempt, outcome: &str) -> Result<(), Failure> {
        let expires_at = self.clock.now().plus(EmailDelivery::RETENTION);
        let completed = self.records.complete(attempt, outcome, expires_at).await;
        completed.map(drop).map_err(Failure::retry)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::Reason;
    use ferrite_core::memory::MemoryIdempotency;
    use ferrite_core::ports::PortError;
    use ferrite_domain::contract;
    use ferrite_domain::memory::{MemoryMailer, MemoryStore};

    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    struct ManualClock(Mutex<Timestamp>);

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    struct Fixture {
        deliveries: EmailDeliveries<MemoryIdempotency, MemoryStore, ManualClock>,
        mailer: MemoryMailer,
    }

    impl Fixture {
        fn new() -> Self {
            let clock = ManualClock(Mutex::new(contract::now()));
            Self {
                deliveries: EmailDeliveries::new(
                    MemoryIdempotency::default(),
                    MemoryStore::default(),
                    clock,
                    WINDOW,
                    2.try_into().unwrap(),
                ),
                mailer: MemoryMailer::default(),
            }
        }

        async fn deliver(&self) -> Result<(), Failure> {
            let notification = Notification { subject: "Hello".to_owned(), text: "Hello.".to_owned() };
            let to = "ada@example.com".to_owned().try_into().unwrap();
            let event = EventId::of_change("ada", 1.into());
            let customer = "ada".to_owned().try_into().unwrap();
            self.deliveries.send_once(&self.mailer, &event, &customer, to, notification, EmailPurpose::Order).await
        }

        fn advance_clock(&self, duration: Duration) {
            let mut now = self.deliveries.clock.0.lock().unwrap();
            *now = now.plus(duration);
        }

        /// Completes the record of the last e-mail, as confirm-email does.
        async fn confirm(&self) {
            let message_tags = self.mailer.sent().pop().unwrap().message_tags;
            let [(EmailDelivery::MESSAGE_TAG, digest)] = &message_tags[..] else { panic!("{message_tags:?}") };
            assert!(digest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{digest}");
            let expires_at = self.deliveries.clock.now().plus(EmailDelivery::RETENTION);
            let key = EmailDelivery::new(digest.clone()).key();
            self.deliveries.records.complete_if_in_progress(&key, EmailDelivery::SENT, expires_at).await.unwrap();
        }

        fn sent_count(&self) -> usize {
            self.mailer.sent().len()
        }
    }

    #[tokio::test]
    async fn sends_one_email_for_repeated_events() {
        let fixture = Fixture::new();
        for delay in [Duration::ZERO, WINDOW * 2, EmailDelivery::RETENTION - WINDOW * 4] {
            fixture.advance_clock(delay);
            fixture.deliver().await.unwrap();
        }
        fixture.confirm().await;
        assert_eq!(fixture.sent_count(), 1);
    }

    #[tokio::test]
    async fn does_not_resend_a_confirmed_email_whose_response_was_lost() {
        let fixture = Fixture::new();
        fixture.mailer.lose_next_response();
        assert!(matches!(fixture.deliver().await, Err(Failure::Retry(_))));
        assert!(matches!(fixture.deliver().await, Err(Failure::Retry(_))), "not confirmed yet");
        fixture.confirm().await;
        fixture.advance_clock(WINDOW * 2);
        fixture.deliver().await.unwrap();
        assert_eq!(fixture.sent_count(), 1);
    }

    #[tokio::test]
    async fn does_not_resend_after_a_late_confirmation() {
        let fixture = Fixture::new();
        for _ in 0..2 {
            fixture.mailer.lose_next_response();
            assert!(matches!(fixture.deliver().await, Err(Failure::Retry(_))));
            fixture.advance_clock(WINDOW + Duration::from_millis(1));
        }
        fixture.confirm().await;
        fixture.deliver().await.unwrap();
        assert_eq!(fixture.sent_count(), 2);
    }

    #[tokio::test]
    async fn resends_an_unconfirmed_email_after_the_window() {
        let fixture = Fixture::new();
        fixture.mailer.fail_next(SendEmailError::Unknown(PortError::new("SendEmail", "the connection was reset")));
        assert!(matches!(fixture.deliver().await, Err(Failure::Retry(_))));
        fixture.advance_clock(WINDOW - Duration::from_millis(1));
        assert!(matches!(fixture.deliver().await, Err(Failure::Retry(_))));
        assert_eq!(fixture.sent_count(), 0);
        fixture.advance_clock(Duration::from_millis(2));
        fixture.deliver().await.unwrap();
        assert_eq!(fixture.sent_count(), 1);
    }

    #[tokio::test]
    async fn sends_a_throttled_email_on_the_next_attempt() {
        let fixture = Fixture::new();
        fixture.mailer.fail_next(SendEmailError::NotSent(PortError::new("SendEmail", "Throttling")));
        assert!(matches!(fixture.deliver().await, Err(Failure::Retry(_))));
        fixture.deliver().await.unwrap();
        assert_eq!(fixture.sent_count(), 1);
    }

    #[tokio::test]
    async fn does_not_resend_a_rejected_email_and_saves_the_reason() {
        let fixture = Fixture::new();
        let reason = Reason::from_lossy("no such domain");
        fixture.mailer.fail_next(SendEmailError::Rejected { reason });
        for _ in 0..2 {
            fixture.deliver().await.unwrap();
        }
        assert_eq!(fixture.sent_count(), 0);
        let delivery = EmailDelivery::new(digest(&EventId::of_change("ada", 1.into())).unwrap());
        let StartResult::Completed(saved) =
            fixture.deliveries.records.start(&fixture.deliveries.attempt(&delivery)).await.unwrap()
        else {
            panic!("not completed");
        };
        assert_eq!(saved.response, r#"{"rejected":"no such domain"}"#);
    }
}
