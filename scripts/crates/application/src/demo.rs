//! Demo data for a new stack: a few products with images, and one order. The data is created through the HTTP API. The
//! products are created only if there are none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use ferrite_aws_client::endpoint::http_client;
use ferrite_local_stack::files::{FileError, at};

/// Error returned when the demo data cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There was no response.
    #[error("no response from {url}: {reason}")]
    NoResponse {
        /// URL of the request.
        url: String,
        /// Error of the HTTP client.
        reason: String,
    },
    /// The API returned an error response.
    #[error("{request} failed with status {status}: {body}")]
    Rejected {
        /// The request: `GET /products`, for example.
        request: String,
        /// HTTP status.
        status: u16,
        /// Body of the response.
        body: String,
    },
    /// A response does not have the expected format.
    #[error("unexpected response of the API: {0}")]
    Unexpected(String),
    /// An image could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// ID of the customer who places the demo order.
pub const USER: &str = "demo-customer";
const CURRENCY: &str = "EUR";

/// Name, description, price in minor units, and stock of each demo product.
const PRODUCTS: [(&str, &str, u64, u64); 5] = [
    ("Enamel mug", "Holds 350 ml and is dishwasher safe.", 1_450, 40),
    ("Linen tote bag", "Large enough for a week of groceries.", 2_200, 25),
    ("Wool blanket", "Soft woven wool, 130 by 180 cm.", 8_900, 8),
    ("Desk lamp", "Warm white light with a single on/off switch.", 6_400, 12),
    ("Limited-edition poster", "Hand-numbered screen print, 50 by 70 cm.", 3_000, 1),
];

/// IDs of the demo data, for sample requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// ID of the product in the demo order.
    pub product: String,
    /// ID of the demo order.
    pub order: String,
}

/// Creates the demo products, with the images in `tests/photos` of the checkout `root`, if there are no products. Then places an order of
/// [`USER`].
///
/// # Errors
/// Returns an error if the API does not respond or returns an error response.
pub fn load(api: &str, admin_token: &str, customer_token: &str, root: &Path) -> Result<Demo, DemoError> {
    let client = ApiClient { api, admin_token, customer_token };
    let mut products = client.products()?;
    if products.is_empty() {
        let images = images(&root.join("tests/photos"))?;
        for (number, product) in PRODUCTS.iter().enumerate() {
            let id = client.create_product(product)?;
            if let Some(image) = images.get(number % images.len().max(1)) {
                client.upload_image(&id, image)?;
            }
        }
        products = client.products()?;
    }
    // Use the oldest product on the page, because it stays the same when products are added and orders are placed.
    let product = products.last().map(|product| text(product, "id")).transpose()?.unwrap_or_default();
    let order = client.place_order(&product)?;
    Ok(Demo { product, order })
}

impl Demo {
    /// Returns five curl commands to paste into a terminal. `admin` and `customer` are curl arguments that set the
    /// authorization header.
    #[must_use]
    pub fn requests(&self, api: &str, admin: &str, customer: &str) -> String {
        let Self { product, order } = self;
        let json = "-H 'content-type: application/json'";
        let teapot = r#"{"name":"Teapot","price":{"amount":3200,"currency":"EUR"},"stock":5}"#;
        let key = order_key(product);
        let body = order_body(product);
        format!(
            "Sample requests:\n\n\
             curl -sS '{api}/products?limit=3'\n\
             curl -sS {api}/products/{product}\n\
             curl -sS {api}/products {admin} {json} -d '{teapot}'\n\
             curl -sS {api}/orders {customer} {json} -H 'idempotency-key: {key}' -d '{body}'\n\
             curl -sS {api}/orders/{order} {customer}\n\n\
             The fourth request returns the existing demo order, because it has the same idempotency key. To place another\n\
             order, change the key."
        )
    }
}

/// Returns the idempotency key of the demo order. It depends only on the product, so that a repeated request returns
/// the same order.
fn order_key(product: &str) -> String {
    format!("demo-{product}")
}

fn order_body(product: &str) -> Value {
    json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"})
}

struct ApiClient<'a> {
    api: &'a str,
    admin_token: &'a str,
    customer_token: &'a str,
}

impl ApiClient<'_> {
    fn products(&self) -> Result<Vec<Value>, DemoError> {
        let request = http::Request::get(format!("{}/products", self.api));
        let mut page = send("GET /products", request, Vec::new())?;
        match page["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Err(unexpected("the page has no items")),
        }
    }

    fn create_product(&self, product: &(&str, &str, u64, u64)) -> Result<String, DemoError> {
        let (name, description, amount, stock) = product;
        let body = json!({"name": name, "description": description, "stock": stock,
            "price": {"amount": amount, "currency": CURRENCY}});
        text(&self.post("/products", self.admin_token, None, &body)?, "id")
    }

    fn upload_image(&self, product: &str, image: &ImageFile) -> Result<(), DemoError> {
        let bytes = fs::read(&image.path).map_err(at(&image.path))?;
        let body = json!({"contentType": image.content_type, "sizeBytes": bytes.len()});
        let response = self.post(&format!("/products/{product}/images"), self.admin_token, None, &body)?;
        let upload = &response["upload"];
        let mut request = http::Request::builder().method(text(upload, "method")?.as_str()).uri(text(upload, "url")?);
        for (name, value) in upload["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        send("the image upload", request, bytes).map(drop)
    }

    fn place_order(&self, product: &str) -> Result<String, DemoError> {
        let order = self.post("/orders", self.customer_token, Some(&order_key(product)), &order_body(product))?;
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

/// Sends a request and returns the JSON of the response, or null if the response has no JSON body. `description` names
/// the request in error messages.
fn send(description: &str, request: http::request::Builder, body: Vec<u8>) -> Result<Value, DemoError> {
    let request = request.body(body).map_err(|error| unexpected(&error.to_string()))?;
    let url = request.uri().to_string();
    let mut response =
        http_client().run(request).map_err(|error| DemoError::NoResponse { url, reason: error.to_string() })?;
    let body = response.body_mut().read_to_string().unwrap_or_default();
    if !response.status().is_success() {
        return Err(DemoError::Rejected { request: description.to_owned(), status: response.status().as_u16(), body });
    }
    Ok(serde_json::from_str(&body).unwrap_or_default())
}

struct ImageFile {
    path: PathBuf,
    content_type: &'static str,
}

/// Returns the image files in a folder, sorted by name.
fn images(folder: &Path) -> Result<Vec<ImageFile>, DemoError> {
    let mut images: Vec<ImageFile> = fs::read_dir(folder)
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
            Some(ImageFile { path, content_type })
        })
        .collect();
    images.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(images)
}

fn text(value: &Value, key: &str) -> Result<String, DemoError> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| unexpected(&format!("{key} is missing in {value}")))
}

fn unexpected(reason: &str) -> DemoError {
    DemoError::Unexpected(reason.to_owned())
}
