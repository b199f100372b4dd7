//! The extent of an incident: how much of it a page named, and from which growth on it pages again.

use serde::{Deserialize, Serialize};

/// The numbers of distinct secrets from which on an incident pages again. Factors of two to three: a theft of a thousand
/// secrets is six pages more, and each names at least as many new secrets as half of those before.
const SECRET_STEPS: [usize; 6] = [10, 20, 50, 100, 300, 1_000];

/// The numbers of Regions from which on an incident pages again. A second Region is news; the eleventh is none.
const REGION_STEPS: [usize; 6] = [2, 3, 4, 5, 10, 20];

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
}

impl IncidentExtent {
    /// What a page must have named for this extent to be no news: each number as of the last step that it reached.
    pub(crate) fn steps(self) -> Self {
        Self {
            secrets: last_step(&SECRET_STEPS, self.secrets),
            regions: last_step(&REGION_STEPS, self.regions),
            lists: self.lists,
        }
    }

    /// Whether pages that named `notified` leave something of this extent to notify.
    pub(crate) fn is_news_after(self, notified: Self) -> bool {
        let steps = self.steps();
        steps.secrets > notified.secrets || steps.regions > notified.regions || steps.lists > notified.lists
    }

    /// The larger of each number.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            secrets: self.secrets.max(other.secrets),
            regions: self.regions.max(other.regions),
            lists: self.lists.max(other.lists),
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
    use super::IncidentExtent;

    fn secrets(secrets: usize) -> IncidentExtent {
        IncidentExtent { secrets, regions: 1, lists: 0 }
    }

    #[test]
    fn every_step_of_a_growing_theft_is_news_once() {
        let mut notified = IncidentExtent::default();
        let mut pages = Vec::new();
        for count in 1..=1_500 {
            if secrets(count).is_news_after(notified) {
                notified = secrets(count);
                pages.push(count);
            }
        }
        assert_eq!(pages, [10, 20, 50, 100, 300, 1_000]);
    }

    #[test]
    fn a_page_between_two_steps_covers_the_lower_one() {
        assert!(!secrets(19).is_news_after(secrets(12)));
        assert!(secrets(20).is_news_after(secrets(12)));
        assert!(!secrets(5).is_news_after(secrets(80)), "fewer secrets are no news");
    }

    #[test]
    fn a_further_region_and_a_first_list_are_news() {
        let told = secrets(5);
        assert!(IncidentExtent { regions: 2, ..told }.is_news_after(told));
        assert!(!IncidentExtent { regions: 1, ..told }.is_news_after(IncidentExtent::default()));
        assert!(IncidentExtent { lists: 1, ..told }.is_news_after(told));
        let wide = IncidentExtent { regions: 5, ..told };
        assert!(!IncidentExtent { regions: 9, ..told }.is_news_after(wide));
        assert!(IncidentExtent { regions: 10, ..told }.is_news_after(wide));
    }

    #[test]
    fn the_larger_of_each_number_covers_both() {
        let (deep, wide) = (secrets(100), IncidentExtent { secrets: 1, regions: 4, lists: 1 });
        for extent in [deep, wide] {
            assert!(!extent.is_news_after(deep.max(wide)));
        }
    }
}
