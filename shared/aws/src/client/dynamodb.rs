//! DynamoDB's client, which finds its endpoint without the SDK's rules wherever their answer is plain.
//!
//! The rules match the region against the pattern of every partition, and compile each pattern first: a tenth of what
//! init takes beyond an empty function's.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_types::SdkConfig;

/// Where regions of the partition `aws` lie: the first part of their names.
const AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];

/// A client that calls what [`SdkConfig`] says.
pub fn dynamodb_client(config: &SdkConfig) -> Client {
    let endpoints = Endpoints { rules: DefaultResolver::new() };
    Client::from_conf(Builder::from(config).endpoint_resolver(endpoints).build())
}

/// The endpoint that is set, or the region's own ("Amazon DynamoDB endpoints and quotas"); for all else the SDK's rules.
#[derive(Debug)]
struct Endpoints {
    rules: DefaultResolver,
}

impl ResolveEndpoint for Endpoints {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        match plain(params) {
            Some(url) => EndpointFuture::ready(Ok(Endpoint::builder().url(url).build())),
            None => self.rules.resolve_endpoint(params),
        }
    }
}

/// The endpoint's URL where nothing is asked for that the rules would have to weigh.
fn plain(params: &Params) -> Option<String> {
    if params.use_fips() == Some(true) || params.use_dual_stack() == Some(true) || params.account_id().is_some() {
        return None;
    }
    if let Some(endpoint) = params.endpoint() {
        return Some(endpoint.to_owned());
    }
    let region = params.region().filter(|region| is_in_partition_aws(region))?;
    Some(format!("https://dynamodb.{region}.amazonaws.com"))
}

fn is_in_partition_aws(region: &str) -> bool {
    let Some((area, rest)) = region.split_once('-') else { return false };
    let Some((place, number)) = rest.split_once('-') else { return false };
    AREAS.contains(&area)
        && !place.is_empty()
        && place.bytes().all(|byte| byte.is_ascii_lowercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint::ParamsBuilder;

    use super::*;

    async fn both(params: ParamsBuilder) -> [Option<Endpoint>; 2] {
        let params = params.build().unwrap();
        let rules = DefaultResolver::new();
        let by_the_rules = rules.resolve_endpoint(&params).await.ok();
        [Endpoints { rules: DefaultResolver::new() }.resolve_endpoint(&params).await.ok(), by_the_rules]
    }

    #[tokio::test]
    async fn every_endpoint_is_the_one_that_the_rules_name() {
        let regions = [
            "us-east-1",
            "eu-west-3",
            "ap-southeast-7",
            "sa-east-1",
            "ca-west-1",
            "me-central-1",
            "af-south-1",
            "il-central-1",
            "mx-central-1",
            "us-gov-west-1",
            "cn-north-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
            "aws-global",
            "local",
            "moon-base-1",
            "eu-west-1-x",
            "US-EAST-1",
        ];
        for region in regions {
            for given in [
                Params::builder().region(region),
                Params::builder().region(region).use_fips(true),
                Params::builder().region(region).use_dual_stack(true),
                Params::builder().region(region).endpoint("http://localhost:4566"),
                Params::builder().region(region).endpoint("http://localhost:4566").use_fips(true),
                Params::builder().region(region).account_id("000000000001").account_id_endpoint_mode("preferred"),
            ] {
                let described = format!("{given:?}");
                let [ours, rules] = both(given).await;
                assert_eq!(ours, rules, "{described}");
            }
        }
        let [ours, rules] = both(Params::builder()).await;
        assert_eq!(ours, rules, "no region");
    }

    /// The others cost what this is here to save.
    #[test]
    fn what_lambda_gives_needs_no_rules() {
        let plain = |params: ParamsBuilder| plain(&params.build().unwrap());
        assert_eq!(plain(Params::builder().region("eu-west-1")).unwrap(), "https://dynamodb.eu-west-1.amazonaws.com");
        assert_eq!(
            plain(Params::builder().region("eu-west-1").endpoint("http://localhost:4566")).unwrap(),
            "http://localhost:4566"
        );
        assert_eq!(plain(Params::builder().region("us-gov-west-1")), None);
    }
}
