//! DNS suffixes of the AWS partitions, for endpoints that are not resolved by an SDK client.
//!
//! The SDK's endpoint rules contain the same data, but compile the pattern of every partition. A test compares the two.

/// Prefixes of the Region names of the partitions whose DNS suffix is not `amazonaws.com`, with their suffixes.
const SUFFIXES: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];

/// Returns the DNS suffix of the service endpoints in `region`, such as `amazonaws.com`. Unknown Regions are assumed to be
/// in the partition `aws`, as in the SDKs.
pub(crate) fn dns_suffix(region: &str) -> &'static str {
    let known = SUFFIXES.iter().find(|(prefix, _)| region.starts_with(prefix));
    known.map_or("amazonaws.com", |(_, suffix)| suffix)
}
