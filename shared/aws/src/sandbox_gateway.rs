//! A payment gateway that takes no money and decides from the payment token.
//!
//! | token | what happens |
//! |---|---|
//! | `tok_success` | approved |
//! | `tok_timeout_once` | times out at the first try, approved at the next |
//! | `tok_declined`, and any other | declined |
//!
//! It keeps a ledger of its own, in a table of its own, as a real gateway does: what it decided for an order it decides
//! again, and the ledger can be compared with the orders. A fork puts its provider's client in its place, with the
//! order's identifier as the provider's idempotency key.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ferrite_domain::ports::{PaymentError, StoreError, TakePayment};
use ferrite_domain::{Charge, Payment, Reason};

const APPROVED: &str = "approved";
const DECLINED: &str = "declined";
const TIMED_OUT: &str = "timed_out";

/// The sandbox.
#[derive(Debug, Clone)]
pub struct SandboxGateway {
    client: Client,
    ledger: String,
}

impl SandboxGateway {
    /// A sandbox whose ledger is the table called `ledger`, with the partition key `orderId`.
    pub fn new(config: &aws_types::SdkConfig, ledger: String) -> Self {
        Self { client: Client::new(config), ledger }
    }

    /// Writes the decision down if the order has none; what stands in the ledger afterwards if it had one.
    async fn decide(&self, charge: &Charge, outcome: &str) -> Result<Option<String>, StoreError> {
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
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    let outcome = |item: &HashMap<String, AttributeValue>| item.get("outcome")?.as_s().ok().cloned();
                    Ok(Some(refused.item().and_then(outcome).unwrap_or_default()))
                }
                _ => Err(StoreError::new("PutItem", error)),
            },
        }
    }

    async fn approve_after_timeout(&self, charge: &Charge) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.ledger)
            .key("orderId", AttributeValue::S(charge.order.to_string()))
            .update_expression("SET outcome = :approved")
            .condition_expression("attribute_exists(orderId)")
            .expression_attribute_values(":approved", AttributeValue::S(APPROVED.to_owned()))
            .send()
            .await
            .map_err(|error| StoreError::new("UpdateItem", error))?;
        Ok(())
    }
}

impl TakePayment for SandboxGateway {
    async fn charge(&self, charge: &Charge) -> Result<Payment, PaymentError> {
        let wanted = match charge.token.expose() {
            "tok_success" => APPROVED,
            "tok_timeout_once" => TIMED_OUT,
            _ => DECLINED,
        };
        let before = self.decide(charge, wanted).await?;
        match before.as_deref() {
            None if wanted == TIMED_OUT => Err(PaymentError::Timeout),
            Some(TIMED_OUT) => {
                self.approve_after_timeout(charge).await?;
                Ok(Payment::Approved)
            }
            decided if decided.unwrap_or(wanted) == APPROVED => Ok(Payment::Approved),
            _ => Ok(Payment::Declined { reason: Reason::from_lossy("the card was declined") }),
        }
    }
}
