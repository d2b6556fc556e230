//! Tests of image uploads, image processing and the links to images.

use std::fs;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::presigning::PresigningConfig;
use ferrite_test_harness::api::{Api, RequestBuilder, Response};
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::sdk::Sdk;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

/// Reads a photo in tests/photos.
fn photo(name: &str) -> Vec<u8> {
    fs::read(format!("{}/photos/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn request_upload(api: &Api, product: &str, content_type: &str, size: usize) -> Value {
    let body = json!({"contentType": content_type, "sizeBytes": size});
    let response = api.admin("POST", &format!("/products/{product}/images")).json(&body).send();
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()
}

/// Builds the request that uploads `bytes` to the URL in `requested`. The content type and the size may differ from
/// those that the upload was requested with.
fn upload<'a>(api: &'a Api, requested: &Value, content_type: &str, bytes: Vec<u8>) -> RequestBuilder<'a> {
    let upload = &requested["upload"];
    assert!(upload["expiresAt"].as_str().unwrap().ends_with('Z'));
    let request = api.request_url(upload["method"].as_str().unwrap(), upload["url"].as_str().unwrap());
    request.header("content-type", content_type).header("if-none-match", "*").body(bytes)
}

fn image(api: &Api, product: &str, id: &Value) -> Value {
    let product = api.product(product);
    let images = product["images"].as_array().unwrap();
    images.iter().find(|image| image["id"] == *id).expect("the image is listed").clone()
}

/// Uploads an image of a new product and waits until it is processed. Returns the image.
fn upload_and_process(api: &Api, content_type: &str, bytes: Vec<u8>) -> Value {
    upload_and_process_for(api, &api.create_product(1), content_type, bytes)
}

/// Uploads an image of `product` and waits until it is processed. Returns the image.
fn upload_and_process_for(api: &Api, product: &str, content_type: &str, bytes: Vec<u8>) -> Value {
    let requested = request_upload(api, product, content_type, bytes.len());
    let id = &requested["imageId"];
    assert_eq!(image(api, product, id)["state"], "pending");
    let sent = upload(api, &requested, content_type, bytes).send();
    assert_eq!(sent.status, 200, "{}", sent.text());
    wait_for("the image to be processed", || Some(image(api, product, id)).filter(|image| image["state"] != "pending"))
}

fn get_variant(api: &Api, variant: &Value) -> Response {
    let response = api.request_url("GET", variant["url"].as_str().unwrap()).send();
    assert_eq!((response.status, response.header("content-type")), (200, "image/jpeg"), "{}", response.text());
    response
}

#[test]
fn creates_two_sizes_for_every_image_format() {
    let api = Api::storefront();
    for (name, content_type) in [("coffee.jpg", "image/jpeg"), ("chelsea.png", "image/png"), ("rocket.webp", "image/webp")] {
        let image = upload_and_process(&api, content_type, photo(name));
        assert_eq!(image["state"], "ready", "{name}: {image}");
        for size in ["thumbnail", "display"] {
            let variant = &image["variants"][size];
            let decoded = image::load_from_memory(&get_variant(&api, variant).body).unwrap();
            assert_eq!(
                (json!(decoded.width()), json!(decoded.height())),
                (variant["width"].clone(), variant["height"].clone())
            );
        }
        assert!(image["variants"]["thumbnail"]["width"].as_u64().unwrap() <= 320);
    }
}

#[test]
fn applies_the_exif_orientation_and_removes_metadata() {
    let api = Api::storefront();
    let original = photo("rocket-turned.jpg");
    let stored = image::load_from_memory(&original).unwrap();
    let image = upload_and_process(&api, "image/jpeg", original);
    let display = &image["variants"]["display"];
    let landscape = |width: u64, height: u64| width > height;
    assert_ne!(
        landscape(display["width"].as_u64().unwrap(), display["height"].as_u64().unwrap()),
        landscape(stored.width().into(), stored.height().into()),
        "the image was not rotated by 90 degrees"
    );
    let bytes = get_variant(&api, display).body;
    assert!(!bytes.windows(4).any(|window| window == b"Exif"), "the image still has EXIF metadata");
}

#[test]
fn invalid_images_fail_with_a_reason() {
    let api = Api::storefront();
    let mut truncated = photo("coffee.jpg");
    truncated.truncate(truncated.len() / 2);
    let mut huge = photo("chelsea.png");
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]); // width and height in the header: 60,000 each
    // Update the checksum of the header, so that only the size is invalid.
    let crc = png_crc(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    // Insert an acTL chunk after the header. It holds the number of frames and the number of plays.
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
        let image = upload_and_process(&api, content_type, bytes);
        assert_eq!(image["state"], "failed", "{image}");
        let actual = image["reason"].as_str().unwrap();
        assert!(actual.contains(reason), "{actual:?} does not contain {reason:?}");
        assert_eq!(image.get("variants"), None);
    }
}

fn png_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn s3_rejects_uploads_with_another_content_type_or_size() {
    let api = Api::storefront();
    let product = api.create_product(1);
    let photo = photo("coffee.jpg");
    let requested = request_upload(&api, &product, "image/jpeg", photo.len());
    let status = |content_type, bytes: Vec<u8>| upload(&api, &requested, content_type, bytes).send().status;
    assert_eq!(status("image/png", photo.clone()), 403);
    assert_eq!(status("image/jpeg", [&photo[..], b"more"].concat()), 403);
    assert_eq!(status("image/jpeg", photo[1..].to_vec()), 403);
    assert_eq!(image(&api, &product, &requested["imageId"])["state"], "pending");
    assert_eq!(status("image/jpeg", photo.clone()), 200);
    assert_eq!(status("image/jpeg", photo), 412, "an existing upload is not replaced");
}

#[test]
fn product_lists_and_update_responses_have_valid_image_links() {
    let api = Api::storefront();
    let product = api.create_product(1);
    upload_and_process_for(&api, &product, "image/jpeg", photo("coffee.jpg"));
    let updated = api.admin("PATCH", &format!("/products/{product}")).json(&json!({"stock": 2})).send().json();
    let mut page = "/products?limit=100".to_owned();
    let listed = wait_for("the product to be listed", || {
        let response = api.request("GET", &page).send().json();
        page = format!("/products?limit=100&cursor={}", response["nextCursor"].as_str().unwrap_or_default());
        response["items"].as_array().unwrap().iter().find(|listed| listed["id"] == *product).cloned()
    });
    for product in [updated, listed] {
        get_variant(&api, &product["images"][0]["variants"]["thumbnail"]);
    }
}

#[test]
fn an_upload_that_is_deleted_before_processing_fails_with_a_reason() {
    let api = Api::storefront();
    let product = api.create_product(1);
    let id = request_upload(&api, &product, "image/png", 1)["imageId"].clone();
    // Send a notification about an object that does not exist.
    let key = format!("uploads/{product}/{}", id.as_str().unwrap());
    let event = json!({"Records": [{"s3": {"bucket": {"name": api.output("ImageBucketName")}, "object": {"key": key}}}]});
    Aws::under_test().invoke(&api.function("process-image"), &event);
    let failed =
        wait_for("the image to fail", || Some(image(&api, &product, &id)).filter(|image| image["state"] != "pending"));
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&json!("failed"), &json!("The file was deleted before it was processed."))
    );
}

#[test]
fn upload_links_expire_and_cannot_be_extended() {
    let api = Api::storefront();
    let product = api.create_product(1);
    let photo = photo("coffee.jpg");
    let requested = request_upload(&api, &product, "image/jpeg", photo.len());
    let url = requested["upload"]["url"].as_str().unwrap();
    let parameter = |name: &str| url.split(['?', '&']).find_map(|part| part.strip_prefix(&format!("{name}="))).unwrap();
    let expires = parameter("X-Amz-Expires");
    let date = parameter("X-Amz-Date");
    assert!(expires.parse::<u32>().unwrap() <= 900, "links are valid for at most 15 minutes");
    for changed in [url.replace(&format!("={expires}"), "=604800"), url.replace(date, "20260101T000000Z")] {
        assert_ne!(changed, url);
        let put = api.request_url("PUT", &changed).header("content-type", "image/jpeg").header("if-none-match", "*");
        assert_eq!(put.body(photo.clone()).send().status, 403, "{changed}");
    }
}

/// Signs links with the credentials of request-image-upload, as an attacker who controls the function could.
#[test]
fn the_upload_function_can_only_sign_uploads_that_expire() {
    let api = Api::storefront();
    let requested = request_upload(&api, &api.create_product(1), "image/jpeg", 5);
    let (object, signature) = requested["upload"]["url"].as_str().unwrap().split_once('?').unwrap();
    let (_, object) = object.split_once("/uploads/").unwrap();
    let (_, token) = signature.split_once("X-Amz-Security-Token=").unwrap();
    let token = token.split('&').next().unwrap().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let keys = Aws::under_test().function_keys(&api.function("request-image-upload"));
    let keys = Credentials::new(keys.access_key, keys.secret_key, Some(token), None, "tests");
    let sdk = Sdk::under_test();
    let config = aws_sdk_s3::config::Builder::from(sdk.config()).credentials_provider(keys).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let put = |key: &str, signed_at: SystemTime| {
        let validity =
            PresigningConfig::builder().start_time(signed_at).expires_in(Duration::from_secs(900)).build().unwrap();
        let request = s3.put_object().bucket(api.output("ImageBucketName")).key(key).presigned(validity);
        let link = sdk.block_on(request).unwrap().uri().to_owned();
        let response = api.request_url("PUT", &link).body(*b"bytes").send();
        (response.status, response.text())
    };
    let now = SystemTime::now();
    assert_eq!(put(&format!("uploads/{object}"), now), (200, String::new()));
    for key in ["images/nobody/display.jpg", "uploads", "elsewhere", "../uploads/nobody"] {
        let (status, body) = put(key, now);
        assert_eq!((status, body.contains("AccessDenied")), (403, true), "{key}: {body}");
    }
    let (status, body) = put(&format!("uploads/{object}"), now - Duration::from_secs(901));
    assert_eq!((status, body.contains("expired")), (403, true), "{body}");
}

#[test]
fn an_image_link_is_valid_for_one_object_only() {
    let api = Api::storefront();
    let image = upload_and_process(&api, "image/jpeg", photo("coffee.jpg"));
    let url = image["variants"]["display"]["url"].as_str().unwrap();
    let without_signature = url.split('?').next().unwrap();
    assert_eq!(api.request_url("GET", without_signature).send().status, 403);
    assert_eq!(api.request_url("GET", &url.replace("/display.jpg", "/thumbnail.jpg")).send().status, 403);
}

#[test]
fn rejects_upload_requests_with_an_invalid_type_or_size() {
    let api = Api::storefront();
    let path = format!("/products/{}/images", api.create_product(1));
    let body = json!({"contentType": "image/svg+xml", "sizeBytes": 25 * 1024 * 1024 + 1});
    let response = api.admin("POST", &path).json(&body).send();
    assert_eq!((response.status, response.problem_type().as_str()), (422, "validation"));
    assert_eq!(response.invalid_fields(), ["contentType", "sizeBytes"]);
    let unknown_product = "/products/prd_0192f0c1a2b37c4d8e5f60718293a4b5/images";
    let body = json!({"contentType": "image/png", "sizeBytes": 1});
    assert_eq!(api.admin("POST", unknown_product).json(&body).send().status, 404);
}

#[test]
fn rejects_an_eleventh_image() {
    let api = Api::storefront();
    let product = api.create_product(1);
    for _ in 0..10 {
        request_upload(&api, &product, "image/png", 1);
    }
    let body = json!({"contentType": "image/png", "sizeBytes": 1});
    let response = api.admin("POST", &format!("/products/{product}/images")).json(&body).send();
    assert_eq!((response.status, response.problem_type().as_str()), (409, "too-many-images"));
}
