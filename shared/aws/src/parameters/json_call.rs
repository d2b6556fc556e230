//! One call of an AWS service that speaks JSON ("AWS JSON 1.1 protocol"), made without the service's SDK: the SDKs' own
//! orchestrator signs it, sends it, bounds its time and tries it again.

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

/// From the first attempt to the end of the last: what waits for it is a request, or init.
const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) type JsonCall<I, O> = Operation<I, O, ErrorMetadata>;

/// The call of `service` that its `X-Amz-Target` names.
pub(super) fn json_call<I, O>(config: &SdkConfig, service: &'static str, target: &'static str) -> JsonCall<I, O>
where
    I: Serialize + Debug + Send + Sync + 'static,
    O: DeserializeOwned + Debug + Send + Sync + 'static,
{
    let region = config.region().map_or("", |region| region.as_ref());
    let of_aws = || format!("https://{service}.{region}.amazonaws.com");
    let timeouts = config.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let mut call = Operation::builder()
        .service_name(service)
        .operation_name(target)
        .endpoint_url(&config.endpoint_url().map_or_else(of_aws, str::to_owned))
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
    .deserializer(|response| read(response).map_err(OrchestratorError::operation))
    .build()
}

/// Has the call signed ("Signature Version 4") with the configuration's credentials, and its answers kept out of the
/// orchestrator's own log.
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
struct Refusal {
    #[serde(rename = "__type")]
    code: String,
    #[serde(alias = "Message")]
    message: Option<String>,
}

fn read<O: DeserializeOwned>(response: &HttpResponse) -> Result<O, ErrorMetadata> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        // Why not is left out: it may quote what was there, and that may be a secret.
        return serde_json::from_slice(body).map_err(|_| ErrorMetadata::builder().code("UnexpectedAnswer").build());
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return Err(ErrorMetadata::builder().code(format!("Status{}", response.status().as_u16())).build());
    };
    // `com.amazonaws.ssm#ParameterNotFound:…`, of which some services send the middle alone.
    let code = refusal.code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let mut error = ErrorMetadata::builder().code(code);
    if let Some(message) = refusal.message {
        error = error.message(message);
    }
    Err(error.build())
}
