//! Contract of feature flags.

use serde::Deserialize;

use crate::feature_flags::EvaluationContext;
use crate::ports::EvaluateFlags;

/// The schema that the implementation under test evaluates at the time [`now`](super::now), a Sunday.
pub const SCHEMA: &str = r#"{
    "sharing": {
        "default": false,
        "rules": {
            "pilot user": {
                "when_match": true,
                "conditions": [{"action": "EQUALS", "key": "user", "value": "pilot"}]
            }
        }
    },
    "archive": {"default": true},
    "closed on Sundays": {
        "default": true,
        "rules": {
            "on Sundays": {
                "when_match": false,
                "conditions": [{
                    "action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK",
                    "key": "CURRENT_DAY_OF_WEEK",
                    "value": {"DAYS": ["SUNDAY"], "TIMEZONE": "Europe/Lisbon"}
                }]
            }
        }
    },
    "limits": {
        "boolean_type": false,
        "default": {"notes": 10},
        "rules": {
            "pilot user": {
                "when_match": {"notes": 100},
                "conditions": [{"action": "EQUALS", "key": "user", "value": "pilot"}]
            }
        }
    }
}"#;

/// Generates the contract tests of an [`EvaluateFlags`](crate::ports::EvaluateFlags) that evaluates
/// [`SCHEMA`](crate::contract::feature_flags::SCHEMA) at the time [`now`](crate::contract::now).
#[macro_export]
macro_rules! feature_flags_contract {
    ($adapter:expr) => {
        $crate::contract_tests!(
            $crate::contract::feature_flags, $adapter,
            returns_the_value_of_the_rule_that_matches_the_context
            returns_the_default_of_the_feature_if_no_rule_matches
            returns_the_default_of_the_caller_for_an_unknown_feature
            returns_the_default_of_the_caller_for_a_value_of_another_type
            evaluates_schedules_with_its_clock
            lists_the_enabled_features_in_the_order_of_the_schema
        );
    };
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Limits {
    notes: u32,
}

fn anyone() -> EvaluationContext {
    EvaluationContext::new()
}

fn pilot() -> EvaluationContext {
    EvaluationContext::new().with("user", "pilot")
}

pub async fn returns_the_value_of_the_rule_that_matches_the_context(flags: &impl EvaluateFlags) {
    assert!(flags.is_enabled("sharing", &pilot(), false).await);
    assert_eq!(flags.value("limits", &pilot(), Limits { notes: 1 }).await, Limits { notes: 100 });
    assert!(flags.value("sharing", &pilot(), false).await);
}

pub async fn returns_the_default_of_the_feature_if_no_rule_matches(flags: &impl EvaluateFlags) {
    assert!(!flags.is_enabled("sharing", &anyone(), true).await);
    assert!(flags.is_enabled("archive", &anyone(), false).await);
    assert_eq!(flags.value("limits", &anyone(), Limits { notes: 1 }).await, Limits { notes: 10 });
}

pub async fn returns_the_default_of_the_caller_for_an_unknown_feature(flags: &impl EvaluateFlags) {
    for default in [false, true] {
        assert_eq!(flags.is_enabled("no such feature", &pilot(), default).await, default);
    }
    assert_eq!(flags.value("no such feature", &pilot(), Limits { notes: 1 }).await, Limits { notes: 1 });
}

pub async fn returns_the_default_of_the_caller_for_a_value_of_another_type(flags: &impl EvaluateFlags) {
    assert_eq!(flags.value("limits", &pilot(), "none".to_owned()).await, "none");
}

pub async fn evaluates_schedules_with_its_clock(flags: &impl EvaluateFlags) {
    assert!(!flags.is_enabled("closed on Sundays", &anyone(), true).await);
}

pub async fn lists_the_enabled_features_in_the_order_of_the_schema(flags: &impl EvaluateFlags) {
    assert_eq!(flags.enabled_features(&pilot()).await, ["sharing", "archive", "limits"]);
    assert_eq!(flags.enabled_features(&anyone()).await, ["archive", "limits"]);
}
