//! The event that SES publishes when it accepts an e-mail ("Monitoring Amazon SES email sending using Amazon
//! EventBridge").

use std::str::FromStr;

use ferrite_domain::EmailDelivery;
use serde::Deserialize;
use serde::de::Error as _;

const SES: &str = "aws.ses";

/// SES accepted the e-mail of this delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EmailSent(pub(crate) EmailDelivery);

#[derive(Deserialize)]
struct Event {
    source: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    mail: Mail,
}

#[derive(Deserialize)]
struct Mail {
    tags: Tags,
}

/// The values of each message tag. The field is named after [`EmailDelivery::MESSAGE_TAG`].
#[derive(Deserialize)]
struct Tags {
    record: [String; 1],
}

impl FromStr for EmailSent {
    type Err = serde_json::Error;

    /// Parses the body of an SQS message, which is the event as the EventBridge rule sent it.
    ///
    /// # Errors
    /// Returns an error if the event is not from SES, or the e-mail does not have exactly one message tag of this
    /// application.
    fn from_str(body: &str) -> Result<Self, serde_json::Error> {
        let Event { source, detail } = ferrite_core::json::from_slice(body.as_bytes())?;
        if source != SES {
            return Err(serde_json::Error::custom(format!("{source:?} is not the event source {SES}")));
        }
        let [digest] = detail.mail.tags.record;
        Ok(Self(EmailDelivery::new(digest)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_delivery_from_the_message_tag() {
        let tags = json!({"ses:configuration-set": ["shop"], EmailDelivery::MESSAGE_TAG: ["abc"]});
        let mail = json!({"messageId": "1", "destination": ["ada@example.com"], "tags": tags});
        let detail = json!({"eventType": "Send", "mail": mail, "send": {}});
        let event = json!({"version": "0", "source": "aws.ses", "detail-type": "Email Sent", "detail": detail});
        assert_eq!(event.to_string().parse::<EmailSent>().unwrap(), EmailSent(EmailDelivery::new("abc".to_owned())));
    }
}
