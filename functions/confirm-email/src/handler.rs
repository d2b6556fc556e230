use ferrite_core::ports::{Clock, IdempotencyStore};
use ferrite_domain::EmailDelivery;
use ferrite_runtime::Failure;
use ferrite_runtime::batch::sqs::Message;

use crate::email_sent::EmailSent;

/// Marks the delivery of an e-mail that SES accepted as completed.
///
/// This covers the cases where notify-customer got no response from SES or died before it saved the result. The event
/// may arrive twice, or before notify-customer finishes. The record is the same in each case.
pub(crate) async fn confirm_email(
    records: &impl IdempotencyStore,
    clock: &impl Clock,
    message: Message,
) -> Result<(), Failure> {
    let EmailSent(delivery) = message.body.parse().map_err(Failure::reject)?;
    let expires_at = clock.now().plus(EmailDelivery::RETENTION);
    let completed = records.complete_if_in_progress(&delivery.key(), EmailDelivery::SENT, expires_at).await;
    completed.map(drop).map_err(Failure::retry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_core::memory::{FixedClock, MemoryIdempotency};
    use ferrite_core::ports::{Attempt, Fingerprint, StartResult};
    use ferrite_domain::contract;
    use serde_json::{Value, json};

    use super::*;

    fn email_sent(source: &str, tags: &Value) -> Message {
        let body = json!({"source": source, "detail-type": "Email Sent", "detail": {"mail": {"tags": tags}}});
        message(&body.to_string())
    }

    fn message(body: &str) -> Message {
        let record = json!({"messageId": "1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"});
        serde_json::from_value(record).unwrap()
    }

    fn attempt() -> Attempt {
        let now = contract::now();
        Attempt {
            key: EmailDelivery::new("abc".to_owned()).key(),
            fingerprint: Fingerprint("abc".to_owned()),
            now,
            in_progress_until: now.plus(Duration::from_secs(300)),
            expires_at: now.plus(EmailDelivery::RETENTION),
        }
    }

    #[tokio::test]
    async fn completes_the_record_of_an_accepted_email() {
        let records = MemoryIdempotency::default();
        let clock = FixedClock(contract::now());
        records.start(&attempt()).await.unwrap();
        for _ in 0..2 {
            confirm_email(&records, &clock, email_sent("aws.ses", &json!({"record": ["abc"]}))).await.unwrap();
        }
        let StartResult::Completed(saved) = records.start(&attempt()).await.unwrap() else { panic!("not completed") };
        assert_eq!(saved.response, EmailDelivery::SENT);
        assert!(
            records.complete(&attempt(), EmailDelivery::SENT, attempt().expires_at).await.unwrap(),
            "notify-customer saves the same result"
        );
    }

    #[tokio::test]
    async fn rejects_events_that_are_not_about_our_emails() {
        let records = MemoryIdempotency::default();
        let clock = FixedClock(contract::now());
        let other_source = email_sent("elsewhere", &json!({"record": ["abc"]}));
        for message in [
            other_source,
            email_sent("aws.ses", &json!({})),
            email_sent("aws.ses", &json!({"record": []})),
            message("not JSON"),
        ] {
            let result = confirm_email(&records, &clock, message).await;
            assert!(matches!(result, Err(Failure::Reject(_))), "{result:?}");
        }
    }
}
