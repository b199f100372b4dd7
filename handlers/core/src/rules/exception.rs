//! Exceptions: events that mean less than a response says, why, who answers for that, and until when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::narrowing::{NarrowingIndex, NarrowingPatterns};
use crate::time::{Span, Timestamp};

/// What an exception does to an event; the strongest comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExceptionEffect {
    /// An incident of nothing but such events is one severity less.
    Lower,
    /// An incident of nothing but such events pages nobody.
    Info,
    /// The event never counts.
    Drop,
}

/// An exception of a response.
#[derive(Clone, Debug)]
pub struct ResponseException {
    /// Its name.
    pub id: String,
    /// What it does.
    pub effect: ExceptionEffect,
    /// Why, in a sentence.
    pub why: String,
    /// Who answers for it; nobody where it follows from how the product is made.
    pub owner: Option<String>,
    /// The last day on which it holds; every day if it has no owner.
    pub until: Option<CalendarDay>,
    /// The events that it is about.
    pub(super) only_if: NarrowingIndex,
}

impl ResponseException {
    /// Whether it has run out at an instant.
    pub fn is_expired(&self, at: Timestamp) -> bool {
        self.until.is_some_and(|until| at >= until.end())
    }
}

/// A day, by UTC: `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarDay(Timestamp);

impl CalendarDay {
    /// The first instant of the day.
    pub fn start(self) -> Timestamp {
        self.0
    }

    /// The first instant after the day.
    pub fn end(self) -> Timestamp {
        self.0.plus(Span::from_secs(86_400))
    }
}

impl FromStr for CalendarDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let start = format!("{text}T00:00:00Z").parse().ok().filter(|_| text.len() == 10);
        start.map(Self).ok_or("a day is written like `2027-01-31`")
    }
}

impl fmt::Display for CalendarDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.0.to_string();
        f.write_str(start.split('T').next().unwrap_or_default())
    }
}

impl Serialize for CalendarDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CalendarDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An exception as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionRow {
    pub(super) id: Option<String>,
    #[serde(rename = "where")]
    only_if: Value,
    effect: ExceptionEffect,
    why: String,
    owner: Option<String>,
    until: Option<CalendarDay>,
}

impl ExceptionRow {
    /// The exception of this name.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn load(
        self,
        id: String,
        patterns: &mut NarrowingPatterns,
    ) -> Result<ResponseException, Vec<String>> {
        let blank = |text: &str| text.trim().is_empty();
        let checks = [
            (blank(&self.why), "`why`: say why; must not be empty"),
            (
                self.owner.is_some() != self.until.is_some() || self.owner.as_deref().is_some_and(blank),
                "`owner` and `until`: name who answers for it and its last day, or neither if it follows from how things are made",
            ),
        ];
        let mut problems: Vec<String> =
            checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, reason)| reason.to_owned()).collect();
        let only_if =
            patterns.add(&self.only_if).map_err(|reason| problems.push(format!("`where`: {reason}")));
        let Self { effect, why, owner, until, .. } = self;
        match only_if {
            Ok(only_if) if problems.is_empty() => {
                Ok(ResponseException { id, effect, why, owner, until, only_if })
            }
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_lasts_until_midnight() {
        let day: CalendarDay = "2027-01-31".parse().unwrap();
        assert_eq!(
            (day.to_string(), day.end().to_string()),
            ("2027-01-31".into(), "2027-02-01T00:00:00Z".into())
        );
        for text in
            ["", "2027-02-30", "2027-1-31", "20270131", "2027-01-31T00", "+002027-01-31", "31.01.2027"]
        {
            assert!(text.parse::<CalendarDay>().is_err(), "{text}");
        }
    }
}
