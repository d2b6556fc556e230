//! DynamoDB client that resolves common endpoints without the SDK's endpoint rules.
//!
//! The rules compile the pattern of every AWS partition to match the Region against it. That takes a tenth of the init
//! work beyond that of an empty function.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_types::SdkConfig;

use crate::partition::dns_suffix;

/// Prefixes of the Region names in the partition `aws`.
const REGION_PREFIXES: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];

/// Creates a DynamoDB client from the SDK configuration.
pub fn dynamodb_client(config: &SdkConfig) -> Client {
    let resolver = EndpointResolver { rules: DefaultResolver::new() };
    Client::from_conf(Builder::from(config).endpoint_resolver(resolver).build())
}

/// Resolves to the configured endpoint or the Region's standard endpoint ("Amazon DynamoDB endpoints and quotas"). Uses
/// the SDK's endpoint rules in all other cases.
#[derive(Debug)]
struct EndpointResolver {
    rules: DefaultResolver,
}

impl ResolveEndpoint for EndpointResolver {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        match resolve_without_rules(params) {
            Some(url) => EndpointFuture::ready(Ok(Endpoint::builder().url(url).build())),
            None => self.rules.resolve_endpoint(params),
        }
    }
}

/// Returns the endpoint URL if it does not depend on the endpoint rules.
fn resolve_without_rules(params: &Params) -> Option<String> {
    if params.use_fips() == Some(true) || params.use_dual_stack() == Some(true) || params.account_id().is_some() {
        return None;
    }
    if let Some(endpoint) = params.endpoint() {
        return Some(endpoint.to_owned());
    }
    let region = params.region().filter(|region| is_in_partition_aws(region))?;
    Some(format!("https://dynamodb.{region}.{}", dns_suffix(region)))
}

fn is_in_partition_aws(region: &str) -> bool {
    let Some((prefix, suffix)) = region.split_once('-') else { return false };
    let Some((location, number)) = suffix.split_once('-') else { return false };
    REGION_PREFIXES.contains(&prefix)
        && !location.is_empty()
        && location.bytes().all(|byte| byte.is_ascii_lowercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint::ParamsBuilder;

    use super::*;

    /// Resolves the endpoint with this module's resolver and with the SDK's rules.
    async fn resolve_both(params: ParamsBuilder) -> [Option<Endpoint>; 2] {
        let params = params.build().unwrap();
        let resolver = EndpointResolver { rules: DefaultResolver::new() };
        let resolved = resolver.resolve_endpoint(&params).await.ok();
        let expected = DefaultResolver::new().resolve_endpoint(&params).await.ok();
        [resolved, expected]
    }

    #[tokio::test]
    async fn resolves_the_same_endpoints_as_the_sdk_rules() {
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
            for params in [
                Params::builder().region(region),
                Params::builder().region(region).use_fips(true),
                Params::builder().region(region).use_dual_stack(true),
                Params::builder().region(region).endpoint("http://localhost:4566"),
                Params::builder().region(region).endpoint("http://localhost:4566").use_fips(true),
                Params::builder().region(region).account_id("000000000001").account_id_endpoint_mode("preferred"),
            ] {
                let description = format!("{params:?}");
                let [resolved, expected] = resolve_both(params).await;
                assert_eq!(resolved, expected, "{description}");
            }
        }
        let [resolved, expected] = resolve_both(Params::builder()).await;
        assert_eq!(resolved, expected, "no Region");
    }

    #[tokio::test]
    async fn the_dns_suffixes_are_those_of_the_sdk_rules() {
        for (region, suffix) in [
            ("eu-west-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("cn-northwest-1", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-west-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
            ("us-isof-south-1", "csp.hci.ic.gov"),
            ("moon-base-1", "amazonaws.com"),
        ] {
            let params = Params::builder().region(region).build().unwrap();
            let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.unwrap();
            assert_eq!(endpoint.url(), format!("https://dynamodb.{region}.{suffix}"));
            assert_eq!(dns_suffix(region), suffix, "{region}");
        }
    }

    #[test]
    fn resolves_standard_regions_without_the_sdk_rules() {
        let resolve = |params: ParamsBuilder| resolve_without_rules(&params.build().unwrap());
        assert_eq!(resolve(Params::builder().region("eu-west-1")).unwrap(), "https://dynamodb.eu-west-1.amazonaws.com");
        assert_eq!(
            resolve(Params::builder().region("eu-west-1").endpoint("http://localhost:4566")).unwrap(),
            "http://localhost:4566"
        );
        assert_eq!(resolve(Params::builder().region("us-gov-west-1")), None);
    }
}
