//! Tests that a stack with `Operations=enabled` has the alarms and the dashboard of infra/operations.yaml.

use ferrite_test_harness::api::Api;
use ferrite_test_harness::aws::Aws;
use ferrite_tests::storefront::Storefront;

#[test]
fn creates_the_alarms_and_the_dashboard() {
    let stack = Api::storefront().output("BusName").to_owned();
    let (alarms, dashboards) = Aws::under_test().alarms_and_dashboards();
    // CloudFormation generates the names of these alarms from their logical ids.
    for alarm in [
        "ApiFails",
        "Errorsauthorize",
        "Throttlesplaceorder",
        "Slowreportsales",
        "Oldorders",
        "Filledordersdlq",
        "Oldrelaydlq",
        "StreamFallsBehindrelayevents",
        "OrdersStandStill",
        "EmailBounceRate",
        "EmailComplaintRate",
    ] {
        let matches = |name: &str| name.starts_with(&stack) && name.contains(&format!("-{alarm}-"));
        let mut names = alarms.split("<AlarmName>").filter_map(|text| text.split('<').next());
        assert!(names.any(matches), "there is no alarm {alarm}");
    }
    assert!(dashboards.contains(&stack), "{dashboards}");
}
