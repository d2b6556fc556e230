//! API Gateway REQUEST authorizer: verifies a JWT against a JWKS.
//!
//! | variable | meaning |
//! |---|---|
//! | `JWKS_URL` or `JWKS_PARAMETER` | where the keys are: an https URL, or the name of an SSM parameter (role: `ssm:GetParameter` on it) |
//! | `JWT_ISSUER`, `JWT_AUDIENCE` | what a token's `iss` must be, and its `aud` contain |
//! | `JWKS_TTL_SECONDS` | how long fetched keys are used before they are fetched again; 600 |
//! | `JWKS_MAX_STALE_SECONDS` | how long they go on working while they cannot be fetched; 86400, which is also the most |

mod handler;
mod jwks;
mod key_cache;
mod parameter;
mod settings;
mod token;
mod url;

use std::time::{SystemTime, UNIX_EPOCH};

use ferrite_aws::{ParameterSource, sdk_config};
use ferrite_runtime::{InitError, event, log};

use crate::handler::{AuthorizeError, AuthorizerEvent, authorize};
use crate::key_cache::{FetchJwks, KeyCache};
use crate::parameter::JwksParameter;
use crate::settings::{KeySource, Settings};
use crate::url::JwksUrl;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    // Fetching the keys may log before `event::serve` would start the log.
    log::init()?;
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    match &settings.source {
        KeySource::Url(uri) => serve(JwksUrl::new(uri.clone())?, &settings).await,
        KeySource::Parameter(name) => {
            let source = ParameterSource::new(&sdk_config()?);
            serve(JwksParameter::new(source, name.clone()), &settings).await
        }
    }
}

async fn serve(source: impl FetchJwks, settings: &Settings) -> Result<(), InitError> {
    let keys = KeyCache::new(source, settings.lifetimes);
    // Init runs at full CPU and is the cheapest place for a TLS handshake. A failure is logged, and a request that comes
    // five seconds later tries again: an identity provider that is down must not keep the function from starting.
    let _ = keys.current(unix_seconds()).await;
    event::serve(async |request: AuthorizerEvent| {
        authorize(&keys, &settings.expected, request, unix_seconds()).await.map_err(AuthorizeError::into_failure)
    })
    .await
}

/// Seconds since 1970, from the wall clock: a monotonic one may stand still while Lambda has the environment frozen.
fn unix_seconds() -> u64 {
    // A clock before 1970 is broken; the far future then refuses every token where the past would accept expired ones.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}
