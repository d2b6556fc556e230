use ferrite_core::ports::{Clock, IdempotencyStore};
use ferrite_domain::EmailDelivery;
use ferrite_runtime::Failure;
use ferrite_runtime::batch::sqs::Message;

use crate::email_sent::EmailSent;

/// Completes the record of a mail that SES took: for where notify-customer had no answer from SES, or died.
///
/// It may come twice, and before notify-customer has ended; the record says the same either way.
pub(crate) async fn confirm_email(
    records: &impl IdempotencyStore,
    clock: &impl Clock,
    message: Message,
) -> Result<(), Failure> {
    let EmailSent(sending) = message.body.parse().map_err(Failure::reject)?;
    let remembered_until = clock.now().after(EmailDelivery::RETENTION);
    let settled = records.complete_if_in_progress(&sending.key(), EmailDelivery::SENT, remembered_until).await;
    settled.map(drop).map_err(Failure::retry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_core::memory::{FixedClock, MemoryIdempotency};
    use ferrite_core::ports::{Attempt, Fingerprint, StartResult};
    use ferrite_domain::contract;
    use serde_json::{Value, json};

    use super::*;

    fn sent(source: &str, tags: &Value) -> Message {
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
            in_progress_until: now.after(Duration::from_secs(300)),
            expires_at: now.after(EmailDelivery::RETENTION),
        }
    }

    #[tokio::test]
    async fn a_mail_that_ses_took_is_sent_whatever_its_sender_knows() {
        let (records, clock) = (MemoryIdempotency::default(), FixedClock(contract::now()));
        records.start(&attempt()).await.unwrap();
        for _ in 0..2 {
            confirm_email(&records, &clock, sent("aws.ses", &json!({"record": ["abc"]}))).await.unwrap();
        }
        let StartResult::Completed(saved) = records.start(&attempt()).await.unwrap() else { panic!("it is not known") };
        assert_eq!(saved.response, EmailDelivery::SENT);
        assert!(
            records.complete(&attempt(), EmailDelivery::SENT, attempt().expires_at).await.unwrap(),
            "its sender says the same"
        );
    }

    #[tokio::test]
    async fn what_is_not_of_a_mail_of_ours_is_rejected() {
        let (records, clock) = (MemoryIdempotency::default(), FixedClock(contract::now()));
        let foreign = sent("elsewhere", &json!({"record": ["abc"]}));
        for message in [foreign, sent("aws.ses", &json!({})), sent("aws.ses", &json!({"record": []})), message("hello")] {
            let refused = confirm_email(&records, &clock, message).await;
            assert!(matches!(refused, Err(Failure::Reject(_))), "{refused:?}");
        }
    }
}
