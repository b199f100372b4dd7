//! Times of the week at which a service may be redeployed, by the clocks of a place.

use jiff::Timestamp as Instant;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use crate::time::{Span, Timestamp};

/// Times of the week at which a service may be redeployed; open while any of its parts is.
///
/// Written as parts joined by ` + `, each of days, times and an IANA time zone: `Mon-Fri 09:00-17:00 Europe/Berlin`,
/// `daily 22:00-04:00 UTC + Sat Sun 00:00-24:00 UTC`. Days are `daily`, one, or a range (`Sat-Mon` wraps), several
/// separated by spaces. A part whose end is not later than its start ends on the next day. No comma, because tags cannot hold one.
///
/// The window follows what the clocks show: a time that they skip is never open, one that they show twice is open twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    pub(super) parts: Vec<WindowPart>,
}

/// How far ahead a window is searched for its next opening: a week, and a day more because clocks may be changed.
const OPENING_SEARCH_SPAN: Span = Span::from_secs(8 * 86_400);

impl TimeWindow {
    /// Whether the window is open at an instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        to_instant(at).is_some_and(|at| self.parts.iter().any(|part| part.is_open(at)))
    }

    /// The first instant from `at` on at which the window is open; `None` if that is more than 8 days away.
    pub fn find_next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        let until = at.plus(OPENING_SEARCH_SPAN);
        let first = to_instant(at)?;
        let last = to_instant(until)?;
        if self.is_open(at) {
            return Some(at);
        }
        let mut next: Option<Timestamp> = None;
        for part in &self.parts {
            for opening in part.find_openings(first, last) {
                let opening = Timestamp::from_millis(opening.as_millisecond());
                let is_sooner = next.is_none_or(|next| opening < next);
                if is_sooner && (at..=until).contains(&opening) && self.is_open(opening) {
                    next = Some(opening);
                }
            }
        }
        next
    }
}

fn to_instant(at: Timestamp) -> Option<Instant> {
    Instant::from_millisecond(at.millis()).ok()
}

/// Some hours of some days of the week, by the clocks of one time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WindowPart {
    /// The days on which it starts.
    pub(super) days: Vec<Weekday>,
    /// Minutes after midnight: 00:00 to 23:59.
    pub(super) start_minute: i16,
    /// Minutes after midnight, this one excluded: 00:00 to 24:00; not later than the start if it is on the next day.
    pub(super) end_minute: i16,
    pub(super) zone: TimeZone,
}

impl WindowPart {
    fn is_open(&self, at: Instant) -> bool {
        let shown = self.zone.to_datetime(at);
        let minute = i16::from(shown.hour()) * 60 + i16::from(shown.minute());
        let today = shown.weekday();
        let ends_next_day = self.end_minute <= self.start_minute;
        let began_today = self.days.contains(&today)
            && minute >= self.start_minute
            && (ends_next_day || minute < self.end_minute);
        let began_yesterday =
            ends_next_day && minute < self.end_minute && self.days.contains(&today.wrapping_sub(1));
        began_today || began_yesterday
    }

    /// The instants from about `from` to about `to` at which the part may turn from closed to open: whenever the
    /// clocks show its start, and whenever they are changed, which may skip its start or show its end again.
    fn find_openings(&self, from: Instant, to: Instant) -> Vec<Instant> {
        let mut openings = Vec::new();
        let first_day = self.zone.to_datetime(from).date();
        let last_day = self.zone.to_datetime(to).date();
        // The day before counts too: clocks that are set back at midnight return to it.
        let mut day = first_day.yesterday().unwrap_or(first_day);
        while day <= last_day {
            openings.extend(self.find_starts(day));
            let Ok(next_day) = day.tomorrow() else { break };
            day = next_day;
        }
        for change in self.zone.following(from) {
            if change.timestamp() > to {
                break;
            }
            openings.push(change.timestamp());
        }
        openings
    }

    /// The instants at which the clocks show the start of the part on a day: one, or two where they are set back over
    /// it.
    fn find_starts(&self, day: Date) -> Vec<Instant> {
        let midnight = DateTime::from(day);
        let Ok(start) = midnight.checked_add(jiff::Span::new().minutes(self.start_minute)) else {
            return Vec::new();
        };
        let instants = self.zone.to_ambiguous_timestamp(start);
        [instants.earlier(), instants.later()].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(text: &str) -> TimeWindow {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// All times in UTC.
    fn assert_open(text: &str, open: &[&str], closed: &[&str]) {
        let window = window(text);
        for instant in open {
            assert!(window.is_open(at(instant)), "`{text}` is open at {instant}");
            assert_eq!(window.find_next_opening(at(instant)), Some(at(instant)), "`{text}` {instant}");
        }
        for instant in closed {
            assert!(!window.is_open(at(instant)), "`{text}` is closed at {instant}");
        }
    }

    fn assert_next(text: &str, instants: &[(&str, &str)]) {
        for (from, next) in instants {
            assert_eq!(window(text).find_next_opening(at(from)), Some(at(next)), "`{text}` from {from}");
        }
    }

    #[test]
    fn a_window_is_open_from_its_first_instant_to_just_before_its_end() {
        // 2026-03-02 is a Monday; Berlin is an hour ahead of UTC until the 29th.
        assert_open(
            "Mon-Fri 09:00-17:00 Europe/Berlin",
            &["2026-03-02T08:00:00Z", "2026-03-06T15:59:59.999Z", "2026-03-30T07:00:00Z"],
            &[
                "2026-03-02T07:59:59.999Z",
                "2026-03-06T16:00:00Z",
                "2026-03-07T12:00:00Z",
                "2026-03-01T12:00:00Z",
            ],
        );
        assert_open("daily 00:00-24:00 UTC", &["2026-03-02T00:00:00Z", "2026-03-01T23:59:59.999Z"], &[]);
    }

    #[test]
    fn days_can_be_listed_and_ranges_of_days_wrap() {
        let noon = |day: u8| format!("2026-03-0{day}T12:00:00Z");
        // The 2nd is a Monday.
        for (days, on) in [
            ("Mon", &[2_u8][..]),
            ("Mon-Mon", &[2]),
            ("Mon Wed fri", &[2, 4, 6]),
            ("Mon-Tue SAT", &[2, 3, 7]),
            ("Sat-Mon", &[7, 8, 2]),
            ("Tue-Mon", &[2, 3, 4, 5, 6, 7, 8]),
            ("Daily", &[2, 3, 4, 5, 6, 7, 8]),
        ] {
            let window = window(&format!("{days} 00:00-24:00 UTC"));
            let open: Vec<u8> = (2..=8).filter(|day| window.is_open(at(&noon(*day)))).collect();
            assert_eq!(open.iter().filter(|day| on.contains(day)).count(), on.len(), "{days}: {open:?}");
            assert_eq!(open.len(), on.len(), "{days}: {open:?}");
        }
    }

    #[test]
    fn an_end_that_is_not_later_is_on_the_next_day() {
        assert_open(
            "Sun 22:00-04:00 UTC",
            &["2026-03-01T22:00:00Z", "2026-03-02T03:59:59Z"],
            &["2026-03-01T03:00:00Z", "2026-03-02T04:00:00Z", "2026-03-02T22:00:00Z"],
        );
        assert_open(
            "Mon 09:00-09:00 UTC",
            &["2026-03-02T09:00:00Z", "2026-03-03T08:59:59Z"],
            &["2026-03-02T08:59:59Z", "2026-03-03T09:00:00Z"],
        );
        assert_open("Mon 22:00-00:00 UTC", &["2026-03-02T23:59:59Z"], &["2026-03-03T00:00:00Z"]);
        assert_eq!(
            window("Mon 00:00-00:00 UTC").find_next_opening(at("2026-03-03T00:00:00Z")),
            Some(at("2026-03-09T00:00:00Z"))
        );
    }

    #[test]
    fn a_window_is_open_while_any_of_its_parts_is() {
        let text = "daily 22:00-04:00 UTC + Sat-Sun 00:00-24:00 Etc/GMT-14";
        assert_open(
            text,
            &["2026-03-02T22:00:00Z", "2026-03-06T10:00:00Z", "2026-03-08T09:59:59Z"],
            &["2026-03-06T09:59:59Z", "2026-03-08T10:00:00Z"],
        );
        assert_next(
            text,
            &[
                ("2026-03-06T05:00:00Z", "2026-03-06T10:00:00Z"),
                ("2026-03-08T10:00:00Z", "2026-03-08T22:00:00Z"),
            ],
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_never_open() {
        // 02:00 becomes 03:00 in Berlin at 2026-03-29T01:00Z, a Sunday.
        let inside = "Sun 02:00-03:00 Europe/Berlin";
        assert_open(inside, &["2026-03-22T01:30:00Z"], &["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"]);
        assert_next(inside, &[("2026-03-29T01:00:00Z", "2026-04-05T00:00:00Z")]);
        // Skipped once, its next opening may be further away than 8 days.
        assert_next(inside, &[("2026-03-28T00:00:00Z", "2026-04-05T00:00:00Z")]);
        assert_eq!(window(inside).find_next_opening(at("2026-03-27T23:59:59.999Z")), None);

        let over = "daily 02:30-04:00 Europe/Berlin";
        assert_open(over, &["2026-03-29T01:00:00Z"], &["2026-03-29T00:59:59Z", "2026-03-29T02:00:00Z"]);
        assert_next(over, &[("2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z")]);
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_is_open_twice() {
        // 03:00 becomes 02:00 in Berlin at 2026-10-25T01:00Z.
        let inside = "daily 02:15-02:45 Europe/Berlin";
        assert_open(
            inside,
            &["2026-10-25T00:15:00Z", "2026-10-25T01:44:59Z"],
            &["2026-10-25T00:45:00Z", "2026-10-25T01:14:59Z", "2026-10-25T01:45:00Z"],
        );
        assert_next(
            inside,
            &[
                ("2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z"),
                ("2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z"),
            ],
        );
        // Closed at half past two, and open again when it is two again.
        let over = "daily 01:00-02:30 Europe/Berlin";
        assert_next(over, &[("2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z")]);
        // A week of that is an hour longer.
        assert_next("Sun 12:00-12:01 Europe/Berlin", &[("2026-10-18T10:01:00Z", "2026-10-25T11:00:00Z")]);
        // Newfoundland went from Sunday 00:01 back to Saturday 23:01 at 2010-11-07T02:31Z.
        let yesterday = "Sat 23:30-23:45 America/St_Johns";
        assert_next(yesterday, &[("2010-11-07T02:30:30Z", "2010-11-07T03:00:00Z")]);
    }

    #[test]
    fn a_day_that_a_place_skips_has_no_times_but_a_night_that_ends() {
        // Samoa went from Thursday 29 December 2011 to Saturday the 31st, at 2011-12-30T10:00Z.
        let friday = "Fri 22:00-04:00 Pacific/Apia";
        assert_next(friday, &[("2011-12-27T00:00:00Z", "2011-12-30T10:00:00Z")]);
        assert_open(friday, &["2011-12-30T13:59:59Z"], &["2011-12-30T09:59:59Z", "2011-12-30T14:00:00Z"]);
    }

    #[test]
    fn the_ends_of_time_are_closed() {
        let window = window("daily 00:00-24:00 Europe/Berlin");
        for millis in [i64::MIN, i64::MAX] {
            let end = Timestamp::from_millis(millis);
            assert_eq!((window.is_open(end), window.find_next_opening(end)), (false, None));
        }
    }

    const QUARTER_HOUR_MILLIS: i64 = 900_000;

    /// A part whose times are quarters of an hour, in places whose clocks do everything that clocks do.
    fn any_part() -> impl Strategy<Value = String> {
        let zone = "UTC|Europe/Berlin|America/St_Johns|Australia/Lord_Howe|Atlantic/Azores|Asia/Kathmandu|America/Santiago";
        let days = "(Mon|Tue-Wed|Sat-Mon|Sun|Sun|daily)( Fri)?";
        (days, 0..96_u8, 0..=96_u8, zone).prop_map(|(days, from, to, zone)| {
            let time = |quarter: u8| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
            format!("{days} {}-{} {zone}", time(from), time(to))
        })
    }

    /// Instants of 2026, half of them within a day before the clocks of one of those places are changed.
    fn any_instant() -> impl Strategy<Value = Timestamp> {
        let changes = [
            "2026-03-29T01:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-03-08T05:30:00Z",
            "2026-11-01T04:30:00Z",
            "2026-04-04T15:00:00Z",
            "2026-10-03T15:30:00Z",
            "2026-04-05T03:00:00Z",
            "2026-09-06T04:00:00Z",
        ];
        let year = at("2026-01-01T00:00:00Z").millis();
        let change = (proptest::sample::select(changes.to_vec()), 0..86_400_000_i64);
        prop_oneof![
            (0..365 * 86_400_000_i64).prop_map(move |millis| Timestamp::from_millis(year + millis)),
            change.prop_map(|(change, before)| at(change).minus(Span::from_millis(before))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn the_next_opening_is_open_and_nothing_before_it_is(
            parts in proptest::collection::vec(any_part(), 1..3),
            from in any_instant(),
        ) {
            let window = window(&parts.join(" + "));
            let next = window.find_next_opening(from);
            prop_assert!(next.is_none_or(|next| next >= from && window.is_open(next)));
            let end = next.unwrap_or(from.plus(OPENING_SEARCH_SPAN)).millis();
            let first = (from.millis().div_euclid(QUARTER_HOUR_MILLIS) + 1) * QUARTER_HOUR_MILLIS;
            let quarters = (first..end).step_by(900_000).chain([from.millis(), end - 1]);
            for millis in quarters.filter(|millis| (from.millis()..end).contains(millis)) {
                let before = Timestamp::from_millis(millis);
                prop_assert!(!window.is_open(before), "{:?} from {} is open at {}", parts, from, before);
            }
        }

        #[test]
        fn no_text_and_no_instant_panics(
            text in prop_oneof![any::<String>(), "[-+:/ 0-9A-Za-z]{0,60}", any_part(),
                "(Mon|daily)[- ]?(Sun)? [0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2} (UTC|Asia/Tokyo|X)( \\+)?"],
            millis in any::<i64>(),
            year in -400_000_000_000_000..300_000_000_000_000_i64,
        ) {
            if let Ok(window) = text.parse::<TimeWindow>() {
                for millis in [millis, year] {
                    let at = Timestamp::from_millis(millis);
                    prop_assert!(!window.is_open(at) || window.find_next_opening(at).is_none_or(|next| next == at));
                }
            }
        }
    }
}
