//! What SES says of the e-mails that it sent ("Monitoring Amazon SES email sending using Amazon EventBridge").

use serde::Deserialize;

/// The labels that a mail of ours has: which record it belongs to, and which attempt.
pub(crate) const RECORD: &str = "record";
pub(crate) const ATTEMPT: &str = "attempt";

/// SES took a mail of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EmailSent {
    /// The label [`RECORD`].
    pub(crate) record: String,
    /// The label [`ATTEMPT`].
    pub(crate) attempt: i64,
}

#[derive(Deserialize)]
struct Event {
    source: String,
    detail: serde_json::Value,
}

#[derive(Deserialize)]
struct Detail {
    mail: Mail,
}

#[derive(Deserialize)]
struct Mail {
    tags: Tags,
}

#[derive(Deserialize)]
struct Tags {
    record: [String; 1],
    attempt: [String; 1],
}

impl EmailSent {
    /// Reads the body of a message that a rule sent; `None` when it is not SES that tells something.
    ///
    /// # Errors
    /// What SES tells is not of a mail of ours.
    pub(crate) fn from_rule(body: &str) -> Option<Result<Self, serde_json::Error>> {
        let event: Event = serde_json::from_str(body).ok().filter(|event: &Event| event.source == "aws.ses")?;
        Some(Detail::deserialize(event.detail).and_then(|Detail { mail }| {
            let ([record], [attempt]) = (mail.tags.record, mail.tags.attempt);
            let attempt = attempt.parse().map_err(serde::de::Error::custom)?;
            Ok(Self { record, attempt })
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(tags: Value) -> String {
        let mail = json!({"messageId": "1", "destination": ["ada@example.com"], "tags": tags});
        let detail = json!({"eventType": "Send", "mail": mail, "send": {}});
        json!({"version": "0", "source": "aws.ses", "detail-type": "Email Sent", "detail": detail}).to_string()
    }

    #[test]
    fn a_mail_of_ours_is_known_by_its_labels() {
        let tags = json!({"ses:configuration-set": ["shop"], "record": ["abc"], "attempt": ["1795384800000"]});
        let sent = EmailSent::from_rule(&event(tags)).unwrap().unwrap();
        assert_eq!(sent, EmailSent { record: "abc".to_owned(), attempt: 1_795_384_800_000 });
    }

    #[test]
    fn what_is_not_of_a_mail_of_ours_is_told_apart() {
        for tags in [json!({}), json!({"record": ["abc"], "attempt": ["soon"]}), json!({"record": [], "attempt": ["1"]})] {
            assert!(EmailSent::from_rule(&event(tags)).unwrap().is_err());
        }
        for body in ["", "{}", r#"{"source": "ferrite.storefront", "detail": {}}"#] {
            assert!(EmailSent::from_rule(body).is_none(), "{body}");
        }
    }
}
