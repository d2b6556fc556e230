//! Schedule expressions of EventBridge rules ("Schedule expression reference").

use std::fmt;
use std::str::FromStr;

/// The units of a rate, in the singular.
const UNITS: [&str; 3] = ["minute", "hour", "day"];

/// A text is not a schedule expression.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{schedule:?} is not a schedule: {reason}")]
pub(crate) struct InvalidSchedule {
    schedule: String,
    reason: String,
}

/// A schedule expression, such as `rate(1 day)` or `cron(30 0 * * ? *)`, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule(String);

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let arguments = |function: &str| text.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')');
        let checked = match (arguments("rate"), arguments("cron")) {
            (Some(rate), _) => check_rate(rate),
            (_, Some(cron)) => check_cron(cron),
            _ => Err("use rate(VALUE UNIT), as in 'rate(1 day)', or cron(FIELDS), as in 'cron(30 0 * * ? *)'".to_owned()),
        };
        let invalid = |reason| InvalidSchedule { schedule: text.to_owned(), reason };
        checked.map(|()| Self(text.to_owned())).map_err(invalid)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_rate(rate: &str) -> Result<(), String> {
    let (value, unit) = rate.split_once(' ').unwrap_or((rate, ""));
    let Ok(value @ 1..) = value.parse::<u32>() else {
        return Err("the value of a rate must be a whole number of at least 1, as in 'rate(1 day)'".to_owned());
    };
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    if !UNITS.contains(&singular) {
        return Err("the unit of a rate must be minute, minutes, hour, hours, day or days".to_owned());
    }
    let plural = if value == 1 { "" } else { "s" };
    if unit == format!("{singular}{plural}") {
        Ok(())
    } else {
        Err(format!("EventBridge requires rate({value} {singular}{plural})"))
    }
}

/// Checks the fields, but not the values in them.
fn check_cron(fields: &str) -> Result<(), String> {
    let fields: Vec<&str> = fields.split(' ').collect();
    let [minutes, hours, day_of_month, month, day_of_week, year] = fields[..] else {
        return Err("cron needs six fields: minutes, hours, day of month, month, day of week, and year".to_owned());
    };
    if (day_of_month == "?") == (day_of_week == "?") {
        return Err("either the day of month or the day of week must be ?, and the other must not".to_owned());
    }
    let is_field = |field: &str, also: &[u8]| {
        !field.is_empty()
            && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b",-*/".contains(&byte) || also.contains(&byte))
    };
    let days = [(day_of_month, &b"?LW"[..]), (day_of_week, &b"?L#"[..])];
    let others = [minutes, hours, month, year].map(|field| (field, &b""[..]));
    match others.into_iter().chain(days).find(|(field, also)| !is_field(field, also)) {
        Some((field, _)) => Err(format!("{field:?} is not a field of a cron expression")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_rates_and_cron_expressions() {
        for text in
            ["rate(1 day)", "rate(5 minutes)", "rate(12 hours)", "cron(30 0 * * ? *)", "cron(0/15 8-17 ? * MON-FRI *)"]
        {
            assert_eq!(text.parse::<Schedule>().map(|schedule| schedule.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn rejects_other_text() {
        for (text, reason) in [
            ("daily", "use rate"),
            ("rate(day)", "whole number"),
            ("rate(0 days)", "whole number"),
            ("rate(1 week)", "the unit of a rate"),
            ("rate(1 days)", "requires rate(1 day)"),
            ("rate(2 day)", "requires rate(2 days)"),
            ("cron(0 0 * *)", "six fields"),
            ("cron(0 0 * * * *)", "must be ?"),
            ("cron(0 0 ? * ? *)", "must be ?"),
            ("cron(0 0 * * ? *; drop)", "six fields"),
            ("cron(0 {0} * * ? *)", "is not a field"),
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
