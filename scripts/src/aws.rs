//! The two AWS calls that the scripts make themselves, on an emulator.
//!
//! An SDK crate for each would take longer to compile than the rest of this crate.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::endpoint::{Account, Endpoint, http_client};
use crate::trouble::Trouble;

/// Sets an SSM parameter of type String (AWS Systems Manager, PutParameter).
///
/// # Errors
/// When the endpoint does not answer or refuses.
pub fn put_parameter(endpoint: &Endpoint, account: &Account, name: &str, value: &str) -> Result<(), Trouble> {
    let body = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
    let request = http::Request::post(format!("{}/", endpoint.url()))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AmazonSSM.PutParameter");
    call(request, &body, account, "ssm", &format!("setting {name}"))
}

/// Puts new code, a zip archive, in place of a function's (AWS Lambda, UpdateFunctionCode).
///
/// # Errors
/// When the endpoint does not answer or refuses.
pub fn update_function_code(
    endpoint: &Endpoint,
    account: &Account,
    function_name: &str,
    archive: &[u8],
) -> Result<(), Trouble> {
    let body = json!({"ZipFile": STANDARD.encode(archive)});
    let url = format!("{}/2015-03-31/functions/{function_name}/code", endpoint.url());
    let request = http::Request::put(url).header("content-type", "application/json");
    call(request, &body, account, "lambda", &format!("new code for {function_name}"))
}

fn call(request: http::request::Builder, body: &Value, account: &Account, service: &str, what: &str) -> Result<(), Trouble> {
    let body = body.to_string().into_bytes();
    let mut request = request.body(body).map_err(unsigned)?;
    sign_request(&mut request, account, service)?;
    let url = request.uri().to_string();
    let mut answer = http_client().run(request).map_err(|error| Trouble::NoAnswer { url, reason: error.to_string() })?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(Trouble::Refused {
        what: what.to_owned(),
        status: answer.status().as_u16(),
        body: answer.body_mut().read_to_string().unwrap_or_default(),
    })
}

fn sign_request(request: &mut http::Request<Vec<u8>>, account: &Account, service: &str) -> Result<(), Trouble> {
    let identity = Credentials::new(&account.access_key, &account.secret_key, None, None, "scripts").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&account.region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(unsigned)?
        .into();
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers,
        SignableBody::Bytes(request.body()),
    )
    .map_err(unsigned)?;
    let (instructions, _) = sign(signable, &parameters).map_err(unsigned)?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}

fn unsigned(error: impl std::error::Error) -> Trouble {
    Trouble::Sign(error.to_string())
}
