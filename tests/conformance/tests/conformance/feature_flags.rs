//! Tests that feature flags have the same values as with Powertools, for generated schemas, contexts and times.

use std::io::Write;
use std::process::Stdio;

use ferrite_core::feature_flags::{EvaluationContext, Features};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::function::python;

const NOW: &str = "2026-11-22T22:00:30+00:00";

/// The default of the caller for features that are not in the schema.
const DEFAULT: &str = "default of the caller";

/// Values of conditions and of contexts.
const VALUES: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-3",
    "1.0",
    "2.5",
    "9007199254740993",
    "9007199254740992.0",
    "18446744073709551615",
    r#""""#,
    r#""a""#,
    r#""ab""#,
    r#""é\u0000""#,
    "[]",
    r#"["a"]"#,
    r#"["a", 1, null]"#,
    r#"[true, [2.5], {"a": 1}]"#,
    "{}",
    r#"{"a": 1}"#,
    r#"{"b": [0], "a": true}"#,
];

const COMPARISONS: [&str; 17] = [
    "EQUALS",
    "NOT_EQUALS",
    "KEY_GREATER_THAN_VALUE",
    "KEY_GREATER_THAN_OR_EQUAL_VALUE",
    "KEY_LESS_THAN_VALUE",
    "KEY_LESS_THAN_OR_EQUAL_VALUE",
    "STARTSWITH",
    "ENDSWITH",
    "IN",
    "NOT_IN",
    "KEY_IN_VALUE",
    "KEY_NOT_IN_VALUE",
    "VALUE_IN_KEY",
    "VALUE_NOT_IN_KEY",
    "ALL_IN_VALUE",
    "ANY_IN_VALUE",
    "NONE_IN_VALUE",
];

/// Time zones whose rules have not changed since the release of the database that dateutil contains.
const ZONES: [&str; 10] = [
    "",
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    ":Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Etc/GMT+5",
    "EST5EDT",
];

/// Among them are times before, during and after the changes to and from daylight saving time.
const TIMES: [&str; 14] = [
    "2026-01-01T00:00:00+00:00",
    "2026-03-08T06:59:59.999+00:00",
    "2026-03-08T07:00:00+00:00",
    "2026-03-29T00:59:59+00:00",
    "2026-03-29T01:00:30+00:00",
    "2026-04-04T15:15:00+00:00",
    "2026-06-30T23:30:00+00:00",
    "2026-10-25T00:30:30+00:00",
    "2026-10-25T01:30:30+00:00",
    "2026-11-01T05:30:00+00:00",
    "2026-11-01T06:30:00+00:00",
    "2026-11-22T17:00:59.999+00:00",
    "2026-11-22T23:59:59.999+00:00",
    "2028-02-29T10:00:00+00:00",
];

#[derive(Debug, Serialize)]
struct Case {
    schema: String,
    context: Value,
    now: String,
    /// The features to evaluate.
    names: Vec<String>,
    default: &'static str,
}

/// The result of a case whose schema is accepted.
#[derive(Debug, PartialEq, Deserialize)]
struct Evaluation {
    values: Vec<Value>,
    /// `None` if Powertools raises an exception.
    enabled: Option<Vec<String>>,
}

impl Case {
    /// A case with one feature, whose only rule has this condition.
    fn with_condition(condition: &Value, context: Value, now: &str) -> Self {
        let rule = json!({"when_match": true, "conditions": [condition]});
        let schema = json!({"f": {"default": false, "rules": {"r": rule}}}).to_string();
        Self { schema, context, now: now.to_owned(), names: vec!["f".to_owned()], default: DEFAULT }
    }

    fn evaluate_in_rust(&self) -> Option<Evaluation> {
        let features = Features::from_json(&self.schema).ok()?;
        let context = EvaluationContext::from(self.context.as_object().unwrap().clone());
        let now = self.now.parse().unwrap();
        let value = |name: &String| features.value(name, &context, now).cloned().unwrap_or_else(|| DEFAULT.into());
        let enabled = features.enabled(&context, now).into_iter().map(str::to_owned).collect();
        Some(Evaluation { values: self.names.iter().map(value).collect(), enabled: Some(enabled) })
    }
}

fn evaluate_in_python(cases: &[Case]) -> Vec<Option<Evaluation>> {
    let mut command = python("ferrite_conformance.feature_flags");
    // Lambda sets this variable.
    command.env("TZ", ":UTC").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(&serde_json::to_vec(cases).unwrap()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "the program has failed; its error is above");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Compares all cases, and returns how many schemas both accept.
fn assert_same_results(cases: &[Case]) -> usize {
    let in_python = evaluate_in_python(cases);
    assert_eq!(in_python.len(), cases.len());
    let mut accepted = 0;
    for (case, in_python) in cases.iter().zip(in_python) {
        let mut in_rust = case.evaluate_in_rust();
        accepted += usize::from(in_rust.is_some());
        if let (Some(in_rust), Some(Evaluation { enabled: None, .. })) = (&mut in_rust, &in_python) {
            assert!(has_empty_rules_of_another_type(&case.schema), "Powertools raises an exception: {case:?}");
            in_rust.enabled = None;
        }
        assert_eq!(in_rust, in_python, "{case:?}");
    }
    accepted
}

/// Whether a feature has empty rules that are not an object, for which Powertools raises an exception.
fn has_empty_rules_of_another_type(schema: &str) -> bool {
    let schema: Value = serde_json::from_str(schema).unwrap();
    schema.as_object().unwrap().values().any(|feature| feature.get("rules").is_some_and(|rules| !rules.is_object()))
}

#[test]
fn comparisons_have_the_same_results() {
    let values: Vec<Value> = VALUES.iter().map(|value| serde_json::from_str(value).unwrap()).collect();
    let contexts = || values.iter().map(|value| json!({"k": value})).chain([json!({})]);
    let mut cases = Vec::new();
    for action in COMPARISONS {
        for value in &values {
            let condition = json!({"action": action, "key": "k", "value": value});
            cases.extend(contexts().map(|context| Case::with_condition(&condition, context, NOW)));
        }
    }
    for (base, start, end) in [(1, 0, 0_i64), (2, 1, 1), (100, 0, 49), (3, 1, 2), (i64::MAX, 0, 9_007_199_254_740_992)] {
        let condition = json!({"action": "MODULO_RANGE", "key": "k", "value": {"BASE": base, "START": start, "END": end}});
        cases.extend(contexts().map(|context| Case::with_condition(&condition, context, NOW)));
    }
    assert!(assert_same_results(&cases) > 7_000);
}

#[test]
fn schedules_have_the_same_results() {
    let mut values = Vec::new();
    for (start, end) in [("00:00", "23:59"), ("09:00", "17:00"), ("22:00", "06:00"), ("23:30", "23:00"), ("01:30", "01:30")]
    {
        values.push(("SCHEDULE_BETWEEN_TIME_RANGE", "CURRENT_TIME", json!({"START": start, "END": end})));
    }
    for (start, end) in [
        ("2026-01-01", "2026-12-31T23:59:59"),
        ("2026-03-29T01:59:59", "2026-10-25T01:30:30"),
        ("2026-10-25T02:30:30", "2026-11-22T17:00:59.998"),
        ("2026-11-22T17:00:59.999", "2026-11-22T17:00:59.999"),
        ("2027-01-01T00:00:00", "2026-01-01T00:00:00"),
    ] {
        values.push(("SCHEDULE_BETWEEN_DATETIME_RANGE", "CURRENT_DATETIME", json!({"START": start, "END": end})));
    }
    for days in
        [json!([]), json!(["SUNDAY"]), json!(["MONDAY", "THURSDAY", "DAYS"]), json!(["TUESDAY", "SATURDAY", "TUESDAY"])]
    {
        values.push(("SCHEDULE_BETWEEN_DAYS_OF_WEEK", "CURRENT_DAY_OF_WEEK", json!({"DAYS": days})));
    }
    let mut cases = Vec::new();
    for (action, key, value) in values {
        for zone in ZONES {
            let mut value = value.clone();
            if !zone.is_empty() {
                value["TIMEZONE"] = zone.into();
            }
            let condition = json!({"action": action, "key": key, "value": value});
            cases.extend(TIMES.map(|now| Case::with_condition(&condition, json!({}), now)));
        }
    }
    assert_eq!(assert_same_results(&cases), cases.len());
}

#[test]
fn the_bounds_and_time_zones_of_schedules_are_parsed_in_the_same_way() {
    let mut cases = Vec::new();
    // Versions of Python since 3.11 accept more dates than 3.10. Only those on which all versions agree are compared.
    for bound in [
        "2026-11-22",
        "2026-11-22T22",
        "2026-11-22T22:00",
        "2026-11-22 22:00:30",
        "2026-11-22x22:00:30",
        "2026-11-22T22:00:30.000",
        "2026-11-22T22:00:30.001",
        "2026-11-22T22:00:30.000000",
        "2026-11-22T22:00:30Z",
        "2026-11-22T22:00:30+01:00",
        "2026-11-22T22:00:30-01:00",
        "2026-11-22T22:00:60",
        "2026-11-22T",
        "2026-02-29",
        "0001-01-01",
        "9999-12-31",
        "2026-13-01",
        "2026-1-2",
        "+002026-11-22",
        "22.11.2026",
        "now",
        "",
        " 2026-11-22",
    ] {
        for (start, end) in [(bound, "9999-12-31"), ("0001-01-01", bound)] {
            let value = json!({"START": start, "END": end});
            let condition = json!({"action": "SCHEDULE_BETWEEN_DATETIME_RANGE", "key": "CURRENT_DATETIME", "value": value});
            cases.push(Case::with_condition(&condition, json!({}), NOW));
        }
    }
    for bound in ["22:00", "9:00", "09:0", "24:00", "23:60", "00:00:00", " 09:00", "09:00 ", "-9:00", "0900", "", "noon"] {
        for (start, end) in [(bound, "23:59"), ("00:00", bound)] {
            let value = json!({"START": start, "END": end});
            let condition = json!({"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME", "value": value});
            cases.push(Case::with_condition(&condition, json!({}), NOW));
        }
    }
    for zone in [
        json!(null),
        json!(""),
        json!(0),
        json!(false),
        json!([]),
        json!({}),
        json!(1),
        json!(true),
        json!(["UTC"]),
        json!("GMT"),
        json!("Europe/Atlantis"),
        json!("europe/berlin"),
        json!("Europe"),
        json!("/Europe/Berlin"),
        json!("Europe/Berlin "),
        json!("::UTC"),
    ] {
        let value = json!({"DAYS": ["SUNDAY"], "TIMEZONE": zone});
        let condition = json!({"action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK", "key": "CURRENT_DAY_OF_WEEK", "value": value});
        cases.push(Case::with_condition(&condition, json!({}), NOW));
    }
    let accepted = assert_same_results(&cases);
    assert!((20..cases.len() - 20).contains(&accepted), "{accepted}");
}

/// A schema that uses every part of the format.
fn complete_schema() -> Value {
    json!({
        "sharing": {
            "default": false,
            "rules": {
                "pilot": {"when_match": true, "conditions": [{"action": "EQUALS", "key": "user", "value": "pilot"}]},
                "blocked pilot": {"when_match": false, "conditions": [{"action": "EQUALS", "key": "user", "value": "pilot"}]}
            }
        },
        "archive": {"default": true},
        "night mode": {
            "default": false,
            "boolean_type": true,
            "rules": {
                "at night": {
                    "when_match": true,
                    "conditions": [
                        {
                            "action": "SCHEDULE_BETWEEN_TIME_RANGE",
                            "key": "CURRENT_TIME",
                            "value": {"START": "22:00", "END": "06:00", "TIMEZONE": "Europe/Lisbon"}
                        },
                        {"action": "NOT_IN", "key": "tier", "value": ["free", 1]}
                    ]
                }
            }
        },
        "sale": {
            "default": false,
            "rules": {
                "in November, but not on Mondays": {
                    "when_match": true,
                    "conditions": [
                        {
                            "action": "SCHEDULE_BETWEEN_DATETIME_RANGE",
                            "key": "CURRENT_DATETIME",
                            "value": {"START": "2026-11-01T00:00:00", "END": "2026-12-01T00:00:00", "TIMEZONE": "Asia/Tokyo"}
                        },
                        {
                            "action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK",
                            "key": "CURRENT_DAY_OF_WEEK",
                            "value": {"DAYS": ["SATURDAY", "SUNDAY"], "TIMEZONE": "UTC"}
                        }
                    ]
                }
            }
        },
        "limits": {
            "boolean_type": false,
            "default": {"notes": 10},
            "rules": {
                "half of the users": {
                    "when_match": {"notes": 100},
                    "conditions": [
                        {"action": "MODULO_RANGE", "key": "number", "value": {"BASE": 100, "START": 0, "END": 49}},
                        {"action": "ANY_IN_VALUE", "key": "groups", "value": ["a", "b"]}
                    ]
                },
                "everyone else": {
                    "when_match": "few",
                    "conditions": [{"action": "KEY_GREATER_THAN_VALUE", "key": "number", "value": 40}]
                }
            }
        }
    })
}

/// The paths of all values at any depth: keys and indexes, from the outermost to the innermost.
fn paths(value: &Value) -> Vec<Vec<String>> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(entries) => entries.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, child) in children {
        found.push(vec![name.clone()]);
        found.extend(paths(child).into_iter().map(|path| [vec![name.clone()], path].concat()));
    }
    found
}

/// The schema with one value removed or replaced, for each value at any depth.
fn edited(schema: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for path in paths(schema) {
        let (name, parent) = path.split_last().unwrap();
        let pointer: String = parent.iter().map(|name| format!("/{name}")).collect();
        let mut edit = |change: &dyn Fn(&mut Value)| {
            let mut copy = schema.clone();
            change(copy.pointer_mut(&pointer).unwrap());
            found.push(copy);
        };
        edit(&|parent| match parent {
            Value::Array(items) => drop(items.remove(name.parse().unwrap())),
            Value::Object(entries) => drop(entries.shift_remove(name)),
            _ => unreachable!(),
        });
        for value in VALUES {
            edit(&|parent| *parent.pointer_mut(&format!("/{name}")).unwrap() = serde_json::from_str(value).unwrap());
        }
    }
    found
}

#[test]
fn the_same_schemas_are_accepted_and_have_the_same_values() {
    let names = ["sharing", "archive", "night mode", "sale", "limits", "no such feature"].map(str::to_owned);
    let mut schemas: Vec<String> = edited(&complete_schema()).iter().map(Value::to_string).collect();
    schemas.extend(["", "{", "null", "[]", "{}", "\"text\"", "{\"f\": {\"default\": true}} x"].map(str::to_owned));
    // The first matching rule counts, and not the first in alphabetical order.
    schemas.push(
        complete_schema()
            .to_string()
            .replace("blocked pilot", "p")
            .replace("\"pilot\":{", "\"z\":{")
            .replace("tier", "user"),
    );
    let mut cases = Vec::new();
    for context in [
        json!({}),
        json!({"user": "pilot", "tier": "premium", "number": 1049, "groups": ["c", "b"]}),
        json!({"user": 1, "tier": "free", "number": 199, "groups": []}),
    ] {
        for schema in &schemas {
            let (schema, context, names) = (schema.clone(), context.clone(), names.to_vec());
            cases.push(Case { schema, context, now: NOW.to_owned(), names, default: DEFAULT });
        }
    }
    let accepted = assert_same_results(&cases);
    assert!((1_000..cases.len() - 1_000).contains(&accepted), "{accepted} of {}", cases.len());
}
