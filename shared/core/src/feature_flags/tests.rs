use serde_json::json;

use super::*;

const NOW: &str = "2026-11-22T22:00:30Z";

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn context(properties: &Value) -> EvaluationContext {
    EvaluationContext::from(properties.as_object().unwrap().clone())
}

/// A schema with one feature `f`, whose only rule `r` has these conditions.
fn with_conditions(conditions: &Value) -> String {
    json!({"f": {"default": false, "rules": {"r": {"when_match": true, "conditions": conditions}}}}).to_string()
}

/// Whether the condition matches the property `k` of the context.
fn matches(action: &str, property: &Value, value: &Value) -> bool {
    let features = Features::from_json(&with_conditions(&json!([{"action": action, "key": "k", "value": value}]))).unwrap();
    features.is_enabled("f", &context(&json!({"k": property})), at(NOW)).unwrap()
}

fn is_scheduled(action: &str, key: &str, value: &Value, now: &str) -> bool {
    let features = Features::from_json(&with_conditions(&json!([{"action": action, "key": key, "value": value}]))).unwrap();
    features.is_enabled("f", &EvaluationContext::new(), at(now)).unwrap()
}

fn is_in_datetime_range(value: &Value, now: &str) -> bool {
    is_scheduled("SCHEDULE_BETWEEN_DATETIME_RANGE", "CURRENT_DATETIME", value, now)
}

fn error(json: &str) -> String {
    let error = Features::from_json(json).unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn the_first_rule_in_the_text_whose_conditions_all_match_determines_the_value() {
    let features = Features::from_json(
        r#"{"limit": {"boolean_type": false, "default": "default", "rules": {
            "z": {"when_match": "first", "conditions": [
                {"action": "EQUALS", "key": "tier", "value": "premium"},
                {"action": "EQUALS", "key": "region", "value": "eu"}
            ]},
            "a": {"when_match": "second", "conditions": [{"action": "EQUALS", "key": "tier", "value": "premium"}]}
        }}}"#,
    )
    .unwrap();
    let value = |properties| features.value("limit", &context(&properties), at(NOW)).unwrap().clone();
    assert_eq!(value(json!({"tier": "premium", "region": "eu"})), "first");
    assert_eq!(value(json!({"tier": "premium"})), "second");
    assert_eq!(value(json!({"region": "eu"})), "default");
}

#[test]
fn a_property_that_is_missing_matches_no_condition() {
    for action in ["EQUALS", "NOT_EQUALS", "NOT_IN", "VALUE_NOT_IN_KEY", "NONE_IN_VALUE"] {
        let schema = with_conditions(&json!([{"action": action, "key": "k", "value": ["a"]}]));
        let features = Features::from_json(&schema).unwrap();
        assert_eq!(features.is_enabled("f", &EvaluationContext::new(), at(NOW)), Some(false), "{action}");
    }
}

#[test]
fn compares_numbers_by_value_and_booleans_as_numbers() {
    for (a, b) in [(json!(1), json!(1.0)), (json!(true), json!(1)), (json!([false, {"a": 2}]), json!([0, {"a": 2.0}]))] {
        assert!(matches("EQUALS", &a, &b) && !matches("NOT_EQUALS", &a, &b), "{a} {b}");
    }
    assert!(!matches("EQUALS", &json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992.0)));
    assert!(matches("KEY_GREATER_THAN_VALUE", &json!(u64::MAX), &json!(i64::MIN)));
    assert!(matches("KEY_LESS_THAN_VALUE", &json!(u64::MAX), &json!(1e300)));
    assert!(matches("KEY_LESS_THAN_OR_EQUAL_VALUE", &json!([1, 2]), &json!([1, 2, 0])));
}

#[test]
fn a_comparison_that_is_not_defined_for_the_types_does_not_match() {
    for action in ["KEY_GREATER_THAN_VALUE", "KEY_LESS_THAN_OR_EQUAL_VALUE", "STARTSWITH", "IN", "NOT_IN", "MODULO_RANGE"] {
        let value = if action == "MODULO_RANGE" { json!({"BASE": 2, "START": 0, "END": 1}) } else { json!("text") };
        for property in [json!(null), json!([]), json!({})] {
            assert!(!matches(action, &property, &value), "{action} {property}");
        }
    }
}

#[test]
fn a_modulo_range_includes_its_bounds() {
    let range = json!({"BASE": 10, "START": 2, "END": 4});
    for (number, expected) in [
        (json!(11), false),
        (json!(12), true),
        (json!(14), true),
        (json!(15), false),
        (json!(-7), true),
        (json!(14.5), false),
    ] {
        assert_eq!(matches("MODULO_RANGE", &number, &range), expected, "{number}");
    }
}

#[test]
fn a_time_range_includes_its_last_minute_and_may_include_midnight() {
    let is_in = |start: &str, end: &str, now: &str| {
        is_scheduled("SCHEDULE_BETWEEN_TIME_RANGE", "CURRENT_TIME", &json!({"START": start, "END": end}), now)
    };
    assert!(is_in("22:00", "22:00", "2026-11-22T22:00:59.999Z"));
    assert!(!is_in("22:00", "22:00", "2026-11-22T22:01:00Z"));
    for (time, expected) in [("23:29", false), ("23:30", true), ("00:10", true), ("06:00", true), ("06:01", false)] {
        assert_eq!(is_in("23:30", "06:00", &format!("2026-11-22T{time}:00Z")), expected, "{time}");
    }
}

#[test]
fn schedules_follow_the_daylight_saving_time_of_their_time_zone() {
    let morning = json!({"START": "09:00", "END": "09:59", "TIMEZONE": "Europe/Berlin"});
    for (now, expected) in [("2026-07-01T07:30:00Z", true), ("2026-12-01T07:30:00Z", false), ("2026-12-01T08:30:00Z", true)]
    {
        assert_eq!(is_scheduled("SCHEDULE_BETWEEN_TIME_RANGE", "CURRENT_TIME", &morning, now), expected, "{now}");
    }
    let monday = json!({"DAYS": ["MONDAY"], "TIMEZONE": "America/New_York"});
    for (now, expected) in [("2026-11-23T04:59:59Z", false), ("2026-11-23T05:00:00Z", true)] {
        let is_monday = is_scheduled("SCHEDULE_BETWEEN_DAYS_OF_WEEK", "CURRENT_DAY_OF_WEEK", &monday, now);
        assert_eq!(is_monday, expected, "{now}");
    }
    let range = json!({"START": "2026-11-23T09:00:00", "END": "2026-11-24", "TIMEZONE": "Asia/Tokyo"});
    for (now, expected) in
        [("2026-11-22T23:59:59Z", false), ("2026-11-23T00:00:00Z", true), ("2026-11-23T15:00:00.001Z", false)]
    {
        assert_eq!(is_in_datetime_range(&range, now), expected, "{now}");
    }
}

#[test]
fn reads_dates_and_times_as_python_does() {
    let is_before_now = |start| is_in_datetime_range(&json!({"START": start, "END": "9999-12-31T23:59:59.999999"}), NOW);
    for start in [
        "2026-11-22",
        "20261122",
        "2026-11-22T22",
        "2026-11-22T22:00",
        "2026-11-22 22:00:30",
        "2026-11-22ß22:00:30.000000",
        "20261122T220030",
        "2026-11-22T22:00:30,000",
        "0001-01-01",
    ] {
        assert!(is_before_now(start), "{start}");
    }
    assert!(!is_before_now("2026-11-22T22:00:30.001"));
    for start in [
        "",
        "2026",
        "2026-11-22T",
        "2026-11-22T22:00:30Z",
        "2026-11-22T22:00:30+01:00",
        "2026-11-22T22:00:30-01:00",
        "2026-11-22T22:00:60",
        "2026-11-22T22:00:60.5",
        "2026-11-22T22:00[Europe/Berlin]",
        "2026-11-22T24:00",
        "2026-02-29",
        "+002026-11-22",
        "-002026-11-22",
        "2026-W47-7",
        "22.11.2026",
        " 2026-11-22",
        "2026-11-22 ",
        "١٢٣٤-11-22",
    ] {
        let value = json!({"START": start, "END": "2027-01-01"});
        let condition = json!({"action": "SCHEDULE_BETWEEN_DATETIME_RANGE", "key": "CURRENT_DATETIME", "value": value});
        let error = error(&with_conditions(&json!([condition])));
        assert!(error.contains("in the format YYYY-MM-DDTHH:MM:SS, without an offset"), "{start}: {error}");
    }
}

#[test]
fn a_value_that_is_null_zero_or_empty_counts_as_disabled() {
    for (value, expected) in [
        (json!(0), false),
        (json!(0.0), false),
        (json!(""), false),
        (json!([]), false),
        (json!({}), false),
        (json!(0.1), true),
        (json!("false"), true),
        (json!([0]), true),
    ] {
        let features = Features::from_json(&json!({"f": {"default": value, "boolean_type": false}}).to_string()).unwrap();
        assert_eq!(features.is_enabled("f", &EvaluationContext::new(), at(NOW)), Some(expected), "{value}");
        assert_eq!(features.enabled(&EvaluationContext::new(), at(NOW)).len(), usize::from(expected), "{value}");
    }
}

#[test]
fn lists_enabled_features_in_the_order_of_the_text() {
    let features =
        Features::from_json(r#"{"z": {"default": true}, "m": {"default": false}, "a": {"default": true}}"#).unwrap();
    assert_eq!(features.enabled(&EvaluationContext::new(), at(NOW)), ["z", "a"]);
}

#[test]
fn errors_name_the_feature_the_rule_and_the_condition() {
    let condition = |condition: Value| {
        let valid = json!({"action": "EQUALS", "key": "k", "value": 1});
        error(&with_conditions(&json!([valid, condition])))
    };
    let prefix = r#"feature "f", rule "r", condition 2: "#;
    for (invalid, message) in [
        (json!(1), "must be an object with `action`, `key` and `value`"),
        (json!({"action": "EQUAL", "key": "k", "value": 1}), "`action` must be one of EQUALS, "),
        (json!({"key": "k", "value": 1}), "`action` must be one of EQUALS, "),
        (json!({"action": "EQUALS", "key": "", "value": 1}), "`key` must be text that is not empty"),
        (json!({"action": "EQUALS", "key": "k", "value": null}), "`value` is missing"),
        (json!({"action": "ANY_IN_VALUE", "key": "k", "value": "a"}), "the `value` of this action must be a list"),
        (
            json!({"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "time", "value": {}}),
            "the `key` of this action must be CURRENT_TIME",
        ),
        (
            json!({"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME", "value": {"START": "9:00", "END": "24:00"}}),
            "`value` must have `START` and `END` in the format HH:MM",
        ),
        (
            json!({"action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK", "key": "CURRENT_DAY_OF_WEEK", "value": {"DAYS": ["Monday"]}}),
            "`value` must have `DAYS`, a list of days",
        ),
        (
            json!({"action": "MODULO_RANGE", "key": "k", "value": {"BASE": 10, "START": 0, "END": 10}}),
            "`value` must satisfy 0 <= START <= END < BASE",
        ),
        (
            json!({"action": "MODULO_RANGE", "key": "k", "value": {"BASE": 10.0, "START": 0, "END": 1}}),
            "`value` must have the integers `BASE`, `START` and `END`",
        ),
    ] {
        let error = condition(invalid.clone());
        assert!(error.starts_with(&format!("{prefix}{message}")), "{invalid}: {error}");
    }
    for zone in ["europe/berlin", "Europe/Atlantis", "UTC+3", "CET-1CEST"] {
        let value = json!({"DAYS": [], "TIMEZONE": zone});
        let error =
            condition(json!({"action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK", "key": "CURRENT_DAY_OF_WEEK", "value": value}));
        let expected = format!("`TIMEZONE` must be the name of an IANA time zone, such as Europe/Berlin, not \"{zone}\"");
        assert_eq!(error, format!("{prefix}{expected}"));
    }
    for (schema, message) in [
        ("", "the feature flags are not valid JSON: EOF while parsing a value at line 1 column 0"),
        (r#"{"f": {}, "f": {}}"#, "the feature flags are not valid JSON: duplicate key \"f\" at line 1 column 13"),
        ("[]", "the feature flags must be a JSON object whose keys are the names of the features"),
        (r#"{"f": true}"#, r#"feature "f": must be an object with a `default`"#),
        (r#"{"f": {"rules": {}}}"#, r#"feature "f": `default` is missing"#),
        (
            r#"{"f": {"default": 1}}"#,
            r#"feature "f": `default` must be true or false; features with other values need "boolean_type": false"#,
        ),
        (
            r#"{"f": {"default": true, "rules": [1]}}"#,
            r#"feature "f": `rules` must be an object whose keys are the names of the rules"#,
        ),
        (r#"{"f": {"default": true, "rules": {"": {}}}}"#, r#"feature "f": the name of a rule must not be empty"#),
        (
            r#"{"f": {"default": true, "rules": {"r": []}}}"#,
            r#"feature "f", rule "r": must be an object with `when_match` and `conditions`"#,
        ),
        (
            r#"{"f": {"default": true, "rules": {"r": {"when_match": 1}}}}"#,
            r#"feature "f", rule "r": `when_match` must be true or false; features with other values need "boolean_type": false"#,
        ),
        (
            r#"{"f": {"default": true, "rules": {"r": {"when_match": true, "conditions": []}}}}"#,
            r#"feature "f", rule "r": `conditions` must be a list with at least one condition"#,
        ),
    ] {
        assert_eq!(error(schema), message, "{schema}");
    }
}

#[test]
fn accepts_every_action_that_the_error_message_lists() {
    for action in condition::ACTIONS.split(", ") {
        let (key, value) = match action {
            "SCHEDULE_BETWEEN_TIME_RANGE" => ("CURRENT_TIME", json!({"START": "00:00", "END": "23:59"})),
            "SCHEDULE_BETWEEN_DATETIME_RANGE" => ("CURRENT_DATETIME", json!({"START": "2026-01-01", "END": "2026-01-02"})),
            "SCHEDULE_BETWEEN_DAYS_OF_WEEK" => ("CURRENT_DAY_OF_WEEK", json!({"DAYS": []})),
            "MODULO_RANGE" => ("k", json!({"BASE": 1, "START": 0, "END": 0})),
            _ => ("k", json!([])),
        };
        let schema = with_conditions(&json!([{"action": action, "key": key, "value": value}]));
        assert!(Features::from_json(&schema).is_ok(), "{action}");
    }
}
