//! A stack that is operated is watched: infra/operations.yaml is deployed with it.

use ferrite_tests::api::Api;
use ferrite_tests::aws::Aws;

#[test]
fn a_stack_that_is_operated_has_its_alarms_and_its_dashboard() {
    let stack = Api::under_test().output("BusName").to_owned();
    let (alarms, dashboards) = Aws::under_test().alarms_and_dashboards();
    // CloudFormation puts the logical id into the name of what has none of its own.
    for alarm in [
        "ApiFails",
        "Errorsauthorize",
        "Throttlesplaceorder",
        "Slowreportsales",
        "Oldorders",
        "Filledordersdlq",
        "Oldrelaydlq",
        "StreamFallsBehind",
        "OrdersStandStill",
    ] {
        let named = |name: &str| name.starts_with(&stack) && name.contains(&format!("-{alarm}-"));
        let mut names = alarms.split("<AlarmName>").filter_map(|rest| rest.split('<').next());
        assert!(names.any(named), "there is no alarm {alarm}");
    }
    assert!(dashboards.contains(&stack), "{dashboards}");
}
