//! Instants, days and lengths of time as data: nothing here reads a clock.

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
    pub fn from_java_date(text: &str) -> Option<Self> {
        Self::from_utc(DateTime::strptime("%b %d %Y %I:%M:%S %p", text).ok()?)
    }

    fn from_utc(at: DateTime) -> Option<Self> {
        let instant = TimeZone::UTC.to_timestamp(at).ok()?;
        Some(Self(instant.as_millisecond()))
    }

    /// The start of the second that the instant is in. `CloudTrail` gives the time of an event in whole seconds.
    #[must_use]
    pub fn truncate_to_second(self) -> Self {
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

const MILLIS_PER_DAY: i64 = 86_400_000;

/// How many characters `2026-01-02` has.
const DATE_CHARS: usize = 10;

impl Date {
    /// The day of an instant.
    pub fn from_timestamp(at: Timestamp) -> Self {
        Self(at.0.div_euclid(MILLIS_PER_DAY))
    }

    /// The first instant of the day.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(MILLIS_PER_DAY))
    }

    /// The first instant after the day.
    pub fn end(self) -> Timestamp {
        self.start().plus(Span(MILLIS_PER_DAY))
    }

    /// The day before.
    #[must_use]
    pub fn previous_day(self) -> Self {
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
        // A longer text may hold a time as well, or a year with a sign: `+002026-01-02`.
        if text.len() != DATE_CHARS {
            return Err(TimeError::Date);
        }
        let Ok(start) = format!("{text}T00:00:00Z").parse() else { return Err(TimeError::Date) };
        Ok(Self::from_timestamp(start))
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
        if let Ok(instant) = text.parse::<Instant>() {
            return Ok(Self(instant.as_millisecond()));
        }
        // Exports and spreadsheets drop the zone, which in AWS's logs is always UTC.
        let Ok(without_zone) = text.parse::<DateTime>() else { return Err(TimeError::Instant) };
        Self::from_utc(without_zone).ok_or(TimeError::Instant)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Instant::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
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
    /// One span after the other.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

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

/// The units of a written length of time, the largest first, with their milliseconds.
const UNITS: [(&str, i64); 5] =
    [("d", MILLIS_PER_DAY), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest length of time that can be written. Half a year is longer than any item of the ledger lives.
const WRITTEN_SPAN_MAX_MILLIS: i64 = 180 * MILLIS_PER_DAY;

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        for (unit, unit_millis) in UNITS {
            // `250ms` ends with `s` as well, but `250m` is no number.
            let Some(Ok(count)) = text.strip_suffix(unit).map(str::parse::<i64>) else { continue };
            if (0..=WRITTEN_SPAN_MAX_MILLIS / unit_millis).contains(&count) {
                return Ok(Self(count * unit_millis));
            }
        }
        Err(TimeError::Span)
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
    /// Not a day.
    #[error("a day is written like `2027-01-31`")]
    Date,
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
    fn a_day_is_written_as_ten_characters_and_lasts_until_midnight_of_utc() {
        let day = Date::from_timestamp("2026-01-02T23:59:59.999Z".parse().unwrap());
        assert_eq!(
            (day.to_string().as_str(), day.end().to_string().as_str()),
            ("2026-01-02", "2026-01-03T00:00:00Z")
        );
        assert_eq!(Date::from_timestamp(day.start()), day);
        assert_eq!(Date::from_timestamp(day.end()).previous_day(), day);
        assert_eq!("2026-01-02".parse(), Ok(day));
        for text in [
            "",
            "2026-13-02",
            "2027-02-30",
            "2027-1-31",
            "20270131",
            "2027-01-31T00",
            "+002027-01-31",
            "31.01.2027",
        ] {
            assert_eq!(text.parse::<Date>(), Err(TimeError::Date), "{text}");
        }
    }

    #[test]
    fn dates_as_java_prints_them_are_read() {
        let at = Timestamp::from_java_date("Jun 1 2026 3:00:36 PM").unwrap();
        assert_eq!(at.to_string(), "2026-06-01T15:00:36Z");
        assert_eq!(Timestamp::from_java_date("Jun 1 2026"), None);
    }

    #[test]
    fn spans_are_a_whole_number_and_a_unit() {
        let ten: Span = "10m".parse().unwrap();
        assert_eq!((ten, ten.to_string().as_str()), (Span::from_secs(600), "10m"));
        for text in ["0s", "250ms", "90s", "2h", "7d", "180d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for text in ["", "10", "m", "-5m", "1.5h", "10 m", "181d", "4321h", "99999999999999999d", "é"] {
            assert_eq!(text.parse::<Span>(), Err(TimeError::Span), "{text}");
        }
    }
}
