//! API Gateway REQUEST authorizer: verifies a JWT against a JWKS.
//!
//! | variable | meaning |
//! |---|---|
//! | `JWKS_URL` or `JWKS_PARAMETER` | where the keys are: an https URL, or the name of an SSM parameter (role: `ssm:GetParameter` on it) |
//! | `JWT_ISSUER`, `JWT_AUDIENCE` | what a token's `iss` must be, and its `aud` contain |
//! | `JWKS_TTL_SECONDS` | how long fetched keys are used before they are fetched again; 600 |
//! | `JWKS_MAX_STALE_SECONDS` | how long they go on working while they cannot be fetched; 86400, which is also the most |

mod handler;
#[cfg(test)]
mod issuer;
mod jwks;
mod key_cache;
mod parameter;
mod settings;
mod token;
mod url;

use std::time::{SystemTime, UNIX_EPOCH};

use ferrite_runtime::{InitError, config, log};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::json;

use crate::handler::{AuthorizerEvent, Failure, authorize};
use crate::key_cache::{FetchJwks, KeyCache};
use crate::parameter::JwksParameter;
use crate::settings::{KeySource, Settings};
use crate::url::JwksUrl;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings = Settings::read(config::optional)?;
    match &settings.source {
        KeySource::Url(uri) => serve(JwksUrl::new(uri.clone())?, &settings).await,
        KeySource::Parameter(name) => {
            let client = aws_sdk_ssm::Client::new(&ferrite_aws::sdk_config()?);
            serve(JwksParameter::new(client, name.clone()), &settings).await
        }
    }
}

async fn serve(source: impl FetchJwks, settings: &Settings) -> Result<(), InitError> {
    let keys = KeyCache::new(source, settings.lifetimes);
    // Init runs at full CPU and is the cheapest place for a TLS handshake. A failure is logged, and tried again by the
    // first request: an identity provider that is down must not keep the function from starting.
    let _ = keys.current(unix_seconds()).await;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<AuthorizerEvent>| {
        log::begin(&event.context);
        authorize(&keys, &settings.expected, event.payload, unix_seconds())
            .await
            .inspect_err(report)
            .map_err(Diagnostic::from)
    }))
    .await?;
    Ok(())
}

/// Says why a request was not let through, which the client is not told. The reasons have nothing in them that the caller
/// chose: no token, no subject.
fn report(failure: &Failure) {
    let reason = json!({ "reason": log::chain(failure) });
    match failure {
        Failure::Refused(_) => log::warning("the request was refused", reason),
        Failure::KeysUnavailable(_) | Failure::MethodArn => log::error("the request could not be judged", reason),
    }
}

/// Seconds since 1970, from the wall clock: a monotonic one may stand still while Lambda has the environment frozen.
fn unix_seconds() -> u64 {
    // A clock before 1970 is broken; the far future then refuses every token where the past would accept expired ones.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}
