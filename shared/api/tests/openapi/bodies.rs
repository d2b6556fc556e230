//! Checks that the document and the code accept the same request bodies.

use ferrite_api::{
    EmailConfirmationBody, ImageRequestBody, NewProductBody, PlaceOrderBody, ProductPatchBody, RegistrationBody,
};
use ferrite_domain::{PlacementRequest, ProductPatch};
use ferrite_runtime::http::json_body;
use serde_json::{Value, json};

const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";

/// Returns whether the code accepts `body` for the schema `name`.
fn is_accepted(name: &str, body: &Value) -> bool {
    let request = http::Request::builder().header("content-type", "application/json").body(body.to_string().into()).unwrap();
    match name {
        "NewProduct" => json_body::<NewProductBody>(&request).is_ok(),
        "ProductPatch" => json_body::<ProductPatchBody>(&request).is_ok_and(|body| !ProductPatch::from(body).is_empty()),
        "ImageRequest" => json_body::<ImageRequestBody>(&request).is_ok(),
        "Registration" => json_body::<RegistrationBody>(&request).is_ok(),
        "EmailConfirmation" => json_body::<EmailConfirmationBody>(&request).is_ok(),
        "NewOrder" => json_body::<PlaceOrderBody>(&request).is_ok_and(|body| PlacementRequest::try_from(body).is_ok()),
        other => panic!("{other}"),
    }
}

#[test]
fn document_and_code_accept_the_same_bodies() {
    let document = crate::document();
    let line = |quantity: u64| json!({"productId": PRODUCT, "quantity": quantity});
    let valid_bodies = [
        ("NewProduct", json!({"name": "Assam", "price": {"amount": 1250, "currency": "EUR"}, "stock": 1})),
        (
            "ProductPatch",
            json!({"name": "Assam", "description": "Malty.", "price": {"amount": 1, "currency": "JPY"}, "stock": 1}),
        ),
        ("ImageRequest", json!({"contentType": "image/png", "sizeBytes": 1})),
        ("Registration", json!({"email": "ada@example.com", "name": "Ada"})),
        ("EmailConfirmation", json!({"token": "0f8fad5bd9cb469fa16570867728950e"})),
        ("NewOrder", json!({"lines": [line(1)], "paymentToken": "tok_success"})),
    ];
    let texts = |max: usize| {
        let whitespace = ["", " ", "\u{a0}\u{3000}", "\u{2028}", "\u{feff}", "\u{200b}"].map(str::to_owned);
        let special = [" x ", "x\n", "a\nb", "a\tb", "\u{85}x", "\u{7f}", "x\r\ny", "茶"].map(str::to_owned);
        // Without characters above U+FFFF, which the patterns do not contain.
        let invisible = [
            "\u{2800}",
            "\u{3164}",
            "\u{200b}\u{fe0f}",
            "x\u{200b}",
            "a\u{202e}b",
            "a\u{61c}b",
            "a\u{2028}b",
            "a\u{2069}b",
            "a\u{ffff}b",
            "a\u{200d}b",
            "葛\u{e0100}",
            "\u{301}",
            "e\u{301}",
            "\u{378}",
            "\u{f8ff}",
            "\u{10ffff}",
        ]
        .map(str::to_owned);
        let long = [max - 1, max, max + 1].map(|length| "é".repeat(length));
        let ends_in_space = [format!("{} ", "x".repeat(max - 1)), format!("{} ", "x".repeat(max))];
        whitespace
            .into_iter()
            .chain(special)
            .chain(invisible)
            .chain(long)
            .chain(ends_in_space)
            .map(Value::from)
            .collect::<Vec<_>>()
    };
    let numbers = |min: i64, max: i64| {
        vec![
            json!(min - 1),
            json!(min),
            json!(min as f64),
            json!(max),
            json!(max + 1),
            json!(1.5),
            json!("1"),
            json!(u64::MAX),
        ]
    };
    let wrong_types = || vec![Value::Null, json!({}), json!([]), json!(true)];
    let emails = [
        "ada",
        " ada@example.com ",
        "ada@example.com\n",
        "\tada@example.com",
        "a@b",
        "a@b.c",
        "a@b.c.",
        "é@b.c",
        "a b@c.d",
        "a@b@c.d",
        "!#$%&'*+-/=?^_`{|}~@a-b.c",
        "a.b@c.d",
        ".a@b.c",
        " .a@b.c",
        "a.@b.c",
        "a..b@c.d",
        ".@b.c",
        "a@-b.c",
        "a@b-.c",
        "a@b.-c",
        "a@b--c.d",
    ];
    let long_email = |local: usize, label: usize| json!(format!("{}@{}.de", "a".repeat(local), "b".repeat(label)));
    let tokens = [
        "tok_",
        "tok_a",
        "tok_é",
        "tok_a-b",
        "TOK_a",
        "tok_a\n",
        &format!("tok_{}", "a".repeat(100)),
        &format!("tok_{}", "a".repeat(101)),
    ]
    .map(Value::from);
    let confirmation_tokens =
        ["0", " 0f8fad5bd9cb469fa16570867728950e ", "0F8FAD5BD9CB469FA16570867728950E", ""].map(Value::from);
    let ids = [
        PRODUCT,
        "prd_",
        "ord_0192f0c1a2b37c4d8e5f60718293a4b5",
        "prd_0192f0c1a2b34c4d8e5f60718293a4b5",
        &PRODUCT.to_uppercase(),
        &format!("{PRODUCT}\n"),
    ]
    .map(Value::from);
    let mut accepted = 0;
    let mut rejected = 0;
    for (name, pointer, values) in [
        ("NewProduct", "/name", texts(200)),
        ("NewProduct", "/description", texts(4000)),
        ("NewProduct", "/stock", numbers(0, 1_000_000)),
        ("NewProduct", "/price/amount", numbers(0, 999_999_999_999)),
        ("NewProduct", "/price/currency", ["EUR", "XXX", "eur", "ABC", "EU", "EURO", ""].map(Value::from).to_vec()),
        ("NewProduct", "/color", vec![json!("red")]),
        ("NewProduct", "/price", vec![json!({"amount": 1})]),
        (
            "ProductPatch",
            "",
            vec![
                json!({}),
                json!({"stock": 0}),
                json!({"description": null}),
                json!({"name": null}),
                json!({"price": null}),
            ],
        ),
        ("ProductPatch", "/name", texts(200)),
        ("ProductPatch", "/description", texts(4000)),
        ("ImageRequest", "/sizeBytes", numbers(1, 25 * 1024 * 1024)),
        ("ImageRequest", "/contentType", ["image/webp", "image/gif", "IMAGE/PNG", ""].map(Value::from).to_vec()),
        ("Registration", "/name", texts(200)),
        ("Registration", "/email", emails.map(Value::from).to_vec()),
        ("Registration", "/email", vec![long_email(64, 63), long_email(65, 63), long_email(64, 64)]),
        ("EmailConfirmation", "/token", confirmation_tokens.to_vec()),
        ("NewOrder", "/lines", vec![json!([]), json!([line(1), line(1)]), json!([{"quantity": 1}])]),
        ("NewOrder", "/lines/0/quantity", numbers(1, 1000)),
        ("NewOrder", "/lines/0/productId", ids.to_vec()),
        ("NewOrder", "/paymentToken", tokens.to_vec()),
    ] {
        let schema = json!({"components": document["components"], "$ref": format!("#/components/schemas/{name}")});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let body = &valid_bodies.iter().find(|(other, _)| *other == name).unwrap().1;
        for value in values.into_iter().chain(wrong_types()) {
            let mut body = body.clone();
            match pointer.rsplit_once('/') {
                None => body = value.clone(),
                Some((parent, field)) => match body.pointer_mut(parent).unwrap() {
                    Value::Array(items) => items[field.parse::<usize>().unwrap()] = value.clone(),
                    parent => parent[field] = value.clone(),
                },
            }
            let is_accepted = is_accepted(name, &body);
            assert_eq!(
                validator.is_valid(&body),
                is_accepted,
                "accepted by the code: {is_accepted}; {name}{pointer} {value}"
            );
            if is_accepted { accepted += 1 } else { rejected += 1 }
        }
    }
    assert!(accepted > 50 && rejected > 100, "{accepted} accepted, {rejected} rejected");
}
