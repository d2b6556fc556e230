//! GET /products/{productId}, written as in the guides of cargo-lambda and the AWS SDK.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn, tracing};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    let table = std::env::var("TABLE_NAME")?;
    run(service_fn(|request| get_product(&client, &table, request))).await
}

async fn get_product(client: &Client, table: &str, request: Request) -> Result<Response<Body>, Error> {
    let parameters = request.path_parameters();
    let id = parameters.first("productId").ok_or("the path has no productId")?;
    let found = client
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S(format!("PRODUCT#{id}")))
        .key("sk", AttributeValue::S("PRODUCT".to_owned()))
        .send()
        .await?;
    let name = found.item().and_then(|item| item.get("name")?.as_s().ok());
    let (status, body) = match name {
        Some(name) => (200, json!({ "id": id, "name": name })),
        None => (404, json!({ "message": "not found" })),
    };
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(body.to_string().into())?)
}
