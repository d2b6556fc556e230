//! The events that SES publishes about bounces and complaints ("Monitoring Amazon SES email sending using Amazon
//! EventBridge").

use std::str::FromStr;

use ferrite_core::Timestamp;
use ferrite_domain::{Email, EmailFeedback, FeedbackKind};
use serde::Deserialize;
use serde::de::Error as _;

const SES: &str = "aws.ses";

/// What a mail server or a recipient reported about an e-mail of this application.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FeedbackEvent {
    /// No more e-mail must be sent to the address.
    Permanent { address: Email, feedback: EmailFeedback },
    /// The address may receive further e-mail.
    Temporary,
}

#[derive(Deserialize)]
struct Event {
    source: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    mail: Mail,
    #[serde(flatten)]
    feedback: Feedback,
}

#[derive(Deserialize)]
struct Mail {
    /// The recipients that this application named. The recipients in the report of a mail server may be others, to whom
    /// the e-mail was forwarded.
    destination: [Email; 1],
    tags: Tags,
}

/// The message tag of each e-mail that notify-customer sends. The field is named after
/// [`EmailDelivery::MESSAGE_TAG`](ferrite_domain::EmailDelivery::MESSAGE_TAG).
#[derive(Deserialize)]
struct Tags {
    record: [String; 1],
}

#[derive(Deserialize)]
#[serde(tag = "eventType")]
enum Feedback {
    Bounce { bounce: Bounce },
    Complaint { complaint: Complaint },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    timestamp: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complaint_feedback_type: Option<String>,
    timestamp: Timestamp,
}

impl FromStr for FeedbackEvent {
    type Err = serde_json::Error;

    /// Parses the body of an SQS message, which is the event as the EventBridge rule sent it.
    ///
    /// # Errors
    /// Returns an error if the event is not a bounce or a complaint from SES, or if it is not about an e-mail to exactly
    /// one recipient with exactly one message tag of this application.
    fn from_str(body: &str) -> Result<Self, serde_json::Error> {
        let Event { source, detail } = ferrite_core::json::from_slice(body.as_bytes())?;
        if source != SES {
            return Err(serde_json::Error::custom(format!("{source:?} is not the event source {SES}")));
        }
        let Mail { destination: [address], tags: Tags { record: [_] } } = detail.mail;
        let feedback = match detail.feedback {
            Feedback::Bounce { bounce } if bounce.bounce_type == "Permanent" => {
                EmailFeedback { kind: FeedbackKind::Bounce, reported_at: bounce.timestamp }
            }
            // A recipient reported that an e-mail was not spam.
            Feedback::Complaint { complaint } if complaint.complaint_feedback_type.as_deref() != Some("not-spam") => {
                EmailFeedback { kind: FeedbackKind::Complaint, reported_at: complaint.timestamp }
            }
            Feedback::Bounce { .. } | Feedback::Complaint { .. } => return Ok(Self::Temporary),
        };
        Ok(Self::Permanent { address, feedback })
    }
}
