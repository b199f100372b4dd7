//! The grammar of a time window: parses `Mon-Fri 09:00-17:00 Europe/Berlin`.

use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::weekly_window::{TimeWindow, WindowPart};
use crate::text::Untrusted;

/// The part of a text that does not belong in a window; may be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeWindowError {
    /// Something is missing, or everything.
    #[error("a part needs days, times and a time zone")]
    Incomplete,
    /// Not a day nor a range of days.
    #[error("`{}` is neither `daily` nor a day such as `Mon` nor a range such as `Mon-Fri`", .0.show(30))]
    Days(Untrusted),
    /// Not two times.
    #[error("`{}` is not `HH:MM-HH:MM`, from `00:00` to `24:00`", .0.show(30))]
    Times(Untrusted),
    /// Not a time zone.
    #[error("`{}` is no IANA time zone", .0.show(40))]
    Zone(Untrusted),
}

impl FromStr for TimeWindow {
    type Err = TimeWindowError;

    fn from_str(text: &str) -> Result<Self, TimeWindowError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut parts = Vec::new();
        // The plus is a word of its own: the names of some time zones hold one (`Etc/GMT+1`).
        for part in words.split(|word| *word == "+") {
            parts.push(parse_part(part)?);
        }
        Ok(Self { parts })
    }
}

fn parse_part(words: &[&str]) -> Result<WindowPart, TimeWindowError> {
    // At least one word for days, then the times and the time zone.
    let [day_words @ .., times, zone] = words else { return Err(TimeWindowError::Incomplete) };
    if day_words.is_empty() {
        return Err(TimeWindowError::Incomplete);
    }
    let mut days = Vec::new();
    for word in day_words {
        let Some(range) = parse_days(word) else { return Err(TimeWindowError::Days(Untrusted::new(*word))) };
        days.extend(range);
    }
    let Some((start_minute, end_minute)) = parse_times(times) else {
        return Err(TimeWindowError::Times(Untrusted::new(*times)));
    };
    let Some(time_zone) = find_zone(zone) else { return Err(TimeWindowError::Zone(Untrusted::new(*zone))) };
    Ok(WindowPart { days, start_minute, end_minute, zone: time_zone })
}

/// The days of `daily`, `Mon` or `Sat-Mon`.
fn parse_days(word: &str) -> Option<impl Iterator<Item = Weekday>> {
    let (first, last) = if word.eq_ignore_ascii_case("daily") {
        (Weekday::Monday, Weekday::Sunday)
    } else {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        (parse_day(first)?, parse_day(last)?)
    };
    let days_after_first = usize::try_from(last.since(first)).ok()?;
    Some(first.cycle_forward().take(1 + days_after_first))
}

fn parse_day(word: &str) -> Option<Weekday> {
    match word.to_ascii_lowercase().as_str() {
        "mon" => Some(Weekday::Monday),
        "tue" => Some(Weekday::Tuesday),
        "wed" => Some(Weekday::Wednesday),
        "thu" => Some(Weekday::Thursday),
        "fri" => Some(Weekday::Friday),
        "sat" => Some(Weekday::Saturday),
        "sun" => Some(Weekday::Sunday),
        _ => None,
    }
}

/// The minutes after midnight of `HH:MM-HH:MM`; a window cannot start at `24:00`.
fn parse_times(word: &str) -> Option<(i16, i16)> {
    let (start, end) = word.split_once('-')?;
    let start_minute = parse_minute(start)?;
    let end_minute = parse_minute(end)?;
    if start_minute < MINUTES_PER_DAY { Some((start_minute, end_minute)) } else { None }
}

const MINUTES_PER_DAY: i16 = 24 * 60;

/// The minutes after midnight of `HH:MM`, up to `24:00`.
fn parse_minute(text: &str) -> Option<i16> {
    let (hour, minute) = text.split_once(':')?;
    let minute = parse_two_digits(minute)?;
    let minutes = parse_two_digits(hour)? * 60 + minute;
    if minute < 60 && minutes <= MINUTES_PER_DAY { Some(minutes) } else { None }
}

fn parse_two_digits(text: &str) -> Option<i16> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A time zone of the database in this binary. The machine's own database is not consulted: a window must open at the
/// same instant everywhere.
fn find_zone(name: &str) -> Option<TimeZone> {
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    // The database takes `Etc/Unknown` for UTC.
    if zone.is_unknown() { None } else { Some(zone) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_word_that_does_not_belong_in_a_window() {
        let days = |word: &str| TimeWindowError::Days(Untrusted::new(word));
        let times = |word: &str| TimeWindowError::Times(Untrusted::new(word));
        let zone = |word: &str| TimeWindowError::Zone(Untrusted::new(word));
        for (text, error) in [
            ("", TimeWindowError::Incomplete),
            ("always", TimeWindowError::Incomplete),
            ("Mon-Fri 09:00-17:00", TimeWindowError::Incomplete),
            ("09:00-17:00 UTC", TimeWindowError::Incomplete),
            ("daily 00:00-24:00 UTC +", TimeWindowError::Incomplete),
            ("daily 00:00-24:00 UTC + + daily 00:00-24:00 UTC", TimeWindowError::Incomplete),
            ("Monday 09:00-17:00 UTC", days("Monday")),
            ("Mon- 09:00-17:00 UTC", days("Mon-")),
            ("Mon-Wed-Fri 09:00-17:00 UTC", days("Mon-Wed-Fri")),
            ("Mon,Tue 09:00-17:00 UTC", days("Mon,Tue")),
            ("Mon 9:00-17:00 UTC", times("9:00-17:00")),
            ("Mon 09:00-24:01 UTC", times("09:00-24:01")),
            ("Mon 24:00-02:00 UTC", times("24:00-02:00")),
            ("Mon 09:60-17:00 UTC", times("09:60-17:00")),
            ("Mon +9:00-17:00 UTC", times("+9:00-17:00")),
            ("Mon 09:00 UTC", times("09:00")),
            ("Mon 09:00-17:00 Europe/Berln", zone("Europe/Berln")),
            ("Mon 09:00-17:00 +01:00", zone("+01:00")),
            ("Mon 09:00-17:00 CET-1CEST", zone("CET-1CEST")),
            ("Mon 09:00-17:00 Etc/Unknown", zone("Etc/Unknown")),
            ("Mon 09:00-17:00 UTC+", zone("UTC+")),
            ("Mon 09:00-17:00 ../../etc/localtime", zone("../../etc/localtime")),
        ] {
            assert_eq!(text.parse::<TimeWindow>(), Err(error), "{text}");
        }
    }
}
