use std::fs;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::presigning::PresigningConfig;
use ferrite_aws::sdk_config;
use ferrite_tests::api::{Answer, Api, Call};
use ferrite_tests::aws::Aws;
use ferrite_tests::poll::until;
use serde_json::{Value, json};

/// A photograph of tests/photos.
fn photo(name: &str) -> Vec<u8> {
    fs::read(format!("{}/photos/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn request_upload(api: &Api, product: &str, content_type: &str, size: usize) -> Value {
    let body = json!({"contentType": content_type, "sizeBytes": size});
    let answer = api.admin("POST", &format!("/products/{product}/images")).json(&body).send();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// The upload that was asked for, with `content_type` and `bytes` in place of what was promised.
fn upload<'a>(api: &'a Api, requested: &Value, content_type: &str, bytes: Vec<u8>) -> Call<'a> {
    let upload = &requested["upload"];
    assert!(upload["expiresAt"].as_str().unwrap().ends_with('Z'));
    let call = api.call_url(upload["method"].as_str().unwrap(), upload["url"].as_str().unwrap());
    call.header("content-type", content_type).header("if-none-match", "*").body(bytes)
}

fn image(api: &Api, product: &str, id: &Value) -> Value {
    let product = api.product(product);
    let images = product["images"].as_array().unwrap();
    images.iter().find(|image| image["id"] == *id).expect("the image is listed").clone()
}

/// Uploads `bytes` as a `content_type` and waits for what becomes of them.
fn processed(api: &Api, content_type: &str, bytes: Vec<u8>) -> Value {
    processed_for(api, &api.create_product(1), content_type, bytes)
}

fn processed_for(api: &Api, product: &str, content_type: &str, bytes: Vec<u8>) -> Value {
    let requested = request_upload(api, product, content_type, bytes.len());
    let id = &requested["imageId"];
    assert_eq!(image(api, product, id)["state"], "pending");
    let sent = upload(api, &requested, content_type, bytes).send();
    assert_eq!(sent.status, 200, "{}", sent.text());
    until("the image to be processed", || Some(image(api, product, id)).filter(|image| image["state"] != "pending"))
}

fn fetch(api: &Api, variant: &Value) -> Answer {
    let answer = api.call_url("GET", variant["url"].as_str().unwrap()).send();
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/jpeg"), "{}", answer.text());
    answer
}

#[test]
fn photographs_of_every_format_are_shown_in_two_sizes() {
    let api = Api::under_test();
    for (name, content_type) in [("coffee.jpg", "image/jpeg"), ("chelsea.png", "image/png"), ("rocket.webp", "image/webp")] {
        let image = processed(&api, content_type, photo(name));
        assert_eq!(image["state"], "ready", "{name}: {image}");
        for size in ["thumbnail", "display"] {
            let variant = &image["variants"][size];
            let picture = image::load_from_memory(&fetch(&api, variant).body).unwrap();
            assert_eq!(
                (json!(picture.width()), json!(picture.height())),
                (variant["width"].clone(), variant["height"].clone())
            );
        }
        assert!(image["variants"]["thumbnail"]["width"].as_u64().unwrap() <= 320);
    }
}

#[test]
fn a_photograph_that_exif_turns_is_shown_upright_and_without_its_metadata() {
    let api = Api::under_test();
    let original = photo("rocket-turned.jpg");
    let stored = image::load_from_memory(&original).unwrap();
    let image = processed(&api, "image/jpeg", original);
    let display = &image["variants"]["display"];
    let landscape = |width: u64, height: u64| width > height;
    assert_ne!(
        landscape(display["width"].as_u64().unwrap(), display["height"].as_u64().unwrap()),
        landscape(stored.width().into(), stored.height().into()),
        "turned by a quarter"
    );
    let bytes = fetch(&api, display).body;
    assert!(!bytes.windows(4).any(|window| window == b"Exif"), "no metadata");
}

#[test]
fn what_is_not_the_image_it_claims_to_be_fails_with_the_reason() {
    let api = Api::under_test();
    let mut truncated = photo("coffee.jpg");
    truncated.truncate(truncated.len() / 2);
    let mut huge = photo("chelsea.png");
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]); // width and height in its header: 60,000 each
    // The header's checksum, so that the size is all that is wrong.
    let crc = png_crc(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    // Behind the header: a chunk that says how many frames there are, and how often they are played.
    let mut animation = photo("chelsea.png");
    let frames = [&b"acTL"[..], &10_000_u32.to_be_bytes(), &[0; 4]].concat();
    let chunk = [&[0, 0, 0, 8], &frames[..], &png_crc(&frames).to_be_bytes()].concat();
    animation.splice(33..33, chunk);
    for (bytes, content_type, reason) in [
        (b"just text".to_vec(), "image/jpeg", "not an image"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "image/png", "not an image"),
        (photo("chelsea.png"), "image/jpeg", "declared as image/jpeg"),
        (truncated, "image/jpeg", "cut off"),
        (huge, "image/png", "megapixels"),
        ([&b"%PDF-1.7\n"[..], &photo("coffee.jpg")].concat(), "image/jpeg", "not an image"),
        (animation, "image/png", "animation"),
        ([&photo("coffee.jpg")[..], b"<?php system($_GET[0]);"].concat(), "image/jpeg", "more than an image"),
    ] {
        let image = processed(&api, content_type, bytes);
        assert_eq!(image["state"], "failed", "{image}");
        let given = image["reason"].as_str().unwrap();
        assert!(given.contains(reason), "{given:?} does not say {reason:?}");
        assert_eq!(image.get("variants"), None);
    }
}

fn png_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn the_store_itself_refuses_another_type_or_size() {
    let api = Api::under_test();
    let (product, photo) = (api.create_product(1), photo("coffee.jpg"));
    let requested = request_upload(&api, &product, "image/jpeg", photo.len());
    let status = |content_type, bytes: Vec<u8>| upload(&api, &requested, content_type, bytes).send().status;
    assert_eq!(status("image/png", photo.clone()), 403);
    assert_eq!(status("image/jpeg", [&photo[..], b"more"].concat()), 403);
    assert_eq!(status("image/jpeg", photo[1..].to_vec()), 403);
    assert_eq!(image(&api, &product, &requested["imageId"])["state"], "pending");
    assert_eq!(status("image/jpeg", photo.clone()), 200);
    assert_eq!(status("image/jpeg", photo), 412, "an upload is not replaced");
}

#[test]
fn the_list_and_the_answer_to_an_update_have_links_that_open_too() {
    let api = Api::under_test();
    let product = api.create_product(1);
    processed_for(&api, &product, "image/jpeg", photo("coffee.jpg"));
    let updated = api.admin("PATCH", &format!("/products/{product}")).json(&json!({"stock": 2})).send().json();
    let mut page = "/products?limit=100".to_owned();
    let listed = until("the product to be listed", || {
        let answer = api.call("GET", &page).send().json();
        page = format!("/products?limit=100&cursor={}", answer["nextCursor"].as_str().unwrap_or_default());
        answer["items"].as_array().unwrap().iter().find(|listed| listed["id"] == *product).cloned()
    });
    for shown in [updated, listed] {
        fetch(&api, &shown["images"][0]["variants"]["thumbnail"]);
    }
}

#[test]
fn an_upload_that_was_deleted_before_it_was_processed_fails_with_the_reason() {
    let api = Api::under_test();
    let product = api.create_product(1);
    let id = request_upload(&api, &product, "image/png", 1)["imageId"].clone();
    // The notification about an object that was deleted since.
    let key = format!("uploads/{product}/{}", id.as_str().unwrap());
    let event = json!({"Records": [{"s3": {"bucket": {"name": api.output("ImageBucketName")}, "object": {"key": key}}}]});
    Aws::under_test().invoke(&format!("{}-process-image", api.output("BusName")), &event);
    let failed = until("the image to fail", || Some(image(&api, &product, &id)).filter(|image| image["state"] != "pending"));
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&json!("failed"), &json!("The file was deleted before it was processed."))
    );
}

#[test]
fn a_link_to_upload_by_ends_and_cannot_be_made_to_last() {
    let api = Api::under_test();
    let (product, photo) = (api.create_product(1), photo("coffee.jpg"));
    let requested = request_upload(&api, &product, "image/jpeg", photo.len());
    let url = requested["upload"]["url"].as_str().unwrap();
    let parameter = |name: &str| url.split(['?', '&']).find_map(|each| each.strip_prefix(&format!("{name}="))).unwrap();
    let (lasts, date) = (parameter("X-Amz-Expires"), parameter("X-Amz-Date"));
    assert!(lasts.parse::<u32>().unwrap() <= 900, "a quarter of an hour");
    for changed in [url.replace(&format!("={lasts}"), "=604800"), url.replace(date, "20260101T000000Z")] {
        assert_ne!(changed, url);
        let put = api.call_url("PUT", &changed).header("content-type", "image/jpeg").header("if-none-match", "*");
        assert_eq!(put.body(photo.clone()).send().status, 403, "{changed}");
    }
}

/// What somebody could do who has all of request-image-upload's power: with its own keys, and at any time.
#[test]
fn whoever_signs_links_can_put_nothing_outside_uploads_and_nothing_later() {
    let api = Api::under_test();
    let requested = request_upload(&api, &api.create_product(1), "image/jpeg", 5);
    let (object, signature) = requested["upload"]["url"].as_str().unwrap().split_once('?').unwrap();
    let (_, object) = object.split_once("/uploads/").unwrap();
    let (_, token) = signature.split_once("X-Amz-Security-Token=").unwrap();
    let token = token.split('&').next().unwrap().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let keys = Aws::under_test().keys_of(&format!("{}-request-image-upload", api.output("BusName")));
    let keys = Credentials::new(keys.access_key, keys.secret_key, Some(token), None, "tests");
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let config = aws_sdk_s3::config::Builder::from(&config).credentials_provider(keys).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let put = |key: &str, signed_at: SystemTime| {
        let lasts = PresigningConfig::builder().start_time(signed_at).expires_in(Duration::from_secs(900)).build().unwrap();
        let request = s3.put_object().bucket(api.output("ImageBucketName")).key(key).presigned(lasts);
        let link = runtime.block_on(request).unwrap().uri().to_owned();
        let answer = api.call_url("PUT", &link).body(*b"bytes").send();
        (answer.status, answer.text())
    };
    let now = SystemTime::now();
    assert_eq!(put(&format!("uploads/{object}"), now), (200, String::new()));
    for key in ["images/nobody/display.jpg", "uploads", "elsewhere", "../uploads/nobody"] {
        let (status, said) = put(key, now);
        assert_eq!((status, said.contains("AccessDenied")), (403, true), "{key}: {said}");
    }
    let (status, said) = put(&format!("uploads/{object}"), now - Duration::from_secs(901));
    assert_eq!((status, said.contains("expired")), (403, true), "{said}");
}

#[test]
fn a_link_opens_one_object_and_no_other() {
    let api = Api::under_test();
    let image = processed(&api, "image/jpeg", photo("coffee.jpg"));
    let url = image["variants"]["display"]["url"].as_str().unwrap();
    let without_signature = url.split('?').next().unwrap();
    assert_eq!(api.call_url("GET", without_signature).send().status, 403);
    assert_eq!(api.call_url("GET", &url.replace("/display.jpg", "/thumbnail.jpg")).send().status, 403);
}

#[test]
fn an_upload_is_asked_for_with_what_will_be_uploaded() {
    let api = Api::under_test();
    let path = format!("/products/{}/images", api.create_product(1));
    let refused = |body: Value| api.admin("POST", &path).json(&body).send();
    let answer = refused(json!({"contentType": "image/svg+xml", "sizeBytes": 10 * 1024 * 1024 + 1}));
    assert_eq!((answer.status, answer.problem().as_str()), (422, "validation"));
    assert_eq!(answer.fields(), ["contentType", "sizeBytes"]);
    let nowhere = "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5/images";
    let body = json!({"contentType": "image/png", "sizeBytes": 1});
    assert_eq!(api.admin("POST", nowhere).json(&body).send().status, 404);
}

#[test]
fn a_product_has_room_for_ten_images() {
    let api = Api::under_test();
    let product = api.create_product(1);
    for _ in 0..10 {
        request_upload(&api, &product, "image/png", 1);
    }
    let body = json!({"contentType": "image/png", "sizeBytes": 1});
    let answer = api.admin("POST", &format!("/products/{product}/images")).json(&body).send();
    assert_eq!((answer.status, answer.problem().as_str()), (409, "too-many-images"));
}
