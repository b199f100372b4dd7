//! The extent of an incident: how much of it a page named, and from which growth on it pages again.

use serde::{Deserialize, Serialize};

use super::origin_set::OriginSet;
use crate::severity::Severity;
use crate::time::{Span, Timestamp};

/// The numbers of distinct secrets from which on an incident pages again. Factors of two to three: a theft of a thousand
/// secrets is six pages more, and each names at least as many new secrets as half of those before.
const SECRET_STEPS: [usize; 6] = [10, 20, 50, 100, 300, 1_000];

/// The numbers of Regions from which on an incident pages again. A second Region is news; the eleventh is none.
const REGION_STEPS: [usize; 6] = [2, 3, 4, 5, 10, 20];

/// The numbers of origins from which on a severe incident pages again. Each of the first is news; whoever changes the address
/// with each call soon pages no further.
const ORIGIN_STEPS: [usize; 6] = [2, 3, 4, 5, 6, 12];

/// From this length on an incident is reminded of, once.
const REMINDED_AFTER: Span = Span::from_secs(86_400);

/// How much of an incident a page named. An incident of one event without a secret has the extent zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentExtent {
    /// The distinct secrets.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub secrets: usize,
    /// The Regions.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub regions: usize,
    /// 1 if the caller listed secrets first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lists: usize,
    /// 1 if the incident is as old as a day and was reminded of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reminders: usize,
    /// The addresses and lasting access keys from which it came.
    #[serde(default, skip_serializing_if = "OriginSet::is_empty")]
    pub origins: OriginSet,
}

impl IncidentExtent {
    /// The extent that a page must have named for this one to be no news: each number as of the last step that it reached.
    pub(crate) fn steps(self) -> Self {
        Self {
            secrets: last_step(&SECRET_STEPS, self.secrets),
            regions: last_step(&REGION_STEPS, self.regions),
            ..self
        }
    }

    /// The same of an incident that lasts from `first` to `last`.
    pub(crate) fn lasting(self, first: Timestamp, last: Timestamp) -> Self {
        Self { reminders: usize::from(first.plus(REMINDED_AFTER) <= last), ..self }
    }

    /// Whether pages that named `notified` leave something of this extent to notify.
    pub(crate) fn is_news_after(self, notified: Self, severity: Severity) -> bool {
        let steps = self.steps();
        steps.secrets > notified.secrets
            || steps.regions > notified.regions
            || steps.lists > notified.lists
            || steps.reminders > notified.reminders
            || (severity >= Severity::High && self.has_new_origin_after(notified))
    }

    /// Whether it came from an address, or with an access key, that the pages did not name. Earlier releases did not write them.
    pub(crate) fn has_new_origin_after(self, notified: Self) -> bool {
        let step = |origins: &OriginSet| last_step(&ORIGIN_STEPS, origins.len());
        !notified.origins.is_empty() && step(&notified.origins.union(&self.origins)) > step(&notified.origins)
    }

    /// The larger of each number, and the origins of both: first those of `other`.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            secrets: self.secrets.max(other.secrets),
            regions: self.regions.max(other.regions),
            lists: self.lists.max(other.lists),
            reminders: self.reminders.max(other.reminders),
            origins: other.origins.union(&self.origins),
        }
    }
}

fn last_step(steps: &[usize], count: usize) -> usize {
    steps.iter().rev().find(|step| **step <= count).copied().unwrap_or_default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::{IncidentExtent, REMINDED_AFTER};
    use crate::severity::Severity;
    use crate::state::origin_set::{Origin, OriginSet};
    use crate::time::Timestamp;

    fn secrets(secrets: usize) -> IncidentExtent {
        IncidentExtent { secrets, regions: 1, ..IncidentExtent::default() }
    }

    #[test]
    fn every_step_of_a_growing_theft_is_news_once() {
        let mut notified = IncidentExtent::default();
        let mut pages = Vec::new();
        for count in 1..=1_500 {
            if secrets(count).is_news_after(notified, Severity::Medium) {
                notified = secrets(count);
                pages.push(count);
            }
        }
        assert_eq!(pages, [10, 20, 50, 100, 300, 1_000]);
    }

    #[test]
    fn a_page_between_two_steps_covers_the_lower_one() {
        assert!(!secrets(19).is_news_after(secrets(12), Severity::Medium));
        assert!(secrets(20).is_news_after(secrets(12), Severity::Medium));
        assert!(!secrets(5).is_news_after(secrets(80), Severity::Medium), "fewer secrets are no news");
    }

    #[test]
    fn a_further_region_and_a_first_list_are_news() {
        let told = secrets(5);
        assert!(IncidentExtent { regions: 2, ..told }.is_news_after(told, Severity::Medium));
        assert!(
            !IncidentExtent { regions: 1, ..told }.is_news_after(IncidentExtent::default(), Severity::Medium)
        );
        assert!(IncidentExtent { lists: 1, ..told }.is_news_after(told, Severity::Medium));
        let wide = IncidentExtent { regions: 5, ..told };
        assert!(!IncidentExtent { regions: 9, ..told }.is_news_after(wide, Severity::Medium));
        assert!(IncidentExtent { regions: 10, ..told }.is_news_after(wide, Severity::Medium));
    }

    #[test]
    fn the_larger_of_each_number_covers_both() {
        let (deep, wide) =
            (secrets(100), IncidentExtent { secrets: 1, regions: 4, lists: 1, ..IncidentExtent::default() });
        for extent in [deep, wide] {
            assert!(!extent.is_news_after(deep.max(wide), Severity::Medium));
        }
    }

    fn from_addresses(addresses: std::ops::Range<u8>) -> IncidentExtent {
        let mut origins = OriginSet::default();
        for address in addresses {
            origins.insert(Origin::of_address(&format!("192.0.2.{address}")));
        }
        IncidentExtent { origins, ..secrets(5) }
    }

    #[test]
    fn new_origins_are_news_of_severe_incidents_and_not_for_ever() {
        let told = from_addresses(0..1);
        let other = from_addresses(7..8);
        assert!(other.is_news_after(told, Severity::High));
        assert!(!other.is_news_after(told, Severity::Medium));
        assert!(!told.is_news_after(told.max(other), Severity::Critical), "both are told");
        assert!(!other.is_news_after(secrets(5), Severity::High), "an earlier release told none");
        let mut notified = from_addresses(0..1);
        let mut pages = 0;
        for address in 1..250 {
            let extent = from_addresses(address..address + 1);
            if extent.is_news_after(notified, Severity::High) {
                pages += 1;
                notified = extent.max(notified);
            }
        }
        assert_eq!(pages, 5, "each address up to the sixth; then they are too many to be news");
    }

    #[test]
    fn an_incident_of_a_day_is_news_once() {
        let first = Timestamp::from_millis(0);
        let day = secrets(5).lasting(first, first.plus(REMINDED_AFTER));
        assert!(day.is_news_after(secrets(5), Severity::Low));
        assert!(!day.is_news_after(day, Severity::Low));
        let shorter = secrets(5).lasting(first, Timestamp::from_millis(REMINDED_AFTER.millis() - 1));
        assert!(!shorter.is_news_after(secrets(5), Severity::Low));
    }
}
