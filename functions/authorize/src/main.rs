//! API Gateway REQUEST authorizer: verifies a JWT against a JWKS.
//!
//! | variable | meaning |
//! |---|---|
//! | `JWKS_URL` or `JWKS_PARAMETER` | source of the JWKS: an https URL, or the name of an SSM parameter (the role needs `ssm:GetParameter` on it) |
//! | `JWT_ISSUER` | required value of the claim `iss` |
//! | `JWT_AUDIENCE` | accepted audiences, separated by commas |
//! | `JWT_AUDIENCE_CLAIM` | the claim that must contain one of the audiences: `aud` (default), `client_id` or `azp`. If a token has `aud`, then `aud` must contain one, too |
//! | `JWT_PERMISSIONS_CLAIM` | the only claim that grants scopes; `scope` by default. A nested claim is a JSON Pointer, such as `/app_metadata/roles` |
//! | `JWT_SCOPES` | `value=scope` pairs, separated by commas: the scopes that values of the permissions claim grant. By default, each value is a scope |
//! | `JWKS_TTL_SECONDS` | how long fetched keys are used before they are fetched again; 600 by default, 86400 at most |
//! | `JWKS_MAX_STALE_SECONDS` | how long fetched keys are used while fetching fails; 86400 by default, 86400 at most |

mod handler;
mod jwks;
mod key_cache;
mod parameter;
mod permissions;
mod settings;
mod token;
mod url;

use std::time::{SystemTime, UNIX_EPOCH};

use ferrite_aws::{ParameterSource, sdk_config};
use ferrite_runtime::{InitError, event, log};
use serde_json::Value;

use crate::handler::{AuthorizeError, AuthorizerEvent, authorize};
use crate::key_cache::{FetchJwks, KeyCache};
use crate::parameter::JwksParameter;
use crate::settings::{KeySource, Settings};
use crate::url::JwksEndpoint;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    // Fetching the keys may log before `event::serve` initializes the log.
    log::init()?;
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    match &settings.source {
        KeySource::Url(url) => serve(JwksEndpoint::new(url.clone())?, &settings).await,
        KeySource::Parameter(name) => {
            let source = ParameterSource::new(&sdk_config()?);
            serve(JwksParameter::new(source, name.clone()), &settings).await
        }
    }
}

async fn serve(source: impl FetchJwks, settings: &Settings) -> Result<(), InitError> {
    let keys = KeyCache::new(source, settings.lifetimes);
    // The init phase runs at full CPU, so a TLS handshake is cheapest here. A failure is logged and must not stop the
    // function from starting: a request that arrives at least five seconds later fetches again.
    let _ = keys.current(unix_seconds()).await;
    event::serve(async |event: Value| {
        let request = AuthorizerEvent::parse(event).map_err(AuthorizeError::into_failure)?;
        authorize(&keys, &settings.token_rules, request, unix_seconds()).await.map_err(AuthorizeError::into_failure)
    })
    .await
}

/// Unix time in seconds, from the wall clock: a monotonic clock may stop while Lambda freezes the execution
/// environment.
fn unix_seconds() -> u64 {
    // A clock before 1970 is wrong. The maximum makes every token expired, whereas 0 would accept expired tokens.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}
