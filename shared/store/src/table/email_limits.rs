//! Counts e-mails against the limits of their mailbox.
//!
//! The item of a mailbox and hour contains the digests of the deliveries instead of a number, so a repeated delivery is
//! not counted twice. A clock hour needs one write per e-mail and no read. The price is that a span of 60 minutes that
//! includes a full hour may contain the e-mails of two clock hours.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{LimitEmails, Reservation};
use ferrite_domain::{Email, EmailDelivery, EmailLimit, EmailPurpose};

use super::keys::{number, string};
use super::{Table, keys, port_error};

/// How long the item of an hour is kept after an e-mail. It only has to be longer than the hour.
const RETENTION: Duration = Duration::from_secs(2 * 60 * 60);

const IS_COUNTED: &str = "contains(emails, :delivery)";
const IS_WITHIN_TOTAL: &str = "(attribute_not_exists(emails) OR size(emails) < :total)";
const IS_WITHIN_CONFIRMATIONS: &str = "(attribute_not_exists(confirmations) OR size(confirmations) < :confirmations)";

impl LimitEmails for Table {
    async fn reserve(
        &self,
        to: &Email,
        delivery: &EmailDelivery,
        purpose: EmailPurpose,
        limit: EmailLimit,
        now: Timestamp,
    ) -> Result<Reservation, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::emails_in_hour(&to.mailbox(), now)))
            .expression_attribute_values(":delivery", string(delivery.digest()))
            .expression_attribute_values(":deliveries", AttributeValue::Ss(vec![delivery.digest().to_owned()]))
            .expression_attribute_values(":total", number(limit.total()))
            .expression_attribute_values(":expiration", number(now.plus(RETENTION).unix_seconds()));
        let update = match purpose {
            EmailPurpose::Order => update
                .update_expression("ADD emails :deliveries SET expiration = :expiration")
                .condition_expression(format!("{IS_COUNTED} OR {IS_WITHIN_TOTAL}")),
            EmailPurpose::Confirmation => update
                .update_expression("ADD emails :deliveries, confirmations :deliveries SET expiration = :expiration")
                .condition_expression(format!("{IS_COUNTED} OR ({IS_WITHIN_TOTAL} AND {IS_WITHIN_CONFIRMATIONS})"))
                .expression_attribute_values(":confirmations", number(limit.confirmations())),
        };
        let Err(error) = update.send().await else { return Ok(Reservation::Reserved) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Reservation::LimitReached),
            _ => Err(port_error("UpdateItem")(error)),
        }
    }
}
