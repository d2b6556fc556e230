//! A few products with images and one order, so that a new stack has something to show. They are loaded over the HTTP API,
//! and only when there are no products.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use ferrite_aws_client::endpoint::http_client;
use ferrite_local_stack::files::{FileError, at};

/// Why the demo's data could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The API did not answer.
    #[error("{url} did not answer: {reason}")]
    NoResponse {
        /// The URL.
        url: String,
        /// The error of the HTTP client.
        reason: String,
    },
    /// The API rejected a request.
    #[error("{request} was rejected with status {status}: {body}")]
    Rejected {
        /// The request.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The body of the response.
        body: String,
    },
    /// The API answered something that the demo does not understand.
    #[error("the API answered something unexpected: {0}")]
    Unexpected(String),
    /// An image could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The customer that the demo's order belongs to.
pub const CUSTOMER: &str = "demo-customer";
const CURRENCY: &str = "EUR";

/// Name, description, price in minor units, stock.
const PRODUCTS: [(&str, &str, u64, u64); 5] = [
    ("Enamel mug", "Holds 350 ml and survives the dishwasher.", 1_450, 40),
    ("Linen tote", "Carries a week's vegetables.", 2_200, 25),
    ("Wool blanket", "Woven in one piece, 130 by 180 cm.", 8_900, 8),
    ("Desk lamp", "Warm light, one switch, no app.", 6_400, 12),
    ("Last poster", "Printed once; this is the one that is left.", 3_000, 1),
];

/// The ids that the demo found or created, for requests that work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The id of a product with stock.
    pub product: String,
    /// The id of the demo customer's order.
    pub order: String,
}

/// Creates the products with the images in the folder `photos` when there are no products, and places the order of
/// [`CUSTOMER`].
///
/// # Errors
/// When the API does not answer, or rejects a request.
pub fn load(api: &str, admin_token: &str, customer_token: &str, photos: &Path) -> Result<Demo, DemoError> {
    let shop = Shop { api, admin: admin_token, customer: customer_token };
    let mut products = shop.products()?;
    if products.is_empty() {
        let pictures = pictures(photos)?;
        for (number, product) in PRODUCTS.iter().enumerate() {
            let id = shop.create_product(product)?;
            if let Some(picture) = pictures.get(number % pictures.len().max(1)) {
                shop.upload_picture(&id, picture)?;
            }
        }
        products = shop.products()?;
    }
    // The oldest on the page: which one that is does not change as others are added and ordered.
    let product = products.last().map(|product| text(product, "id")).transpose()?.unwrap_or_default();
    let order = shop.place_order(&product)?;
    Ok(Demo { product, order })
}

impl Demo {
    /// Five requests to paste into a terminal. `admin` and `customer` are curl's arguments for the authorization.
    #[must_use]
    pub fn requests(&self, api: &str, admin: &str, customer: &str) -> String {
        let Self { product, order } = self;
        let json = "-H 'content-type: application/json'";
        let teapot = r#"{"name":"Teapot","price":{"amount":3200,"currency":"EUR"},"stock":5}"#;
        let (key, body) = (order_key(product), order_body(product));
        format!(
            "curl -sS '{api}/products?limit=3'\n\
             curl -sS {api}/products/{product}\n\
             curl -sS {api}/products {admin} {json} -d '{teapot}'\n\
             curl -sS {api}/orders {customer} {json} -H 'idempotency-key: {key}' -d '{body}'\n\
             curl -sS {api}/orders/{order} {customer}\n\n\
             (The order exists already, so the fourth line returns it. Another key places another order.)"
        )
    }
}

/// One key for each product, so that a repeated request returns the same order.
fn order_key(product: &str) -> String {
    format!("demo-{product}")
}

fn order_body(product: &str) -> Value {
    json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"})
}

struct Shop<'a> {
    api: &'a str,
    admin: &'a str,
    customer: &'a str,
}

impl Shop<'_> {
    fn products(&self) -> Result<Vec<Value>, DemoError> {
        let request = http::Request::get(format!("{}/products", self.api));
        let mut page = send("the list of products", request, Vec::new())?;
        match page["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Err(unexpected("a page without items")),
        }
    }

    fn create_product(&self, product: &(&str, &str, u64, u64)) -> Result<String, DemoError> {
        let (name, description, amount, stock) = product;
        let body = json!({"name": name, "description": description, "stock": stock,
            "price": {"amount": amount, "currency": CURRENCY}});
        text(&self.post("/products", self.admin, None, &body)?, "id")
    }

    fn upload_picture(&self, product: &str, picture: &Picture) -> Result<(), DemoError> {
        let bytes = fs::read(&picture.path).map_err(at(&picture.path))?;
        let body = json!({"contentType": picture.content_type, "sizeBytes": bytes.len()});
        let answer = self.post(&format!("/products/{product}/images"), self.admin, None, &body)?;
        let upload = &answer["upload"];
        let mut request = http::Request::builder().method(text(upload, "method")?.as_str()).uri(text(upload, "url")?);
        for (name, value) in upload["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        send("the upload of a picture", request, bytes).map(drop)
    }

    fn place_order(&self, product: &str) -> Result<String, DemoError> {
        let order = self.post("/orders", self.customer, Some(&order_key(product)), &order_body(product))?;
        text(&order, "id")
    }

    fn post(&self, path: &str, token: &str, key: Option<&str>, body: &Value) -> Result<Value, DemoError> {
        let mut request = http::Request::post(format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        send(&format!("POST {path}"), request, body.to_string().into_bytes())
    }
}

/// Sends a request; its JSON answer, or null for an empty one.
fn send(what: &str, request: http::request::Builder, body: Vec<u8>) -> Result<Value, DemoError> {
    let request = request.body(body).map_err(|error| unexpected(&error.to_string()))?;
    let url = request.uri().to_string();
    let mut answer = http_client().run(request).map_err(|error| DemoError::NoResponse { url, reason: error.to_string() })?;
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    if !answer.status().is_success() {
        return Err(DemoError::Rejected { request: what.to_owned(), status: answer.status().as_u16(), body });
    }
    Ok(serde_json::from_str(&body).unwrap_or_default())
}

struct Picture {
    path: PathBuf,
    content_type: &'static str,
}

/// The photographs in a folder, in the order of their names.
fn pictures(folder: &Path) -> Result<Vec<Picture>, DemoError> {
    let mut pictures: Vec<Picture> = fs::read_dir(folder)
        .map_err(at(folder))?
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let content_type = match path.extension()?.to_str()? {
                "jpg" | "jpeg" => "image/jpeg",
                "png" => "image/png",
                "webp" => "image/webp",
                _ => return None,
            };
            Some(Picture { path, content_type })
        })
        .collect();
    pictures.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(pictures)
}

fn text(value: &Value, key: &str) -> Result<String, DemoError> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| unexpected(&format!("an answer without {key}: {value}")))
}

fn unexpected(reason: &str) -> DemoError {
    DemoError::Unexpected(reason.to_owned())
}
