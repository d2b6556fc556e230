//! Payment gateway for testing that takes no money. The payment token determines the outcome:
//!
//! | token | outcome |
//! |---|---|
//! | `tok_success` | approved |
//! | `tok_timeout_once` | times out on the first attempt, approved on the next attempt |
//! | `tok_declined`, and any other token | declined |
//!
//! Like a real gateway, it keeps its own ledger, in a separate table. A repeated charge for an order returns the
//! recorded outcome, and an order whose payment was voided is never charged again. The ledger can be compared with the
//! orders.
//!
//! Replace this module with the client of your payment provider, and use the order's identifier as the provider's
//! idempotency key.

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

/// Sandbox payment gateway.
#[derive(Debug, Clone)]
pub struct SandboxGateway {
    client: Client,
    ledger: String,
}

impl SandboxGateway {
    /// Uses the table `ledger`, whose partition key is `orderId`, as the ledger.
    pub fn new(config: &aws_types::SdkConfig, ledger: String) -> Self {
        Self { client: dynamodb_client(config), ledger }
    }

    /// Records the outcome if the order has none. Otherwise, returns the recorded outcome.
    async fn record_outcome(&self, charge: &Charge, outcome: &str) -> Result<Option<String>, PortError> {
        let string = |text: String| AttributeValue::S(text);
        let put = self
            .client
            .put_item()
            .table_name(&self.ledger)
            .item("orderId", string(charge.order.to_string()))
            .item("outcome", string(outcome.to_owned()))
            .item("amount", AttributeValue::N(charge.amount.amount.minor_units().to_string()))
            .item("currency", string(charge.amount.currency.to_string()))
            .condition_expression("attribute_not_exists(orderId)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => Ok(Some(outcome_of(failed.item()))),
                _ => Err(PortError::new("PutItem", error)),
            },
        }
    }

    /// Replaces the recorded outcome if `condition` holds, which can use `compared` as `:compared`. Otherwise, returns
    /// the recorded outcome.
    async fn replace_outcome(
        &self,
        order: OrderId,
        new: &str,
        condition: &str,
        compared: &str,
    ) -> Result<Option<String>, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.ledger)
            .key("orderId", AttributeValue::S(order.to_string()))
            .update_expression("SET outcome = :new")
            .condition_expression(condition)
            .expression_attribute_values(":new", AttributeValue::S(new.to_owned()))
            .expression_attribute_values(":compared", AttributeValue::S(compared.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Some(outcome_of(failed.item()))),
                _ => Err(PortError::new("UpdateItem", error)),
            },
        }
    }
}

/// Returns the outcome in a ledger entry.
fn outcome_of(entry: Option<&HashMap<String, AttributeValue>>) -> String {
    entry.and_then(|entry| entry.get("outcome")?.as_s().ok().cloned()).unwrap_or_default()
}

impl TakePayment for SandboxGateway {
    async fn charge(&self, charge: &Charge) -> Result<Payment, PaymentError> {
        let requested = match charge.token.expose() {
            "tok_success" => APPROVED,
            "tok_timeout_once" => TIMED_OUT,
            _ => DECLINED,
        };
        let outcome = match self.record_outcome(charge, requested).await? {
            None if requested == TIMED_OUT => return Err(PaymentError::Timeout),
            None => requested.to_owned(),
            // The payment may have been voided in the meantime. In that case, it stays voided.
            Some(recorded) if recorded == TIMED_OUT => {
                let recorded = self.replace_outcome(charge.order, APPROVED, "outcome = :compared", TIMED_OUT).await?;
                recorded.unwrap_or_else(|| APPROVED.to_owned())
            }
            Some(recorded) => recorded,
        };
        Ok(match outcome.as_str() {
            APPROVED => Payment::Approved,
            VOIDED => Payment::Voided,
            _ => Payment::Declined { reason: Reason::from_lossy("the card was declined") },
        })
    }

    async fn void(&self, order: OrderId) -> Result<(), PaymentError> {
        self.replace_outcome(order, VOIDED, "attribute_not_exists(orderId) OR outcome <> :compared", DECLINED).await?;
        Ok(())
    }
}
