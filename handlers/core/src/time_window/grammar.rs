//! How a window is written.

use std::iter;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZoneDatabase;

use super::{TimeWindow, WindowPart};
use crate::text::Untrusted;

/// What in a text is no part of a window; may be shown.
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
        // A word of its own: the names of some time zones hold a plus.
        let parts = words.split(|word| *word == "+").map(part).collect::<Result<_, _>>()?;
        Ok(Self { parts })
    }
}

fn part(words: &[&str]) -> Result<WindowPart, TimeWindowError> {
    let [day, days @ .., times, zone] = words else { return Err(TimeWindowError::Incomplete) };
    let mut on = Vec::new();
    for word in iter::once(day).chain(days) {
        on.extend(day_range(word).ok_or_else(|| TimeWindowError::Days(Untrusted::new(*word)))?);
    }
    let (from, to) = time_range(times).ok_or_else(|| TimeWindowError::Times(Untrusted::new(*times)))?;
    // Bundled: the machine's own database is not asked. It takes `Etc/Unknown` for UTC.
    let known = TimeZoneDatabase::bundled().get(zone).ok().filter(|zone| !zone.is_unknown());
    let zone = known.ok_or_else(|| TimeWindowError::Zone(Untrusted::new(*zone)))?;
    Ok(WindowPart { days: on, from, to, zone })
}

fn day_range(word: &str) -> Option<impl Iterator<Item = Weekday>> {
    let (first, last) = if word.eq_ignore_ascii_case("daily") {
        (Weekday::Monday, Weekday::Sunday)
    } else {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        (day(first)?, day(last)?)
    };
    let more = usize::try_from(last.since(first)).ok()?;
    Some(first.cycle_forward().take(1 + more))
}

fn day(word: &str) -> Option<Weekday> {
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let found = names.iter().zip(Weekday::Monday.cycle_forward());
    found.filter(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, day)| day).next()
}

fn time_range(word: &str) -> Option<(i16, i16)> {
    let (from, to) = word.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from < 24 * 60).then_some((from, to))
}

/// The minutes after midnight of `HH:MM`, up to `24:00`.
fn minutes(text: &str) -> Option<i16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<i16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour * 60 + minute <= 24 * 60 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_window_is_told_by_the_word_at_fault() {
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
