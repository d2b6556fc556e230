//! Fuzz target for the schema of feature flags, which an operator edits.

use bolero::check;
use ferrite_core::Timestamp;
use ferrite_core::feature_flags::{EvaluationContext, Features};

use crate::{MutationPlan, mutate};

const SCHEMA: &str = r#"{"f":{"default":false,"rules":{"r":{"when_match":true,"conditions":[
{"action":"MODULO_RANGE","key":"n","value":{"BASE":10,"START":0,"END":4}},
{"action":"KEY_LESS_THAN_VALUE","key":"n","value":25},{"action":"ANY_IN_VALUE","key":"l","value":["a",1]}]}}}}"#;

const SCHEDULES: &str = r#"{"f":{"boolean_type":false,"default":1,"rules":{"r":{"when_match":2,"conditions":[
{"action":"SCHEDULE_BETWEEN_TIME_RANGE","key":"CURRENT_TIME","value":{"START":"22:00","END":"06:00","TIMEZONE":"Asia/Tokyo"}},
{"action":"SCHEDULE_BETWEEN_DATETIME_RANGE","key":"CURRENT_DATETIME","value":{"START":"2026-11-22T22:00:00","END":"20261123"}},
{"action":"SCHEDULE_BETWEEN_DAYS_OF_WEEK","key":"CURRENT_DAY_OF_WEEK","value":{"DAYS":["MONDAY"],"TIMEZONE":"UTC"}}]}}}}"#;

#[test]
fn fuzz_feature_flags() {
    check!().with_type::<(MutationPlan, i64, f64)>().for_each(|(plan, millis, number)| {
        if let Ok(features) = Features::from_json(&mutate(&[SCHEMA, SCHEDULES], plan)) {
            let context = EvaluationContext::new().with("n", *number).with("l", vec!["a"]);
            let now = Timestamp::from_unix_millis(*millis);
            for name in features.enabled(&context, now) {
                assert_eq!(features.is_enabled(name, &context, now), Some(true), "{features:?}");
            }
        }
    });
}
