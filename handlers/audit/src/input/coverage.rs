//! What the input covers: files, events, accounts, Regions and days, and the days and Regions that seem to be missing.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::{Date, Timestamp};
use serde::Serialize;

use super::beside_kind::BesideKind;
use super::event_origin::EventOrigin;

/// The account and the Region of some events.
type EventSeries = (String, String);

/// What was looked at, as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputCoverage {
    files: usize,
    bytes: usize,
    events: usize,
    ledger_files: usize,
    undated: usize,
    beside: BTreeMap<BesideKind, usize>,
    days: BTreeMap<EventSeries, BTreeSet<Date>>,
}

/// What was looked at, as it is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CoverageReport {
    /// Files, and members of archives, that have events.
    pub files: usize,
    /// The bytes of all contents, unpacked.
    pub bytes: usize,
    /// Events, copies included.
    pub events: usize,
    /// Files, and members of archives, that hold items of the ledger instead of events.
    #[serde(skip_serializing_if = "is_zero")]
    pub ledger_files: usize,
    /// Events without a time that can be read.
    pub undated: usize,
    /// What lay beside the events, by kind.
    pub beside: BTreeMap<BesideKind, usize>,
    /// The accounts that received the events.
    pub accounts: BTreeSet<String>,
    /// The Regions of the events.
    pub regions: BTreeSet<String>,
    /// The first day with an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day with an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Days and Regions without events that have some around them.
    pub gaps: Vec<CoverageGap>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Days of an account and a Region without events, although there are events around them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CoverageGap {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The first day without events. It is absent if the account has no events of the Region at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day without events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// How many days these are; 0 for a whole Region.
    pub days: i64,
}

impl CoverageReport {
    /// Whether nothing was read at all: no event, and no file of the ledger.
    pub fn is_empty(&self) -> bool {
        self.events == 0 && self.ledger_files == 0
    }
}

impl InputCoverage {
    pub(super) fn add_content(&mut self, bytes: usize, events: usize, beside: &BTreeMap<BesideKind, usize>) {
        self.bytes += bytes;
        self.files += usize::from(events > 0);
        self.events += events;
        for (kind, count) in beside {
            self.add_beside(*kind, *count);
        }
    }

    /// Counts a content with items of the ledger.
    pub fn add_ledger_content(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.ledger_files += 1;
    }

    pub(super) fn add_beside(&mut self, kind: BesideKind, count: usize) {
        if count > 0 {
            *self.beside.entry(kind).or_default() += count;
        }
    }

    pub(super) fn add_event(&mut self, origin: &EventOrigin) {
        let Ok(time) = origin.time.parse::<Timestamp>() else {
            self.undated += 1;
            return;
        };
        let day = Date::from_timestamp(time);
        let series = (origin.account.clone(), origin.region.clone());
        self.days.entry(series).or_default().insert(day);
    }

    /// Reports what was looked at.
    pub fn report(&self) -> CoverageReport {
        let mut report = CoverageReport {
            files: self.files,
            bytes: self.bytes,
            events: self.events,
            ledger_files: self.ledger_files,
            undated: self.undated,
            beside: self.beside.clone(),
            ..CoverageReport::default()
        };
        for ((account, region), days) in &self.days {
            if !account.is_empty() {
                report.accounts.insert(account.clone());
            }
            if !region.is_empty() {
                report.regions.insert(region.clone());
            }
            let first = days.first().copied();
            report.from = [report.from, first].into_iter().flatten().min();
            report.to = report.to.max(days.last().copied());
            report.gaps.extend(find_missing_days(account, region, days));
        }
        self.find_missing_regions(&mut report);
        report.gaps.sort();
        report
    }

    /// Finds the Regions that at least half of the other accounts have.
    fn find_missing_regions(&self, report: &mut CoverageReport) {
        let others = report.accounts.len().saturating_sub(1);
        for region in &report.regions {
            let has_region =
                |account: &&String| self.days.contains_key(&((*account).clone(), region.clone()));
            let having = report.accounts.iter().filter(has_region).count();
            if having == 0 || having * 2 < others {
                continue;
            }
            for account in &report.accounts {
                if !has_region(&account) {
                    let (account, region) = (account.clone(), region.clone());
                    report.gaps.push(CoverageGap { account, region, from: None, to: None, days: 0 });
                }
            }
        }
    }
}

/// The share of the other pauses, in percent, that must be shorter than one that counts as a gap: weekends are usual.
const SHORTER_PAUSES_PERCENT: usize = 90;

/// Finds the pauses that are longer than usual for this account and Region. Where most days have no events, no pause is
/// unusual.
fn find_missing_days(account: &str, region: &str, days: &BTreeSet<Date>) -> Vec<CoverageGap> {
    let mut pauses = Vec::new();
    for (before, after) in days.iter().zip(days.iter().skip(1)) {
        pauses.push((count_days_between(*before, *after), before.end(), *after));
    }
    let daily = pauses.iter().filter(|(length, _, _)| *length == 0).count();
    let mut gaps = Vec::new();
    for (index, (length, from, after)) in pauses.iter().enumerate() {
        if *length == 0 || daily * 2 < pauses.len() {
            continue;
        }
        let mut others: Vec<i64> = Vec::new();
        for (other, (length, _, _)) in pauses.iter().enumerate() {
            if other != index {
                others.push(*length);
            }
        }
        let shorter = others.iter().filter(|other| *other < length).count();
        if !others.is_empty() && shorter * 100 >= others.len() * SHORTER_PAUSES_PERCENT {
            gaps.push(CoverageGap {
                account: account.to_owned(),
                region: region.to_owned(),
                from: Some(Date::from_timestamp(*from)),
                to: Some(after.previous_day()),
                days: *length,
            });
        }
    }
    gaps
}

const MILLIS_PER_DAY: i64 = 86_400_000;

fn count_days_between(before: Date, after: Date) -> i64 {
    (after.start().millis() - before.start().millis()) / MILLIS_PER_DAY - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps_of(days: &[u32]) -> Vec<String> {
        let mut coverage = InputCoverage::default();
        for day in days {
            coverage.add_event(&EventOrigin {
                account: "1".to_owned(),
                region: "r".to_owned(),
                time: format!("2026-{:02}-{:02}T12:00:00Z", 1 + day / 28, 1 + day % 28),
                ..EventOrigin::default()
            });
        }
        let gaps = coverage.report().gaps;
        gaps.iter().map(|gap| format!("{:?}: {}", gap.from.map(|day| day.to_string()), gap.days)).collect()
    }

    #[test]
    fn a_pause_is_a_gap_if_it_is_longer_than_usual() {
        assert_eq!(gaps_of(&[0, 1, 2, 4, 5, 6]), ["Some(\"2026-01-04\"): 1"]);
        let weekdays: Vec<u32> = (0..28).filter(|day| day % 7 < 5).collect();
        assert_eq!(gaps_of(&weekdays), Vec::<String>::new());
        let without_a_friday: Vec<u32> = weekdays.into_iter().filter(|day| *day != 11).collect();
        assert_eq!(gaps_of(&without_a_friday), ["Some(\"2026-01-12\"): 3"]);
        let weekly: Vec<u32> = (0..28).step_by(7).chain([60]).collect();
        assert_eq!(gaps_of(&weekly), Vec::<String>::new());
    }
}
