//! Instants and lengths of time as data: nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant, in whole milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in UTC, whatever the time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Reads `Jun 1 2026 3:00:36 AM`, in UTC: a date as Java prints it, without its commas.
    pub fn from_java(text: &str) -> Option<Self> {
        let at = DateTime::strptime("%b %d %Y %I:%M:%S %p", text).ok()?;
        Some(Self(TimeZone::UTC.to_timestamp(at).ok()?.as_millisecond()))
    }

    /// The whole second that it is in: `CloudTrail` tells no more of its events.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(1_000)))
    }

    /// The instant `span` later; saturates at the ends of time.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The instant `span` earlier; saturates at the ends of time.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// A day in UTC, in days since 1970-01-01; written as `2026-01-02`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i64);

const DAY: i64 = 86_400_000;

impl Date {
    /// The day of an instant.
    pub fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(DAY))
    }

    /// When it begins.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(DAY))
    }

    /// When it is over: the start of the next one.
    pub fn end(self) -> Timestamp {
        self.start().plus(Span(DAY))
    }

    /// The day before.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.split('T').next().unwrap_or(&text))
    }
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        format!("{text}T00:00:00Z").parse().map(Self::of)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339, with any offset (UTC without one) and any precision (kept to the millisecond).
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let at = text.parse::<Instant>().or_else(|_| {
            // Exports and spreadsheets drop the zone, which in AWS's logs is always UTC.
            text.parse::<DateTime>().and_then(|at| TimeZone::UTC.to_timestamp(at))
        });
        at.map(|at| Self(at.as_millisecond())).map_err(|_| TimeError::Instant)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Instant::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A length of time in milliseconds; written as a whole number and the largest unit that fits: `250ms`, `30s`, `10m`, `24h`, `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Milliseconds.
    pub fn millis(self) -> i64 {
        self.0
    }
}

const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let parsed = UNITS.iter().find_map(|(unit, millis)| {
            let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
            (count >= 0).then(|| count.checked_mul(*millis)).flatten()
        });
        // Half a year is longer than any ledger item lives.
        parsed.filter(|millis| *millis <= 180 * 86_400_000).map(Self).ok_or(TimeError::Span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let (unit, millis) = UNITS.iter().find(|(_, millis)| self.0 % millis == 0).unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", self.0 / millis)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why a text is not a time. Holds nothing of the text, which may come from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not an instant.
    #[error("expected an instant such as \"2026-01-02T03:04:05Z\"")]
    Instant,
    /// Not a length of time.
    #[error("expected a length of time such as \"30s\", \"10m\", \"24h\" or \"7d\", at most 180 days")]
    Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc_whatever_the_offset() {
        let at: Timestamp = "2026-01-02T05:04:05.25+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-02T03:04:05.25Z");
        assert_eq!("2026-01-02 03:04:05".parse(), Ok(Timestamp::from_millis(at.millis() - 250)));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn days_are_those_of_utc() {
        let day = Date::of("2026-01-02T23:59:59.999Z".parse().unwrap());
        assert_eq!(
            (day.to_string().as_str(), day.end().to_string().as_str()),
            ("2026-01-02", "2026-01-03T00:00:00Z")
        );
        assert_eq!((Date::of(day.start()), Date::of(day.end()).before()), (day, day));
        assert_eq!("2026-01-02".parse(), Ok(day));
        assert!("2026-13-02".parse::<Date>().is_err() && "2026-01-02T00".parse::<Date>().is_err());
    }

    #[test]
    fn dates_as_java_prints_them_are_read() {
        let at = Timestamp::from_java("Jun 1 2026 3:00:36 PM").unwrap();
        assert_eq!(at.to_string(), "2026-06-01T15:00:36Z");
        assert_eq!(Timestamp::from_java("Jun 1 2026"), None);
    }

    #[test]
    fn spans_are_a_whole_number_and_a_unit() {
        let ten: Span = "10m".parse().unwrap();
        assert_eq!((ten, ten.to_string().as_str()), (Span::from_secs(600), "10m"));
        for zero_or_short in ["0s", "250ms", "90s", "2h", "7d"] {
            assert_eq!(zero_or_short.parse::<Span>().unwrap().to_string(), zero_or_short);
        }
        for bad in ["", "10", "m", "-5m", "1.5h", "10 m", "99999999999999999d", "é"] {
            assert_eq!(bad.parse::<Span>(), Err(TimeError::Span), "{bad}");
        }
    }
}
