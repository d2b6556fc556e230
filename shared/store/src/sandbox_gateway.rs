//! A payment gateway that takes no money and decides from the payment token.
//!
//! | token | what happens |
//! |---|---|
//! | `tok_success` | approved |
//! | `tok_timeout_once` | times out at the first try, approved at the next |
//! | `tok_declined`, and any other | declined |
//!
//! It keeps a ledger of its own, in a table of its own, as a real gateway does: what it decided for an order it decides
//! again, an order whose payment was voided is not charged any more, and the ledger can be compared with the orders. A fork puts its provider's client in its place, with the
//! order's identifier as the provider's idempotency key.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ferrite_aws::dynamodb_client;
use ferrite_core::Reason;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{PaymentError, TakePayment};
use ferrite_domain::{Charge, OrderId, Payment};

const APPROVED: &str = "approved";
const DECLINED: &str = "declined";
const TIMED_OUT: &str = "timed_out";
const VOIDED: &str = "voided";

/// The sandbox.
#[derive(Debug, Clone)]
pub struct SandboxGateway {
    client: Client,
    ledger: String,
}

impl SandboxGateway {
    /// A sandbox whose ledger is the table called `ledger`, with the partition key `orderId`.
    pub fn new(config: &aws_types::SdkConfig, ledger: String) -> Self {
        Self { client: dynamodb_client(config), ledger }
    }

    /// Writes the decision down if the order has none; what stands in the ledger afterwards if it had one.
    async fn decide(&self, charge: &Charge, outcome: &str) -> Result<Option<String>, PortError> {
        let text = |text: String| AttributeValue::S(text);
        let put = self
            .client
            .put_item()
            .table_name(&self.ledger)
            .item("orderId", text(charge.order.to_string()))
            .item("outcome", text(outcome.to_owned()))
            .item("amount", AttributeValue::N(charge.amount.amount.minor_units().to_string()))
            .item("currency", text(charge.amount.currency.to_string()))
            .condition_expression("attribute_not_exists(orderId)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => Ok(Some(outcome_of(refused.item()))),
                _ => Err(PortError::new("PutItem", error)),
            },
        }
    }

    /// Writes another outcome in the place of one that `condition` allows to be replaced by it; what stands in the ledger if
    /// it does not.
    async fn replace(&self, order: OrderId, by: &str, condition: &str, compared: &str) -> Result<Option<String>, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.ledger)
            .key("orderId", AttributeValue::S(order.to_string()))
            .update_expression("SET outcome = :by")
            .condition_expression(condition)
            .expression_attribute_values(":by", AttributeValue::S(by.to_owned()))
            .expression_attribute_values(":compared", AttributeValue::S(compared.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => Ok(Some(outcome_of(refused.item()))),
                _ => Err(PortError::new("UpdateItem", error)),
            },
        }
    }
}

/// What a line of the ledger says.
fn outcome_of(line: Option<&HashMap<String, AttributeValue>>) -> String {
    line.and_then(|line| line.get("outcome")?.as_s().ok().cloned()).unwrap_or_default()
}

impl TakePayment for SandboxGateway {
    async fn charge(&self, charge: &Charge) -> Result<Payment, PaymentError> {
        let wanted = match charge.token.expose() {
            "tok_success" => APPROVED,
            "tok_timeout_once" => TIMED_OUT,
            _ => DECLINED,
        };
        let stands = match self.decide(charge, wanted).await? {
            None if wanted == TIMED_OUT => return Err(PaymentError::Timeout),
            None => wanted.to_owned(),
            // It may have been voided since then, and then stays so.
            Some(before) if before == TIMED_OUT => {
                let approved = self.replace(charge.order, APPROVED, "outcome = :compared", TIMED_OUT).await?;
                approved.unwrap_or_else(|| APPROVED.to_owned())
            }
            Some(before) => before,
        };
        Ok(match stands.as_str() {
            APPROVED => Payment::Approved,
            VOIDED => Payment::Voided,
            _ => Payment::Declined { reason: Reason::from_lossy("the card was declined") },
        })
    }

    async fn void(&self, order: OrderId) -> Result<(), PaymentError> {
        self.replace(order, VOIDED, "attribute_not_exists(orderId) OR outcome <> :compared", DECLINED).await?;
        Ok(())
    }
}
