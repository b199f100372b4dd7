//! What was notified about an incident, and under which conditions there is more to notify.

use serde::{Deserialize, Serialize};

use super::condition::Condition::{self, Above, Absent, All, Any, Below, Exists};
use super::condition::FieldValue;
use super::incident_extent::IncidentExtent;
use crate::severity::Severity;
use crate::time::{Span, Timestamp};

/// What was notified about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentState {
    /// Its first event so far.
    pub first: Timestamp,
    /// Its last event so far.
    pub last: Timestamp,
    /// The highest severity that was paged.
    pub severity: Severity,
    /// How much of it the pages named.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub extent: IncidentExtent,
    /// When it was resolved, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Timestamp>,
}

/// A field of an incident's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentField {
    /// Its first event.
    FirstEvent,
    /// Its last event.
    LastEvent,
    /// The rank of the highest severity that was paged ([`Severity::rank`]).
    PagedSeverity,
    /// How many distinct secrets the pages named.
    PagedSecrets,
    /// How many Regions the pages named.
    PagedRegions,
    /// 1 if a page said that the caller listed secrets.
    PagedLists,
    /// 1 if it was reminded of.
    PagedReminders,
    /// How many origins the pages named.
    PagedOrigins,
    /// When it was resolved.
    ResolvedAt,
    /// Its last event when it was auto-resolved; absent where an event resolved it.
    AutoResolvedAfter,
}

impl IncidentState {
    /// Whether the incident was closed because nothing followed for `resolve_after`.
    pub(crate) fn is_auto_resolved(&self, resolve_after: Span) -> bool {
        self.resolved == Some(self.last.plus(resolve_after))
    }

    /// Whether a page about events from `first` to `last` says that this incident is more severe, or has grown. Otherwise the
    /// page opens an incident.
    pub fn is_raised_by(&self, first: Timestamp, last: Timestamp, resolve_after: Span) -> bool {
        let other = is_another_occurrence(first, last, resolve_after);
        self.resolved.is_none() && !self.satisfies(&other, resolve_after)
    }

    /// Whether a condition holds for this state of an incident whose response auto-resolves after `resolve_after`.
    pub(crate) fn satisfies(&self, condition: &Condition<IncidentField>, resolve_after: Span) -> bool {
        condition.holds(&|field| {
            let number = match field {
                IncidentField::FirstEvent => self.first.millis(),
                IncidentField::LastEvent => self.last.millis(),
                IncidentField::PagedSeverity => i64::from(self.severity.rank()),
                IncidentField::PagedSecrets => to_number(self.extent.secrets),
                IncidentField::PagedRegions => to_number(self.extent.regions),
                IncidentField::PagedLists => to_number(self.extent.lists),
                IncidentField::PagedReminders => to_number(self.extent.reminders),
                IncidentField::PagedOrigins => to_number(self.extent.origins.len()),
                IncidentField::ResolvedAt => self.resolved?.millis(),
                IncidentField::AutoResolvedAfter if self.is_auto_resolved(resolve_after) => {
                    self.last.millis()
                }
                IncidentField::AutoResolvedAfter => return None,
            };
            Some(FieldValue::Number(number))
        })
    }
}

/// Events from `first` to `last` are another occurrence than the recorded one:
///
/// 1. they begin later than `resolve_after` after its last event,
/// 2. they end earlier than `resolve_after` before its first event,
/// 3. it was resolved before they began, or
/// 4. it was auto-resolved, and they show that it went on: its end was taken back.
pub fn is_another_occurrence(
    first: Timestamp,
    last: Timestamp,
    resolve_after: Span,
) -> Condition<IncidentField> {
    Any(vec![
        Below(IncidentField::LastEvent, first.minus(resolve_after).millis()),
        Above(IncidentField::FirstEvent, last.plus(resolve_after).millis()),
        Below(IncidentField::ResolvedAt, first.millis()),
        Below(IncidentField::AutoResolvedAfter, last.millis()),
    ])
}

/// The content of a page that may be due.
#[derive(Clone, Copy, Debug)]
pub struct PageContent {
    /// The first event of the occurrence.
    pub first: Timestamp,
    /// The last event of the occurrence.
    pub last: Timestamp,
    /// The severity.
    pub severity: Severity,
    /// How much of the incident the page names.
    pub extent: IncidentExtent,
    /// Whether these are the last figures: then each further secret is news, not the next step alone.
    pub has_settled: bool,
    /// How much of it was notified before, as the decision knows it.
    pub notified: IncidentExtent,
}

impl PageContent {
    /// Whether it names an address or an access key that no page named before, as far as the decision knows.
    fn has_new_origin(&self) -> bool {
        self.extent.has_new_origin_after(self.notified)
    }
}

/// A page has news: the incident was never paged, or at a lower severity, or with fewer secrets, Regions, lists or reminders by a step
/// (`IncidentExtent::steps`), or the events are another occurrence.
pub fn has_page_news(page: &PageContent, resolve_after: Span) -> Condition<IncidentField> {
    let mut news = vec![
        Absent(IncidentField::PagedSeverity),
        Below(IncidentField::PagedSeverity, i64::from(page.severity.rank())),
        is_another_occurrence(page.first, page.last, resolve_after),
    ];
    let steps = if page.has_settled { page.extent } else { page.extent.steps() };
    for (field, step) in extent_numbers(steps) {
        if step > 0 {
            // Earlier releases did not write the field.
            news.push(Any(vec![Absent(field), Below(field, step)]));
        }
    }
    if page.has_new_origin() {
        // Which origins a page named since cannot be told from their number: then it is decided again.
        let before = to_number(page.notified.origins.len());
        news.push(Any(vec![Absent(IncidentField::PagedOrigins), Above(IncidentField::PagedOrigins, before)]));
        news.push(Below(IncidentField::PagedOrigins, to_number(page.extent.origins.len())));
    }
    Any(news)
}

/// A page is due: it has news, and it takes nothing back. If an earlier page was more severe, or named more, then this one was
/// decided from an older state. It must be decided again, because marking it would make the earlier news due once more.
pub fn is_page_due(page: &PageContent, resolve_after: Span) -> Condition<IncidentField> {
    let mut takes_nothing_back =
        vec![is_at_most(IncidentField::PagedSeverity, i64::from(page.severity.rank()))];
    for (field, number) in extent_numbers(page.extent) {
        takes_nothing_back.push(is_at_most(field, number));
    }
    takes_nothing_back.push(is_at_most(IncidentField::PagedOrigins, to_number(page.notified.origins.len())));
    All(vec![
        has_page_news(page, resolve_after),
        Any(vec![is_another_occurrence(page.first, page.last, resolve_after), All(takes_nothing_back)]),
    ])
}

fn extent_numbers(extent: IncidentExtent) -> [(IncidentField, i64); 4] {
    [
        (IncidentField::PagedSecrets, to_number(extent.secrets)),
        (IncidentField::PagedRegions, to_number(extent.regions)),
        (IncidentField::PagedLists, to_number(extent.lists)),
        (IncidentField::PagedReminders, to_number(extent.reminders)),
    ]
}

fn is_at_most(field: IncidentField, number: i64) -> Condition<IncidentField> {
    Any(vec![Absent(field), Below(field, number.saturating_add(1))])
}

fn to_number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn is_unknown(extent: &IncidentExtent) -> bool {
    *extent == IncidentExtent::default()
}

/// A notice that an incident ended at `at` is due: the incident was paged and not resolved since, and nothing happened after
/// `last_event` if it is auto-resolved.
pub fn is_resolution_due(at: Timestamp, last_event: Option<Timestamp>) -> Condition<IncidentField> {
    let mut all = vec![
        Exists(IncidentField::PagedSeverity),
        Any(vec![Absent(IncidentField::ResolvedAt), Below(IncidentField::ResolvedAt, at.millis())]),
    ];
    if let Some(last_event) = last_event {
        all.push(Below(IncidentField::LastEvent, last_event.millis().saturating_add(1)));
    }
    All(all)
}

/// An event at `until` still belongs to the paged occurrence that began at `began`: that is open, or was resolved no earlier
/// than the event. What happened before an incident ended is part of it, however late its event arrives.
pub fn is_part_of_occurrence(began: Timestamp, until: Timestamp) -> Condition<IncidentField> {
    let open = vec![
        Absent(IncidentField::ResolvedAt),
        Below(IncidentField::ResolvedAt, began.millis()),
        Above(IncidentField::ResolvedAt, until.millis().saturating_sub(1)),
    ];
    All(vec![Exists(IncidentField::PagedSeverity), Any(open)])
}
