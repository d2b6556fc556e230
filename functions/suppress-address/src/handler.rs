use ferrite_domain::FeedbackKind;
use ferrite_domain::ports::SaveEmailFeedback;
use ferrite_runtime::Failure;
use ferrite_runtime::batch::sqs::Message;
use ferrite_runtime::metrics::{self, Metric, Unit};

use crate::feedback_event::FeedbackEvent;

const EMAILS_BOUNCED: Metric = Metric::new("EmailsBounced", Unit::Count);
const EMAILS_COMPLAINED: Metric = Metric::new("EmailsComplained", Unit::Count);

/// Saves a hard bounce or a complaint, so that no more e-mail is sent to the address.
///
/// A soft bounce, such as a full mailbox, changes nothing: SES has retried the delivery, and a later e-mail may arrive.
///
/// # Errors
/// Rejects messages that are not about an e-mail of this application. Returns a retryable failure if the feedback was
/// not saved.
pub(crate) async fn suppress_address(feedback: &impl SaveEmailFeedback, message: Message) -> Result<(), Failure> {
    match message.body.parse().map_err(Failure::reject)? {
        FeedbackEvent::Temporary => Ok(()),
        FeedbackEvent::Permanent { address, feedback: reported } => {
            feedback.save_feedback(&address, reported).await?;
            metrics::count(match reported.kind {
                FeedbackKind::Bounce => EMAILS_BOUNCED,
                FeedbackKind::Complaint => EMAILS_COMPLAINED,
            });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::GetEmailFeedback;
    use ferrite_domain::{Email, EmailFeedback};
    use serde_json::{Value, json};

    use super::*;

    fn message(body: &str) -> Message {
        let record = json!({"messageId": "1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"});
        serde_json::from_value(record).unwrap()
    }

    /// The event about an e-mail to `ada@example.com`.
    fn event(feedback: Value) -> Value {
        let mut detail = json!({"mail": {"destination": ["ada@example.com"], "tags": {"record": ["abc"]}}});
        detail.as_object_mut().unwrap().extend(feedback.as_object().unwrap().clone());
        json!({"source": "aws.ses", "detail-type": "Email Bounced", "detail": detail})
    }

    fn bounce(bounce_type: &str) -> Value {
        event(json!({
            "eventType": "Bounce",
            "bounce": {"bounceType": bounce_type, "bounceSubType": "General", "timestamp": "2026-11-22T22:00:00.000Z"},
        }))
    }

    fn complaint(feedback_type: Option<&str>) -> Value {
        let mut complaint = json!({"timestamp": "2026-11-22T22:00:00.000Z"});
        if let Some(feedback_type) = feedback_type {
            complaint["complaintFeedbackType"] = feedback_type.into();
        }
        event(json!({"eventType": "Complaint", "complaint": complaint}))
    }

    /// The feedback that is stored after the event was delivered twice.
    async fn feedback_after(event: &Value) -> Option<FeedbackKind> {
        let store = MemoryStore::default();
        for _ in 0..2 {
            suppress_address(&store, message(&event.to_string())).await.unwrap();
        }
        let address: Email = "ada@example.com".to_owned().try_into().unwrap();
        let stored: Option<EmailFeedback> = store.feedback(&address).await.unwrap();
        stored.map(|feedback| feedback.kind)
    }

    #[tokio::test]
    async fn stops_email_after_a_hard_bounce_or_a_complaint() {
        for (event, expected) in [
            (bounce("Permanent"), Some(FeedbackKind::Bounce)),
            (bounce("Transient"), None),
            (bounce("Undetermined"), None),
            (complaint(Some("abuse")), Some(FeedbackKind::Complaint)),
            (complaint(None), Some(FeedbackKind::Complaint)),
            (complaint(Some("not-spam")), None),
        ] {
            assert_eq!(feedback_after(&event).await, expected, "{event}");
        }
    }

    #[tokio::test]
    async fn rejects_events_that_are_not_feedback_about_our_emails() {
        let with = |pointer: &str, value: Value| {
            let mut event = bounce("Permanent");
            *event.pointer_mut(pointer).unwrap() = value;
            event.to_string()
        };
        for body in [
            "not JSON".to_owned(),
            with("/source", json!("elsewhere")),
            with("/detail/eventType", json!("Send")),
            with("/detail/bounce", Value::Null),
            with("/detail/mail/tags", json!({})),
            with("/detail/mail/destination", json!([])),
            with("/detail/mail/destination", json!(["ada@example.com", "bob@example.com"])),
            with("/detail/mail/destination", json!(["nobody"])),
        ] {
            let result = suppress_address(&MemoryStore::default(), message(&body)).await;
            assert!(matches!(result, Err(Failure::Reject(_))), "{body}: {result:?}");
        }
    }
}
