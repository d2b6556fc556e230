//! Calls of AWS services with the AWS JSON 1.1 protocol, without the SDK crate of the service. The orchestrator of the
//! SDKs signs and sends the request and handles timeouts and retries.

use std::fmt::Debug;
use std::time::Duration;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError, SensitiveOutput};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::SigningRegion;
use aws_types::{SdkConfig, SigningName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::partition::dns_suffix;

/// Timeout of a call including all retries. Requests and the init phase wait for these calls.
const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) type JsonCall<I, O> = Operation<I, O, ErrorMetadata>;

/// Creates a call of the operation that `target` (the `X-Amz-Target` header) names.
pub(super) fn json_call<I, O>(config: &SdkConfig, service: &'static str, target: &'static str) -> JsonCall<I, O>
where
    I: Serialize + Debug + Send + Sync + 'static,
    O: DeserializeOwned + Debug + Send + Sync + 'static,
{
    let region = config.region().map_or("", |region| region.as_ref());
    let aws_endpoint = || format!("https://{service}.{region}.{}", dns_suffix(region));
    let timeouts = config.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let mut call = Operation::builder()
        .service_name(service)
        .operation_name(target)
        .endpoint_url(&config.endpoint_url().map_or_else(aws_endpoint, str::to_owned))
        .runtime_plugin(signing(config, service))
        .timeout_config(timeouts.operation_timeout(TIMEOUT).build())
        .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .with_connection_poisoning();
    if let Some(retries) = config.retry_config() {
        call = call.standard_retry(retries);
    }
    if let Some(http) = config.http_client() {
        call = call.http_client(http);
    }
    if let Some(clock) = config.time_source() {
        call = call.time_source(clock);
    }
    call.serializer(move |input: I| {
        let body = SdkBody::from(serde_json::to_vec(&input)?);
        let request =
            http::Request::post("/").header("content-type", "application/x-amz-json-1.1").header("x-amz-target", target);
        Ok(request.body(body)?.try_into()?)
    })
    .deserializer(|response| parse_response(response).map_err(OrchestratorError::operation))
    .build()
}

/// Signs the call with Signature Version 4 and the configuration's credentials, and keeps its response out of the
/// orchestrator's log.
fn signing(config: &SdkConfig, service: &'static str) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signing");
    layer.store_put(SensitiveOutput);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: config.region().cloned().map(SigningRegion::from),
        name: Some(SigningName::from_static(service)),
        ..SigV4OperationSigningConfig::default()
    });
    let mut components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])));
    if let Some(credentials) = config.credentials_provider() {
        components = components.with_identity_resolver(SCHEME_ID, credentials);
    }
    if let Some(cache) = config.identity_cache() {
        components = components.with_identity_cache(Some(cache));
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(rename = "__type")]
    code: String,
    #[serde(alias = "Message")]
    message: Option<String>,
}

fn parse_response<O: DeserializeOwned>(response: &HttpResponse) -> Result<O, ErrorMetadata> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        // Drop the parse error: it may quote part of the response, which may contain a secret.
        return serde_json::from_slice(body).map_err(|_| ErrorMetadata::builder().code("UnexpectedResponse").build());
    }
    let Ok(error_response) = serde_json::from_slice::<ErrorResponse>(body) else {
        return Err(ErrorMetadata::builder().code(format!("Status{}", response.status().as_u16())).build());
    };
    // The format is `com.amazonaws.ssm#ParameterNotFound:…`. Some services send only the part between `#` and `:`.
    let code = error_response.code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let mut error = ErrorMetadata::builder().code(code);
    if let Some(message) = error_response.message {
        error = error.message(message);
    }
    Err(error.build())
}
