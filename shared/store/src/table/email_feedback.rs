//! Storage of feedback about e-mail addresses.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{GetEmailFeedback, SaveEmailFeedback};
use ferrite_domain::{Email, EmailFeedback, FeedbackKind};
use serde::{Deserialize, Serialize};

use super::keys::string;
use super::{Table, keys};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeedbackItem {
    kind: FeedbackKind,
    reported_at: Timestamp,
}

impl GetEmailFeedback for Table {
    async fn feedback(&self, address: &Email) -> Result<Option<EmailFeedback>, PortError> {
        let exact = address.lower_case();
        let mailbox = address.mailbox();
        match self.feedback_about(&exact).await? {
            None if mailbox != exact => self.feedback_about(&mailbox).await,
            feedback => Ok(feedback),
        }
    }
}

impl Table {
    async fn feedback_about(&self, address: &str) -> Result<Option<EmailFeedback>, PortError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(keys::email_feedback(address)))
            .consistent_read(true)
            .send()
            .await
            .map_err(PortError::during("GetItem"))?;
        let Some(item) = found.item else { return Ok(None) };
        let FeedbackItem { kind, reported_at } =
            serde_dynamo::from_item(item).map_err(|error| PortError::new("reading e-mail feedback", error))?;
        Ok(Some(EmailFeedback { kind, reported_at }))
    }
}

impl SaveEmailFeedback for Table {
    async fn save_feedback(&self, address: &Email, feedback: EmailFeedback) -> Result<(), PortError> {
        let EmailFeedback { kind, reported_at } = feedback;
        let mut item: keys::Key = serde_dynamo::to_item(FeedbackItem { kind, reported_at })
            .map_err(|error| PortError::new("writing e-mail feedback", error))?;
        item.extend(keys::email_feedback(&feedback.applies_to(address)));
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = match kind {
            FeedbackKind::Bounce => put.condition_expression("attribute_not_exists(pk)"),
            FeedbackKind::Complaint => put
                .condition_expression("attribute_not_exists(pk) OR kind = :bounce")
                .expression_attribute_values(":bounce", string("bounce")),
        };
        let Err(error) = put.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(PortError::during("PutItem")(error)),
        }
    }
}
