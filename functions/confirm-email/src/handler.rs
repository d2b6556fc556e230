use ferrite_domain::Sending;
use ferrite_domain::ports::{Clock, IdempotencyRecords};
use ferrite_runtime::batch::{Failure, sqs::Message};

use crate::email_sent::EmailSent;

/// Completes the record of a mail that SES took: for where notify-customer had no answer from SES, or died.
///
/// It may come twice, and before notify-customer has ended; the record says the same either way.
pub(crate) async fn confirm_email(
    records: &impl IdempotencyRecords,
    clock: &impl Clock,
    message: Message,
) -> Result<(), Failure> {
    let EmailSent(sending) = message.body.parse().map_err(Failure::reject)?;
    let remembered_until = clock.now().after(Sending::REMEMBERED);
    let settled = records.settle(&sending.key(), Sending::SENT, remembered_until).await;
    settled.map(drop).map_err(Failure::retry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_domain::contract;
    use ferrite_domain::memory::{FixedClock, MemoryIdempotency};
    use ferrite_domain::ports::{Attempt, Begun, Fingerprint};
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
            key: Sending::new("abc".to_owned()).key(),
            fingerprint: Fingerprint("abc".to_owned()),
            now,
            in_progress_until: now.after(Duration::from_secs(300)),
            expires_at: now.after(Sending::REMEMBERED),
        }
    }

    #[tokio::test]
    async fn a_mail_that_ses_took_is_sent_whatever_its_sender_knows() {
        let (records, clock) = (MemoryIdempotency::default(), FixedClock(contract::now()));
        records.begin(&attempt()).await.unwrap();
        for _ in 0..2 {
            confirm_email(&records, &clock, sent("aws.ses", &json!({"record": ["abc"]}))).await.unwrap();
        }
        let Begun::Answered(saved) = records.begin(&attempt()).await.unwrap() else { panic!("it is not known") };
        assert_eq!(saved.answer, Sending::SENT);
        assert!(
            records.complete(&attempt(), Sending::SENT, attempt().expires_at).await.unwrap(),
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
