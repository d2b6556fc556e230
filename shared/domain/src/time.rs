//! Moments in time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, UTC, to the millisecond; its text form is RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z; a moment past the year 9999 becomes that year's end.
    pub fn from_unix_millis(millis: i64) -> Self {
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The moment `time` later; at the latest the end of the year 9999.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self::from_unix_millis(self.unix_millis().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_rfc_3339_in_utc_to_the_millisecond() {
        let time = Timestamp::from_unix_millis(1_795_384_800_120);
        assert_eq!(time.to_string(), "2026-11-22T22:00:00.120Z");
        assert_eq!("2026-11-22T23:00:00.1209+01:00".parse::<Timestamp>().unwrap(), time);
    }
}
