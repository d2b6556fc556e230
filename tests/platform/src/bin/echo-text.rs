//! POST /texts: validates a text and returns it. Requires the scope `texts:write`.

use ::http::StatusCode;
use deserr::Deserr;
use ferrite_aws::{IdempotencyTable, sdk_config};
use ferrite_runtime::http::{self, InvalidBody, Problem, Request, Response, caller, json_body, with_location};
use ferrite_runtime::idempotency::Idempotency;
use ferrite_runtime::tower::ServiceBuilder;
use ferrite_runtime::{InitError, SystemClock, config, service_fn};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Settings {
    idempotency_table_name: String,
}

#[derive(Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
struct NewText {
    text: String,
    copies: u8,
    author: Author,
}

#[derive(Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
struct Author {
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let records = IdempotencyTable::new(&sdk_config()?, settings.idempotency_table_name);
    let idempotency = Idempotency::new(records, SystemClock, "echo-text");
    http::serve(ServiceBuilder::new().layer(http::idempotency::layer(&idempotency)).service(service_fn(echo_text))).await
}

async fn echo_text(request: Request) -> Result<Response, Problem> {
    caller(&request)?.require_scope("texts:write")?;
    let NewText { text, copies, author } = json_body(&request)?;
    let body = json!({"text": text.repeat(copies.into()), "author": author.name, "user": caller(&request)?.subject()});
    with_location(http::json(StatusCode::CREATED, &body)?, "texts/latest")
}
