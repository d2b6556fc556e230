//! Calls of AWS services without the SDK crates of the services, which would add minutes to every release build. The
//! orchestrator of the SDKs signs and sends the request and handles timeouts and retries.

use std::fmt::Debug;
use std::time::Duration;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::SigningRegion;
use aws_types::{SdkConfig, SigningName};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::partition::dns_suffix;

/// Timeout of a call including all retries. Requests and the init phase wait for these calls.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A call of one operation with input `I` and output `O`.
pub(crate) type SignedCall<I, O> = Operation<I, O, ErrorMetadata>;

/// The names of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// First part of the host name.
    pub(crate) host: &'static str,
    /// Name that requests are signed for.
    pub(crate) signing_name: &'static str,
}

/// Creates a call of an operation. `request` builds a request whose URI has only a path and a query, and `response` reads
/// a successful response.
pub(crate) fn signed_call<I, O>(
    config: &SdkConfig,
    service: Service,
    operation: &'static str,
    request: impl Fn(I) -> Result<http::Request<SdkBody>, BoxError> + Send + Sync + 'static,
    response: impl Fn(&HttpResponse) -> Result<O, ErrorMetadata> + Send + Sync + 'static,
) -> SignedCall<I, O>
where
    I: Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
{
    let region = config.region().map_or("", |region| region.as_ref());
    let aws_endpoint = || format!("https://{}.{region}.{}", service.host, dns_suffix(region));
    let timeouts = config.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let mut call = Operation::builder()
        .service_name(service.host)
        .operation_name(operation)
        .endpoint_url(&config.endpoint_url().map_or_else(aws_endpoint, str::to_owned))
        .runtime_plugin(signing(config, service.signing_name))
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
    call.serializer(move |input: I| -> Result<HttpRequest, BoxError> { Ok(request(input)?.try_into()?) })
        .deserializer(move |http: &HttpResponse| {
            let output = if http.status().is_success() { response(http) } else { Err(error_metadata(http)) };
            output.map_err(OrchestratorError::operation)
        })
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

/// Parses the JSON body of a successful response.
pub(crate) fn parse_json<O: DeserializeOwned>(response: &HttpResponse) -> Result<O, ErrorMetadata> {
    let body = response.body().bytes().unwrap_or_default();
    // Drop the parse error: it may quote part of the response, which may contain a secret.
    serde_json::from_slice(body).map_err(|_| unexpected_response())
}

/// Error of a successful response that does not have the documented form.
pub(crate) fn unexpected_response() -> ErrorMetadata {
    ErrorMetadata::builder().code("UnexpectedResponse").build()
}

/// Body of an error response. The protocol AWS JSON 1.1 has the code in the body, and restJson1 in a header.
#[derive(Deserialize, Default)]
struct ErrorResponse {
    #[serde(rename = "__type")]
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

fn error_metadata(response: &HttpResponse) -> ErrorMetadata {
    let body = response.body().bytes().unwrap_or_default();
    let ErrorResponse { code, message } = serde_json::from_slice(body).unwrap_or_default();
    let code = code.or_else(|| response.headers().get("x-amzn-errortype").map(str::to_owned));
    let code = code.unwrap_or_else(|| format!("Status{}", response.status().as_u16()));
    // The format is `com.amazonaws.ssm#ParameterNotFound:…`. Some services send only the part between `#` and `:`.
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let mut error = ErrorMetadata::builder().code(code);
    if let Some(message) = message {
        error = error.message(message);
    }
    error.build()
}
