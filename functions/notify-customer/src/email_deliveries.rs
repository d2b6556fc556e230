//! One e-mail for each event, however often the event is delivered and wherever this process dies.
//!
//! SES has no idempotency key, so each delivery has a record, with the states of Powertools' idempotency:
//!
//! - in progress: from before the call of SES until the confirmation window ends;
//! - completed: SES accepted the e-mail, or will never accept it;
//! - absent: SES did not accept the e-mail, and the next attempt sends it.
//!
//! If the response of SES is lost, or this process dies, the record stays in progress, and the e-mail is not sent again
//! before the window ends. Within the window SES reports accepted e-mails in an event, and confirm-email completes the
//! record. So no e-mail is lost, and one is sent twice only if that event is lost or is processed after the window.

use std::error::Error;
use std::time::Duration;

use ferrite_core::EventId;
use ferrite_core::ports::{Attempt, Clock, Fingerprint, IdempotencyStore, StartResult};
use ferrite_domain::ports::{SendEmail, SendEmailError};
use ferrite_domain::{Email, EmailDelivery, EmailMessage, Notification};
use ferrite_runtime::Failure;
use ferrite_runtime::idempotency::digest;
use ferrite_runtime::log;
use ferrite_runtime::metrics::{self, Metric, Unit};
use serde_json::json;
use tracing::{Instrument, info_span};

const EMAILS_SENT: Metric = Metric::new("EmailsSent", Unit::Count);
const EMAILS_REJECTED: Metric = Metric::new("EmailsRejected", Unit::Count);

/// The deliveries and their records.
#[derive(Debug)]
pub(crate) struct EmailDeliveries<R, C> {
    records: R,
    clock: C,
    window: Duration,
}

/// It is not known yet whether the e-mail was sent.
#[derive(Debug, thiserror::Error)]
#[error("an attempt to send this e-mail is not confirmed yet")]
struct Unconfirmed;

impl<R: IdempotencyStore, C: Clock> EmailDeliveries<R, C> {
    /// `window` is how long SES has to confirm an e-mail whose response was lost.
    pub(crate) fn new(records: R, clock: C, window: Duration) -> Self {
        Self { records, clock, window }
    }

    /// Sends the notification about `event` to `to`, unless it was sent before.
    ///
    /// # Errors
    /// The e-mail was not sent, or it is not known whether it was: the event is to be delivered again.
    pub(crate) async fn send_once(
        &self,
        mailer: &impl SendEmail,
        event: &EventId,
        to: Email,
        notification: Notification,
    ) -> Result<(), Failure> {
        let delivery = EmailDelivery::new(digest(event).map_err(Failure::reject)?);
        let attempt = self.attempt(&delivery);
        match self.records.start(&attempt).await? {
            StartResult::Acquired => {}
            StartResult::InProgress => return Err(Failure::retry(Unconfirmed)),
            StartResult::Completed(_) => return Ok(()),
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
                if let Err(error) = self.records.release(&attempt).await {
                    // The e-mail is then sent when the window ends.
                    tracing::warn!(error = &error as &dyn Error, "the record of an e-mail could not be released");
                }
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
            in_progress_until: now.after(self.window),
            expires_at: now.after(EmailDelivery::RETENTION),
        }
    }

    /// Has no effect if the event of SES came first.
    async fn complete(&self, attempt: &Attempt, outcome: &str) -> Result<(), Failure> {
        let expires_at = self.clock.now().after(EmailDelivery::RETENTION);
        let completed = self.records.complete(attempt, outcome, expires_at).await;
        completed.map(drop).map_err(Failure::retry)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::memory::MemoryIdempotency;
    use ferrite_core::ports::PortError;
    use ferrite_core::{Reason, Timestamp};
    use ferrite_domain::contract;
    use ferrite_domain::memory::MemoryMailer;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    struct Moving(Mutex<Timestamp>);

    impl Clock for Moving {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    struct Shop {
        deliveries: EmailDeliveries<MemoryIdempotency, Moving>,
        mailer: MemoryMailer,
    }

    impl Shop {
        fn new() -> Self {
            let clock = Moving(Mutex::new(contract::now()));
            Self {
                deliveries: EmailDeliveries::new(MemoryIdempotency::default(), clock, WINDOW),
                mailer: MemoryMailer::default(),
            }
        }

        async fn deliver(&self) -> Result<(), Failure> {
            let notification = Notification { subject: "Hello".to_owned(), text: "Hello.".to_owned() };
            let to = "ada@example.com".to_owned().try_into().unwrap();
            self.deliveries.send_once(&self.mailer, &EventId::of_change("ada", 1.into()), to, notification).await
        }

        fn wait(&self, time: Duration) {
            let mut now = self.deliveries.clock.0.lock().unwrap();
            *now = now.after(time);
        }

        /// What confirm-email does about the mail that was sent last.
        async fn confirm(&self) {
            let message_tags = self.mailer.sent().pop().unwrap().message_tags;
            let [(EmailDelivery::MESSAGE_TAG, digest)] = &message_tags[..] else { panic!("{message_tags:?}") };
            assert!(digest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{digest}");
            let expires_at = self.deliveries.clock.now().after(EmailDelivery::RETENTION);
            let key = EmailDelivery::new(digest.clone()).key();
            self.deliveries.records.complete_if_in_progress(&key, EmailDelivery::SENT, expires_at).await.unwrap();
        }

        fn sent(&self) -> usize {
            self.mailer.sent().len()
        }
    }

    #[tokio::test]
    async fn an_event_that_comes_again_sends_nothing_more() {
        let shop = Shop::new();
        for wait in [Duration::ZERO, WINDOW * 2, EmailDelivery::RETENTION - WINDOW * 4] {
            shop.wait(wait);
            shop.deliver().await.unwrap();
        }
        shop.confirm().await;
        assert_eq!(shop.sent(), 1);
    }

    #[tokio::test]
    async fn a_mail_whose_answer_was_lost_is_not_sent_again_once_ses_told_of_it() {
        let shop = Shop::new();
        shop.mailer.lose_next_answer();
        assert!(matches!(shop.deliver().await, Err(Failure::Retry(_))));
        assert!(matches!(shop.deliver().await, Err(Failure::Retry(_))), "nothing is known yet");
        shop.confirm().await;
        shop.wait(WINDOW * 2);
        shop.deliver().await.unwrap();
        assert_eq!(shop.sent(), 1);
    }

    #[tokio::test]
    async fn what_ses_tells_too_late_keeps_a_third_mail_from_being_sent() {
        let shop = Shop::new();
        for _ in 0..2 {
            shop.mailer.lose_next_answer();
            assert!(matches!(shop.deliver().await, Err(Failure::Retry(_))));
            shop.wait(WINDOW + Duration::from_millis(1));
        }
        shop.confirm().await;
        shop.deliver().await.unwrap();
        assert_eq!(shop.sent(), 2);
    }

    #[tokio::test]
    async fn a_mail_that_ses_did_not_tell_of_is_sent_when_the_window_is_over() {
        let shop = Shop::new();
        shop.mailer.fail_next(SendEmailError::Unknown(PortError::new("SendEmail", "the connection broke")));
        assert!(matches!(shop.deliver().await, Err(Failure::Retry(_))));
        shop.wait(WINDOW - Duration::from_millis(1));
        assert!(matches!(shop.deliver().await, Err(Failure::Retry(_))));
        assert_eq!(shop.sent(), 0);
        shop.wait(Duration::from_millis(2));
        shop.deliver().await.unwrap();
        assert_eq!(shop.sent(), 1);
    }

    #[tokio::test]
    async fn what_ses_said_no_to_is_sent_by_the_next_delivery() {
        let shop = Shop::new();
        shop.mailer.fail_next(SendEmailError::NotSent(PortError::new("SendEmail", "Throttling")));
        assert!(matches!(shop.deliver().await, Err(Failure::Retry(_))));
        shop.deliver().await.unwrap();
        assert_eq!(shop.sent(), 1);
    }

    #[tokio::test]
    async fn a_rejected_address_ends_there_with_the_reason() {
        let shop = Shop::new();
        let reason = Reason::from_lossy("no such domain");
        shop.mailer.fail_next(SendEmailError::Rejected { reason });
        for _ in 0..2 {
            shop.deliver().await.unwrap();
        }
        assert_eq!(shop.sent(), 0);
        let delivery = EmailDelivery::new(digest(&EventId::of_change("ada", 1.into())).unwrap());
        let StartResult::Completed(saved) =
            shop.deliveries.records.start(&shop.deliveries.attempt(&delivery)).await.unwrap()
        else {
            panic!("it has ended");
        };
        assert_eq!(saved.response, r#"{"rejected":"no such domain"}"#);
    }
}
