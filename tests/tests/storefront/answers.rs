//! What clients get, to the letter: an answer that changes shows in the diff of a snapshot. Each is held to the API's document too,
//! so that none can be there that the document does not know.
//!
//! ```sh
//! INSTA_UPDATE=always ./scripts/test answers    # writes them anew
//! ```

use std::fmt::Write;

use ferrite_tests::api::{Answer, Api};
use ferrite_tests::poll::until;
use serde_json::{Value, json};

use crate::unique;

const SHOWN_HEADERS: [&str; 6] = ["content-type", "cache-control", "etag", "location", "retry-after", "www-authenticate"];

/// What is another one each time, and what is shown for it.
const VOLATILE: [(&str, &str); 6] = [
    ("(prd|ord|img)_[0-9a-f]{32}", "${1}_…"),
    ("urn:ferrite:request:[0-9A-Za-z-]+", "urn:ferrite:request:…"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "…Z"),
    (r#""url": "[^"]+""#, r#""url": "…""#),
    (r#""nextCursor": "[^"]+""#, r#""nextCursor": "…""#),
    (r"(ada|bob)-[0-9a-f]{32}", "$1"),
];

/// The answers of one operation, one after the other.
struct Told {
    operation: &'static str,
    document: Value,
    text: String,
}

impl Told {
    fn by(operation: &'static str) -> Self {
        let document = serde_json::from_str(include_str!("../../../shared/api/openapi.json")).unwrap();
        Self { operation, document, text: String::new() }
    }

    #[track_caller]
    fn when(mut self, what: &str, answer: &Answer) -> Self {
        self.conforms(answer);
        let _ = writeln!(self.text, "# {what}\n{}", answer.status);
        // Of an answer without a body, each gateway says something else of its type.
        let is_said =
            |name: &&&str| !answer.header(name).is_empty() && (**name != "content-type" || !answer.body.is_empty());
        for name in SHOWN_HEADERS.iter().filter(is_said) {
            let _ = writeln!(self.text, "{name}: {}", answer.header(name));
        }
        if !answer.body.is_empty() {
            let mut body = answer.json();
            body.sort_all_objects();
            // They are told in the order of the request's fields, which serde_json keeps or sorts, as the build will have it.
            if let Some(errors) = body.get_mut("errors").and_then(Value::as_array_mut) {
                errors.sort_by_key(|error| error["field"].to_string());
            }
            let _ = writeln!(self.text, "{body:#}");
        }
        self.text.push('\n');
        self
    }

    /// Holds the answer to what the document says of its status.
    #[track_caller]
    fn conforms(&self, answer: &Answer) {
        let mut operations =
            self.document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let operation =
            operations.find(|operation| operation["operationId"] == self.operation).expect("it is in the document");
        let response = &operation["responses"][answer.status.to_string()];
        let shared =
            response["$ref"].as_str().and_then(|reference| self.document.pointer(reference.trim_start_matches('#')));
        let response = shared.unwrap_or(response);
        assert!(response.is_object(), "{} answers {}: {}", self.operation, answer.status, answer.text());
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            assert!(header["required"] != true || !answer.header(name).is_empty(), "{} has no {name}", self.operation);
        }
        let content = response["content"].as_object().and_then(|content| content.iter().next());
        let Some((media_type, content)) = content else { return assert!(answer.body.is_empty(), "{}", answer.text()) };
        assert_eq!(answer.header("content-type"), media_type);
        let schema = json!({"components": self.document["components"], "allOf": [content["schema"]]});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&answer.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{} {}: {errors:?}\n{}", self.operation, answer.status, answer.text());
    }

    fn snapshot(self) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, shown) in VOLATILE {
            settings.add_filter(pattern, shown);
        }
        settings.bind(|| insta::assert_snapshot!(self.operation, self.text));
    }
}

const NOWHERE: &str = "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5";
const NO_ORDER: &str = "/orders/ord_0192f0c1a2b37c4d8e5f60718293a4b5";

fn tea(stock: u64) -> Value {
    json!({"name": "Assam", "description": "Malty.", "price": {"amount": 1250, "currency": "EUR"}, "stock": stock})
}

#[test]
fn create_product() {
    let api = Api::under_test();
    let post = |body: &str| api.admin("POST", "/products").header("content-type", "application/json").body(body).send();
    Told::by("create-product")
        .when("it is made", &post(&tea(3).to_string()))
        .when("it is no JSON", &post("{"))
        .when("it is not valid", &post(r#"{"name": "", "price": {"amount": -1, "currency": "EURO"}, "colour": "red"}"#))
        .when("it is not said to be JSON", &api.admin("POST", "/products").body("{}").send())
        .when("there is no token", &api.call("POST", "/products").json(&tea(3)).send())
        .when("it is no admin", &api.customer("ada", "POST", "/products").json(&tea(3)).send())
        .snapshot();
}

#[test]
fn show_products() {
    let api = Api::under_test();
    // Whichever are there: other tests make theirs.
    Told::by("list-products").conforms(&api.call("GET", "/products?limit=100").send());
    Told::by("list-products").when("the page cannot be", &api.call("GET", "/products?limit=0").send()).snapshot();
    let path = format!("/products/{}", api.create_product(3));
    let shown = api.call("GET", &path).send();
    let held = api.call("GET", &path).header("If-None-Match", shown.header("etag")).send();
    Told::by("get-product")
        .when("it is there", &shown)
        .when("the client has it", &held)
        .when("it is not there", &api.call("GET", NOWHERE).send())
        .snapshot();
}

#[test]
fn change_products() {
    let api = Api::under_test();
    let path = format!("/products/{}", api.create_product(3));
    let patch = |path: &str, tag: &str, body: Value| api.admin("PATCH", path).header("If-Match", tag).json(&body).send();
    Told::by("update-product")
        .when("it is changed", &patch(&path, "\"1-0\"", json!({"description": "Malty.", "stock": 4})))
        .when("it was changed before", &patch(&path, "\"1-0\"", json!({"stock": 5})))
        .when("nothing is to be changed", &patch(&path, "*", json!({})))
        .when("it is not there", &patch(NOWHERE, "*", json!({"stock": 5})))
        .snapshot();
    let upload = |path: &str, size: u64| {
        let body = json!({"contentType": "image/png", "sizeBytes": size});
        api.admin("POST", &format!("{path}/images")).json(&body).send()
    };
    Told::by("request-image-upload")
        .when("there is room", &upload(&path, 2048))
        .when("it is too large", &upload(&path, 1 << 30))
        .when("there is no such product", &upload(NOWHERE, 2048))
        .snapshot();
    Told::by("delete-product")
        .when("it is there", &api.admin("DELETE", &path).send())
        .when("it is there no more", &api.admin("DELETE", &path).send())
        .snapshot();
}

#[test]
fn register_customer() {
    let api = Api::under_test();
    let ada = unique("ada");
    let put = |email: &str| api.customer(&ada, "PUT", "/me").json(&json!({"email": email, "name": "Ada"})).send();
    Told::by("register-customer")
        .when("they are new", &put("ada@example.com"))
        .when("they are known", &put("lovelace@example.com"))
        .when("nobody can be reached there", &put("ada"))
        .snapshot();
}

#[test]
fn orders() {
    let api = Api::under_test();
    let (ada, bob, product) = (unique("ada"), unique("bob"), api.create_product(3));
    let place = |key: &str, product: &str, quantity: u64| api.place_order(&ada, key, product, quantity, "tok_declined");
    let wanted = json!({"lines": [{"productId": product, "quantity": 1}], "paymentToken": "tok_success"});
    let placed = place("k1", &product, 2);
    let path = placed.location("/orders");
    // Whether it is pending still when the others are shown, nobody can say.
    let decided = until("the payment to be decided", || {
        Some(api.customer(&ada, "GET", &path).send()).filter(|order| order.json()["status"] != "pending")
    });
    Told::by("place-order")
        .when("it is placed", &placed)
        .when("it was placed before", &place("k1", &product, 2))
        .when("its key was another's", &place("k1", &product, 1))
        .when("not as many are left", &place("k2", &product, 999))
        .when("there is no such product", &place("k3", NOWHERE.trim_start_matches("/products/"), 1))
        .when("it has no key", &api.customer(&ada, "POST", "/orders").json(&wanted).send())
        .when("there is no token", &api.call("POST", "/orders").json(&wanted).send())
        .snapshot();
    Told::by("get-order")
        .when("it was not paid for", &decided)
        .when("it is another's", &api.customer(&bob, "GET", &path).send())
        .snapshot();
    Told::by("list-orders")
        .when("there is one", &api.customer(&ada, "GET", "/orders").send())
        .when("there is none", &api.customer(&bob, "GET", "/orders").send())
        .when("the page cannot be", &api.customer(&bob, "GET", "/orders?cursor=nonsense").send())
        .snapshot();
    Told::by("cancel-order")
        .when("it is decided", &api.customer(&ada, "POST", &format!("{path}/cancel")).send())
        .when("it is not there", &api.customer(&ada, "POST", &format!("{NO_ORDER}/cancel")).send())
        .snapshot();
}
