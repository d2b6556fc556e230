//! Timestamps and calendar days in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::ValueError;

/// A point in time in UTC with millisecond precision. The text form is RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Creates a timestamp from milliseconds since 1970-01-01T00:00:00Z. Later times are limited to the end of the year
    /// 9999.
    pub fn from_unix_millis(millis: i64) -> Self {
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Returns the timestamp `duration` later, limited to the end of the year 9999.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_unix_millis(self.unix_millis().saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the timestamp `duration` earlier, limited to the start of the year -9999.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_unix_millis(self.unix_millis().saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Returns the calendar day in UTC.
    pub fn day(self) -> Day {
        Day(Offset::UTC.to_datetime(self.0).date())
    }

    /// Returns the local date and time in a time zone.
    #[cfg(feature = "feature-flags")]
    pub(crate) fn to_local(self, zone: &jiff::tz::TimeZone) -> jiff::civil::DateTime {
        zone.to_datetime(self.0)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(|time| Self::from_unix_millis(time.as_millisecond()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

/// A calendar day in UTC. The text form is `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(jiff::civil::Date);

impl Day {
    /// Returns the previous day.
    #[must_use]
    pub fn previous(self) -> Self {
        // The first day that jiff supports, in the year -9999, has no previous day.
        Self(self.0.yesterday().unwrap_or(self.0))
    }
}

impl FromStr for Day {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let day = text.parse().map(Self).map_err(|_| ValueError::NotADay)?;
        // jiff also accepts other formats. Accept only the canonical form, because days are used in table keys.
        if day.to_string() == text { Ok(day) } else { Err(ValueError::NotADay) }
    }
}

impl TryFrom<String> for Day {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_rfc_3339_in_utc_with_milliseconds() {
        let time = Timestamp::from_unix_millis(1_795_384_800_120);
        assert_eq!(time.to_string(), "2026-11-22T22:00:00.120Z");
        assert_eq!("2026-11-22T23:00:00.1209+01:00".parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn uses_midnight_utc_as_the_day_boundary() {
        let day = |text: &str| text.parse::<Timestamp>().unwrap().day().to_string();
        assert_eq!(day("2026-11-21T23:59:59.999Z"), "2026-11-21");
        assert_eq!(day("2026-11-22T00:00:00Z"), "2026-11-22");
        assert_eq!(day("2026-11-22T23:30:00-01:00"), "2026-11-23");
    }

    #[test]
    fn returns_the_previous_day_across_months_and_years() {
        let previous = |text: &str| text.parse::<Day>().unwrap().previous().to_string();
        assert_eq!(previous("2026-01-01"), "2025-12-31");
        assert_eq!(previous("2028-03-01"), "2028-02-29");
        assert_eq!(previous("2026-03-01"), "2026-02-28");
    }

    #[test]
    fn accepts_only_the_canonical_form_of_a_day() {
        for text in
            ["", "yesterday", "2026-02-29", "2026-11-31", "20261122", "2026-11-22T00:00:00", "2026-1-2", " 2026-11-22"]
        {
            assert_eq!(text.parse::<Day>(), Err(ValueError::NotADay), "{text}");
        }
    }
}
