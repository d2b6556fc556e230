//! What SES says of the e-mails that it sent ("Monitoring Amazon SES email sending using Amazon EventBridge").

use std::str::FromStr;

use ferrite_domain::EmailDelivery;
use serde::Deserialize;
use serde::de::Error as _;

const SES: &str = "aws.ses";

/// SES took the mail of this sending.
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

/// By [`EmailDelivery::MESSAGE_TAG`].
#[derive(Deserialize)]
struct Tags {
    record: [String; 1],
}

impl FromStr for EmailSent {
    type Err = serde_json::Error;

    /// Reads the body of a message that a rule sent.
    ///
    /// # Errors
    /// It is not of a mail of ours.
    fn from_str(body: &str) -> Result<Self, serde_json::Error> {
        let Event { source, detail } = serde_json::from_str(body)?;
        if source != SES {
            return Err(serde_json::Error::custom(format!("{source:?} is not {SES}")));
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
    fn a_mail_of_ours_is_known_by_its_label() {
        let tags = json!({"ses:configuration-set": ["shop"], EmailDelivery::MESSAGE_TAG: ["abc"]});
        let mail = json!({"messageId": "1", "destination": ["ada@example.com"], "tags": tags});
        let detail = json!({"eventType": "Send", "mail": mail, "send": {}});
        let event = json!({"version": "0", "source": "aws.ses", "detail-type": "Email Sent", "detail": detail});
        assert_eq!(event.to_string().parse::<EmailSent>().unwrap(), EmailSent(EmailDelivery::new("abc".to_owned())));
    }
}
