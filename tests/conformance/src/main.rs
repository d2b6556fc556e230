//! An idempotent charging function in Rust. The Python package `ferrite_conformance` is an equivalent function on
//! Powertools for AWS Lambda; the tests compare the two.
//!
//! The test simulates the payment gateway: both functions send charges to `/charge` on the server of the Runtime API,
//! so the test can count, decline or delay them. `_HANDLER` is `event` or `request`.

use std::error::Error;

use ::http::StatusCode;
use ferrite_aws::{IdempotencyTable, sdk_config};
use ferrite_runtime::http::{self, Problem, Request, Response};
use ferrite_runtime::idempotency::{Idempotency, IdempotencyError};
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::tower::ServiceBuilder;
use ferrite_runtime::{Failure, InitError, SystemClock, config, event, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

const CHARGES: Metric = Metric::new("Charges", Unit::Count);
const CHARGE_TIME: Metric = Metric::new("ChargeTime", Unit::Milliseconds);

#[derive(Deserialize)]
struct Settings {
    aws_lambda_runtime_api: String,
    idempotency_table_name: String,
    #[serde(rename = "_handler")]
    handler: Handler,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Handler {
    Event,
    Request,
}

/// The event that the event handler receives.
#[derive(Deserialize)]
struct ChargeEvent {
    /// The idempotency key.
    key: Value,
    /// The content, which must be the same for every event with this key.
    payload: Value,
}

type ChargeIdempotency = Idempotency<IdempotencyTable, SystemClock>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let records = IdempotencyTable::new(&sdk_config()?, settings.idempotency_table_name);
    let idempotency = Idempotency::new(records, SystemClock, "charge");
    let gateway = Gateway { url: format!("http://{}/charge", settings.aws_lambda_runtime_api) };
    match settings.handler {
        Handler::Event => event::serve(|event| handle_event(&idempotency, &gateway, event)).await,
        Handler::Request => {
            let handler = service_fn(|_: Request| handle_request(&gateway));
            http::serve(ServiceBuilder::new().layer(http::idempotency::layer(&idempotency)).service(handler)).await
        }
    }
}

/// Handles an event. Returns an HTTP response, so that the tests can treat both handlers alike.
async fn handle_event(idempotency: &ChargeIdempotency, gateway: &Gateway, event: ChargeEvent) -> Result<Value, Failure> {
    let (status, body) = match idempotency.once(&event.key, &event.payload, gateway.charge()).await {
        Ok(receipt) => (StatusCode::CREATED, receipt),
        Err(IdempotencyError::InProgress) => (StatusCode::CONFLICT, Value::Null),
        Err(IdempotencyError::Reused) => (StatusCode::UNPROCESSABLE_ENTITY, Value::Null),
        Err(IdempotencyError::Failed(ChargeDeclined)) => (StatusCode::INTERNAL_SERVER_ERROR, Value::Null),
        Err(error) => return Err(error.into()),
    };
    Ok(json!({ "statusCode": status.as_u16(), "body": body.to_string() }))
}

async fn handle_request(gateway: &Gateway) -> Result<Response, Problem> {
    match gateway.charge().await {
        Ok(receipt) => http::json(StatusCode::CREATED, &receipt),
        Err(error) => {
            tracing::error!(error = &error as &dyn Error, amount = 1250, "not charged");
            Err(Problem::internal(error))
        }
    }
}

/// A client of the payment gateway, which the test simulates.
struct Gateway {
    url: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the charge was declined")]
struct ChargeDeclined;

impl Gateway {
    /// Charges and returns the receipt, which is unique to the charge.
    async fn charge(&self) -> Result<Value, ChargeDeclined> {
        tracing::info!(amount = 1250, "charging");
        metrics::count(CHARGES);
        metrics::count(CHARGES);
        metrics::add(CHARGE_TIME, 12.5);
        let url = self.url.clone();
        let response = spawn_blocking(move || ureq::post(url).send_empty()?.body_mut().read_to_string()).await;
        let receipt = response.ok().and_then(Result::ok).and_then(|text| serde_json::from_str(&text).ok());
        receipt.ok_or(ChargeDeclined)
    }
}
