//! A few products with pictures and one order, so that a fresh stack has something to show; loaded over its own HTTP
//! API, and only into an empty shop.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::endpoint::http_client;
use crate::token::{Bearer, mint};
use crate::trouble::{Trouble, at};

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

/// What the demo found or made: enough to write requests that work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The id of a product with stock.
    pub product: String,
    /// The id of the demo customer's order.
    pub order: String,
}

/// Loads the demo's products when there are none, and places its order.
///
/// # Errors
/// When the API does not answer or refuses.
pub fn load(checkout: &Checkout, api: &str) -> Result<Demo, Trouble> {
    let shop = Shop {
        api,
        admin: mint(checkout, &Bearer::Admin)?,
        customer: mint(checkout, &Bearer::Customer(CUSTOMER.to_owned()))?,
    };
    let mut products = shop.products()?;
    if products.is_empty() {
        let pictures = pictures(&checkout.path("tests/photos"))?;
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
             (The order is there already, so the fourth line answers with it; with another key it places one more.)"
        )
    }
}

/// One order a product: asked for again, the same order is the answer.
fn order_key(product: &str) -> String {
    format!("demo-{product}")
}

fn order_body(product: &str) -> Value {
    json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"})
}

struct Shop<'a> {
    api: &'a str,
    admin: String,
    customer: String,
}

impl Shop<'_> {
    fn products(&self) -> Result<Vec<Value>, Trouble> {
        let request = http::Request::get(format!("{}/products", self.api));
        let mut page = send("the list of products", request, Vec::new())?;
        match page["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Err(unexpected("a page without items")),
        }
    }

    fn create_product(&self, product: &(&str, &str, u64, u64)) -> Result<String, Trouble> {
        let (name, description, amount, stock) = product;
        let body = json!({"name": name, "description": description, "stock": stock,
            "price": {"amount": amount, "currency": CURRENCY}});
        text(&self.post("/products", &self.admin, None, &body)?, "id")
    }

    fn upload_picture(&self, product: &str, picture: &Picture) -> Result<(), Trouble> {
        let bytes = fs::read(&picture.path).map_err(at(&picture.path))?;
        let body = json!({"contentType": picture.content_type, "sizeBytes": bytes.len()});
        let answer = self.post(&format!("/products/{product}/images"), &self.admin, None, &body)?;
        let upload = &answer["upload"];
        let mut request = http::Request::builder().method(text(upload, "method")?.as_str()).uri(text(upload, "url")?);
        for (name, value) in upload["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        send("the upload of a picture", request, bytes).map(drop)
    }

    fn place_order(&self, product: &str) -> Result<String, Trouble> {
        let order = self.post("/orders", &self.customer, Some(&order_key(product)), &order_body(product))?;
        text(&order, "id")
    }

    fn post(&self, path: &str, token: &str, key: Option<&str>, body: &Value) -> Result<Value, Trouble> {
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
fn send(what: &str, request: http::request::Builder, body: Vec<u8>) -> Result<Value, Trouble> {
    let request = request.body(body).map_err(|error| unexpected(&error.to_string()))?;
    let url = request.uri().to_string();
    let mut answer = http_client().run(request).map_err(|error| Trouble::NoAnswer { url, reason: error.to_string() })?;
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    if !answer.status().is_success() {
        return Err(Trouble::Refused { what: what.to_owned(), status: answer.status().as_u16(), body });
    }
    Ok(serde_json::from_str(&body).unwrap_or_default())
}

struct Picture {
    path: PathBuf,
    content_type: &'static str,
}

/// The photographs in a folder, in the order of their names.
fn pictures(folder: &Path) -> Result<Vec<Picture>, Trouble> {
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

fn text(value: &Value, key: &str) -> Result<String, Trouble> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| unexpected(&format!("an answer without {key}: {value}")))
}

fn unexpected(reason: &str) -> Trouble {
    Trouble::Unexpected { program: "the API".to_owned(), reason: reason.to_owned() }
}
