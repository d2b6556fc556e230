//! Runs the contract tests on feature flags in a parameter and in AppConfig.

use std::time::Duration;

use ferrite_aws::testing::emulator_config;
use ferrite_aws::{AppConfig, FeatureFlagSource, FeatureFlags, FlagParameter};
use ferrite_aws_client::client::{AwsClient, SSM};
use ferrite_aws_client::endpoint::Target;
use ferrite_core::contract::feature_flags::SCHEMA;
use ferrite_core::contract::now;
use ferrite_core::memory::{FixedClock, UniqueIds};
use ferrite_core::ports::IdGenerator;
use http::Method;
use serde_json::{Value, json};

fn client() -> AwsClient {
    let target =
        Target::from_environment().expect("AWS_ENDPOINT_URL should be a URL").expect("AWS_ENDPOINT_URL should be set");
    AwsClient::new(target)
}

fn flags<S: FeatureFlagSource>(source: S) -> FeatureFlags<S, FixedClock> {
    FeatureFlags::new(source, FixedClock(now()), Duration::from_secs(60))
}

fn flags_in_parameter() -> FeatureFlags<FlagParameter, FixedClock> {
    let name = format!("/adapters/{}", UniqueIds.new_id());
    client().json(SSM, "PutParameter", &json!({ "Name": name, "Type": "String", "Value": SCHEMA })).unwrap();
    flags(FlagParameter::new(&emulator_config(), name))
}

/// Deploys a configuration to AppConfig.
fn flags_in_app_config() -> FeatureFlags<AppConfig, FixedClock> {
    let client = client();
    let post = |path: &str, body: Value| {
        client.rest_json("appconfig", Method::POST, path, Some(&body)).expect("should create the configuration")
    };
    let name = format!("adapters-{}", UniqueIds.new_id());
    let id = |created: &Value| created["Id"].as_str().unwrap().to_owned();
    let application = id(&post("/applications", json!({ "Name": name })));
    let environment = id(&post(&format!("/applications/{application}/environments"), json!({ "Name": "test" })));
    let profiles = format!("/applications/{application}/configurationprofiles");
    let profile = id(&post(&profiles, json!({ "Name": "flags", "LocationUri": "hosted" })));
    let versions = format!("{profiles}/{profile}/hostedconfigurationversions");
    post(&versions, serde_json::from_str(SCHEMA).unwrap());
    let deployment = json!({
        "ConfigurationProfileId": profile,
        "ConfigurationVersion": "1",
        "DeploymentStrategyId": "AppConfig.AllAtOnce",
    });
    post(&format!("/applications/{application}/environments/{environment}/deployments"), deployment);
    flags(AppConfig::new(&emulator_config(), name, "test", "flags"))
}

mod parameter {
    use super::*;
    ferrite_core::feature_flags_contract!(flags_in_parameter());
}

mod app_config {
    use super::*;
    ferrite_core::feature_flags_contract!(flags_in_app_config());
}
