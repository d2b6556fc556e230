//! Counts e-mails against their limits.
//!
//! The item of a counter and hour contains the digests of the deliveries instead of a number, so a repeated delivery is
//! not counted twice. A clock hour needs one write per counter and no read. The price is that a span of 60 minutes that
//! includes a full hour may contain the e-mails of two clock hours.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{LimitEmails, Reservation};
use ferrite_domain::{EmailCounter, EmailDelivery};

use super::keys::{number, string};
use super::{Table, keys};

/// How long the item of an hour is kept after an e-mail. It only has to be longer than the hour.
const RETENTION: Duration = Duration::from_secs(2 * 60 * 60);

impl LimitEmails for Table {
    async fn reserve(
        &self,
        counter: EmailCounter<'_>,
        delivery: &EmailDelivery,
        max: u32,
        now: Timestamp,
    ) -> Result<Reservation, PortError> {
        let reserved = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::emails_in_hour(counter, now)))
            .update_expression("ADD emails :deliveries SET expiration = :expiration")
            .condition_expression("contains(emails, :delivery) OR attribute_not_exists(emails) OR size(emails) < :max")
            .expression_attribute_values(":delivery", string(delivery.digest()))
            .expression_attribute_values(":deliveries", AttributeValue::Ss(vec![delivery.digest().to_owned()]))
            .expression_attribute_values(":max", number(max))
            .expression_attribute_values(":expiration", number(now.plus(RETENTION).unix_seconds()))
            .send()
            .await;
        let Err(error) = reserved else { return Ok(Reservation::Reserved) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Reservation::LimitReached),
            _ => Err(PortError::during("UpdateItem")(error)),
        }
    }
}
