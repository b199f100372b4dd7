//! Claims of notifications: one of many invocations sends a notification, and none is forgotten.
//!
//! A claim goes from requested to claimed (an owner with a lease) to done. A claim that another invocation holds is an
//! error, so that the queue delivers the event again: only `done` means done. An invocation that dies leaves its claim to
//! the end of the lease; then the next delivery takes it.

use responder_core::state::incident_state::{PageContent, has_page_news, is_page_due, is_resolution_due};
use responder_core::state::origin_set::OriginSet;
use responder_core::time::{Span, Timestamp};

use super::conditions::write_condition;
use super::ledger::Ledger;
use super::schema::{
    self, AUTO_RESOLVED_AFTER, FIRST, INCIDENT_LIFETIME, LAST, LEASE_UNTIL, ORIGINS, OWNER, PAGED,
    PAGED_LISTS, PAGED_ORIGINS, PAGED_REGIONS, PAGED_REMINDERS, PAGED_SECRETS, RESOLVED, TTL, expiry_seconds,
};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, All, Any, Equals, LessThan};
use crate::port::{AttributeValue, AwsPort, ItemKey, ItemUpdate, TableItem, WriteCondition, WriteResult};

/// A notification that is sent at most once.
#[derive(Clone, Debug)]
pub(crate) enum ClaimSubject<'a> {
    /// The page that an incident is open, is more severe, or has grown.
    Page {
        key: &'a str,
        content: PageContent,
        /// When it was resolved, if it is.
        resolved_at: Option<Timestamp>,
        resolve_after: Span,
    },
    /// The notification that an incident is resolved.
    Resolution {
        key: &'a str,
        resolved_at: Timestamp,
        /// Its last event, if it is resolved because no event followed.
        last_event: Option<Timestamp>,
        resolve_after: Span,
    },
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimResult {
    /// This invocation holds the claim: it sends the notification, then completes or releases the claim.
    Granted,
    /// The notification was sent before, or is not due any more.
    AlreadyDone,
    /// Another invocation holds the claim.
    HeldElsewhere,
}

/// The attributes of a claim.
const CLAIM_ATTRIBUTES: [&str; 2] = [OWNER, LEASE_UNTIL];

impl<A: AwsPort> Ledger<'_, A> {
    /// Claims a notification. The exits are:
    ///
    /// 1. the notification is due and nobody holds a claim: granted;
    /// 2. the table refuses the write and does not return the item: it counts as held elsewhere, so that the event comes
    ///    again;
    /// 3. the table refuses the write: the item says why.
    pub(crate) async fn claim_notification(
        &self,
        subject: &ClaimSubject<'_>,
    ) -> Result<ClaimResult, EngineError> {
        let now = self.aws.now();
        match self.write_item(&subject.claim_update(self.owner, now, self.lease)).await? {
            // 1. Granted.
            WriteResult::Written => Ok(ClaimResult::Granted),
            // 2. Unknown.
            WriteResult::ConditionFailed(None) => Ok(ClaimResult::HeldElsewhere),
            // 3. Refused.
            WriteResult::ConditionFailed(Some(item)) => {
                Ok(explain_refused_claim(subject, &item, self.owner, now))
            }
        }
    }

    /// Completes a claim after its notification was sent.
    pub(crate) async fn complete_notification(&self, subject: &ClaimSubject<'_>) -> Result<(), EngineError> {
        self.write_or_skip(&subject.completion_update(self.owner, self.aws.now())).await
    }

    /// Gives a claim back for the next delivery. If this write is lost, the lease runs out instead.
    pub(crate) async fn release_notification(&self, subject: &ClaimSubject<'_>) {
        let update = ItemUpdate::new(subject.item_key())
            .remove_attributes(CLAIM_ATTRIBUTES)
            .only_if(is_owner(self.owner));
        drop(self.write_item(&update).await);
    }
}

impl ClaimSubject<'_> {
    fn claim_update(&self, owner: &str, now: Timestamp, lease: Span) -> ItemUpdate {
        let is_free = Any(vec![Absent(LEASE_UNTIL), LessThan(LEASE_UNTIL, now.millis())]);
        ItemUpdate::new(self.item_key())
            .set_text(OWNER, owner)
            .set_number(LEASE_UNTIL, now.plus(lease).millis())
            .set_number(TTL, self.expiry_seconds(now))
            .only_if(All(vec![is_free, self.is_due()]))
    }

    /// The state of the incident after the notification.
    fn completion_update(&self, owner: &str, now: Timestamp) -> ItemUpdate {
        let mut update = ItemUpdate::new(self.item_key())
            .set_number(TTL, self.expiry_seconds(now))
            .remove_attributes(CLAIM_ATTRIBUTES);
        match self {
            Self::Page { content, resolved_at, .. } => {
                let PageContent { first, last, severity, extent, .. } = content;
                update = update
                    .set_number(FIRST, first.millis())
                    .set_number(LAST, last.millis())
                    .set_number(PAGED, i64::from(severity.rank()))
                    .set_number(PAGED_SECRETS, to_number(extent.secrets))
                    .set_number(PAGED_REGIONS, to_number(extent.regions))
                    .set_number(PAGED_LISTS, to_number(extent.lists))
                    .set_number(PAGED_REMINDERS, to_number(extent.reminders))
                    .set_number(PAGED_ORIGINS, to_number(extent.origins.len()))
                    .set_text(ORIGINS, &write_origins(&extent.origins))
                    .remove_attributes([AUTO_RESOLVED_AFTER]);
                update = match resolved_at {
                    Some(resolved_at) => update.set_number(RESOLVED, resolved_at.millis()),
                    None => update.remove_attributes([RESOLVED]),
                };
            }
            Self::Resolution { resolved_at, last_event, .. } => {
                update = update.set_number(RESOLVED, resolved_at.millis());
                if let Some(last_event) = last_event {
                    update = update.set_number(AUTO_RESOLVED_AFTER, last_event.millis());
                }
            }
        }
        update.only_if(is_owner(owner))
    }

    fn item_key(&self) -> ItemKey {
        match self {
            Self::Page { key, .. } | Self::Resolution { key, .. } => schema::incident_key(key),
        }
    }

    /// The condition under which the notification is to be sent.
    fn is_due(&self) -> WriteCondition {
        match self {
            Self::Page { content, resolve_after, .. } => {
                write_condition(&is_page_due(content, *resolve_after))
            }
            Self::Resolution { resolved_at, last_event, .. } => {
                write_condition(&is_resolution_due(*resolved_at, *last_event))
            }
        }
    }

    /// The condition under which the notification says something that nobody was notified of.
    fn has_news(&self) -> WriteCondition {
        match self {
            Self::Page { content, resolve_after, .. } => {
                write_condition(&has_page_news(content, *resolve_after))
            }
            Self::Resolution { .. } => self.is_due(),
        }
    }

    fn expiry_seconds(&self, now: Timestamp) -> i64 {
        let (last, resolve_after) = match self {
            Self::Page { content, resolve_after, .. } => (content.last, *resolve_after),
            Self::Resolution { resolved_at, resolve_after, .. } => (*resolved_at, *resolve_after),
        };
        expiry_seconds(now, last, resolve_after.max(INCIDENT_LIFETIME))
    }
}

fn to_number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The origins as a JSON list.
fn write_origins(origins: &OriginSet) -> String {
    serde_json::to_string(origins).unwrap_or_default()
}

fn is_owner(owner: &str) -> WriteCondition {
    Equals(OWNER, AttributeValue::Text(owner.to_owned()))
}

/// Says why a claim was refused, from the item as it is:
///
/// 1. the notification has no news: done, even while another invocation sends a more severe page;
/// 2. this invocation holds the claim: the SDK sent the request twice, and the second one met the first: granted;
/// 3. another invocation holds the claim, or has sent a page that says more in one way and less in another: the event comes
///    again, and is decided with what that page said.
fn explain_refused_claim(
    subject: &ClaimSubject<'_>,
    item: &TableItem,
    owner: &str,
    now: Timestamp,
) -> ClaimResult {
    // 1. No news.
    if !subject.has_news().holds(Some(item)) {
        return ClaimResult::AlreadyDone;
    }
    // 2. Our own claim.
    let is_leased = item.timestamp(LEASE_UNTIL).is_some_and(|until| until >= now);
    if is_leased && item.text(OWNER) == Some(owner) {
        return ClaimResult::Granted;
    }
    // 3. Another's claim, or an older state.
    ClaimResult::HeldElsewhere
}

#[cfg(test)]
mod tests {
    use responder_core::severity::Severity;
    use responder_core::state::incident_extent::IncidentExtent;
    use responder_core::state::origin_set::Origin;

    use super::*;

    fn example(fields: &[(&str, i64)]) -> TableItem {
        let values = fields.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::Number(*value)));
        TableItem { values: values.collect(), ..TableItem::default() }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn page(first: i64, last: i64, severity: Severity) -> ClaimSubject<'static> {
        page_of(first, last, severity, 0)
    }

    fn page_of(first: i64, last: i64, severity: Severity, secrets: usize) -> ClaimSubject<'static> {
        let resolve_after = Span::from_millis(100);
        let extent = IncidentExtent { secrets, ..IncidentExtent::default() };
        let content = PageContent {
            first: at(first),
            last: at(last),
            severity,
            extent,
            has_settled: false,
            notified: extent,
        };
        ClaimSubject::Page { key: "k", content, resolved_at: None, resolve_after }
    }

    fn claimed(subject: &ClaimSubject<'_>, fields: &[(&str, i64)], owner: Option<&str>) -> ClaimResult {
        let mut item = example(fields);
        item.values.extend(owner.map(|owner| ("owner".to_owned(), AttributeValue::Text(owner.to_owned()))));
        explain_refused_claim(subject, &item, "me", at(1_000))
    }

    const SAID: [(&str, i64); 3] = [("first", 500), ("last", 600), ("paged", 2)];

    #[test]
    fn what_was_said_as_urgently_about_this_occurrence_is_done() {
        assert_eq!(claimed(&page(550, 650, Severity::Medium), &SAID, None), ClaimResult::AlreadyDone);
        assert_eq!(claimed(&page(700, 700, Severity::Low), &SAID, None), ClaimResult::AlreadyDone);
        // Done is done, also while somebody says more.
        let leased = [SAID[0], SAID[1], SAID[2], ("lease_until", 2_000)];
        assert_eq!(
            claimed(&page(550, 650, Severity::Medium), &leased, Some("you")),
            ClaimResult::AlreadyDone
        );
    }

    #[test]
    fn worse_later_earlier_or_after_the_end_is_not_done() {
        assert_eq!(claimed(&page(550, 650, Severity::High), &SAID, Some("you")), ClaimResult::HeldElsewhere);
        assert_eq!(claimed(&page(701, 701, Severity::Low), &SAID, None), ClaimResult::HeldElsewhere);
        assert_eq!(claimed(&page(1, 399, Severity::Low), &SAID, None), ClaimResult::HeldElsewhere);
        let over = [SAID[0], SAID[1], SAID[2], ("resolved", 620)];
        assert_eq!(claimed(&page(650, 650, Severity::Low), &over, None), ClaimResult::HeldElsewhere);
    }

    #[test]
    fn growth_is_due_once_for_each_step_and_takes_no_other_page_back() {
        let told = [SAID[0], SAID[1], SAID[2], ("paged_secrets", 12)];
        let is_due =
            |severity, secrets| page_of(550, 650, severity, secrets).is_due().holds(Some(&example(&told)));
        assert!(!is_due(Severity::Medium, 19) && is_due(Severity::Medium, 20));
        // Done: no step more than the last page.
        let grown = page_of(550, 650, Severity::Medium, 19);
        assert_eq!(claimed(&grown, &told, None), ClaimResult::AlreadyDone);
        // More secrets and less severe, or the other way round: decided again with the newer state.
        for (severity, secrets) in [(Severity::Low, 20), (Severity::High, 11)] {
            assert!(!is_due(severity, secrets));
            let mixed = page_of(550, 650, severity, secrets);
            assert_eq!(claimed(&mixed, &told, None), ClaimResult::HeldElsewhere);
        }
        // Another occurrence begins from nothing.
        assert!(page_of(701, 701, Severity::Low, 1).is_due().holds(Some(&example(&told))));
        // An earlier release did not write how many secrets its page named.
        assert!(page_of(550, 650, Severity::Medium, 10).is_due().holds(Some(&example(&SAID))));
        assert!(!page_of(550, 650, Severity::Medium, 9).is_due().holds(Some(&example(&SAID))));
    }

    #[test]
    fn last_figures_are_due_while_they_tell_more_than_the_pages_did() {
        let told = [SAID[0], SAID[1], SAID[2], ("paged_secrets", 20)];
        for (secrets, is_due) in [(33, true), (20, false)] {
            let mut page = page_of(550, 650, Severity::Medium, secrets);
            if let ClaimSubject::Page { content, .. } = &mut page {
                content.has_settled = true;
            }
            assert_eq!(page.is_due().holds(Some(&example(&told))), is_due);
        }
    }

    #[test]
    fn a_new_address_is_due_after_the_origins_that_the_decision_knew_alone() {
        let origins = |addresses: &[&str]| {
            let mut origins = OriginSet::default();
            for address in addresses {
                origins.insert(Origin::of_address(address));
            }
            IncidentExtent { origins, ..IncidentExtent::default() }
        };
        let mut page = page_of(550, 650, Severity::High, 0);
        if let ClaimSubject::Page { content, .. } = &mut page {
            content.notified = origins(&["192.0.2.1"]);
            content.extent = origins(&["192.0.2.1", "192.0.2.2"]);
        }
        let told = |count| [SAID[0], SAID[1], ("paged", 3), ("paged_origins", count)];
        assert!(page.is_due().holds(Some(&example(&told(1)))));
        // Another page told a second address meanwhile, this one or another one: decided again.
        assert!(!page.is_due().holds(Some(&example(&told(2)))));
        assert_eq!(claimed(&page, &told(2), None), ClaimResult::HeldElsewhere);
        // A page that knows of fewer addresses takes none back.
        let grown = page_of(550, 650, Severity::High, 10);
        assert_eq!(claimed(&grown, &told(2), None), ClaimResult::HeldElsewhere);
    }

    #[test]
    fn a_repeated_request_finds_its_own_claim() {
        let leased = [("lease_until", 2_000)];
        assert_eq!(claimed(&page(1, 1, Severity::Low), &leased, Some("me")), ClaimResult::Granted);
        assert_eq!(claimed(&page(1, 1, Severity::Low), &leased, Some("you")), ClaimResult::HeldElsewhere);
        assert_eq!(
            claimed(&page(1, 1, Severity::Low), &[("lease_until", 999)], Some("me")),
            ClaimResult::HeldElsewhere
        );
    }

    #[test]
    fn an_end_is_said_once_and_only_of_what_was_said() {
        let end = ClaimSubject::Resolution {
            key: "k",
            resolved_at: at(700),
            last_event: None,
            resolve_after: Span::from_millis(100),
        };
        assert_eq!(claimed(&end, &[], None), ClaimResult::AlreadyDone);
        assert_eq!(
            claimed(&end, &[SAID[0], SAID[1], SAID[2], ("resolved", 700)], None),
            ClaimResult::AlreadyDone
        );
        assert_eq!(claimed(&end, &SAID, Some("you")), ClaimResult::HeldElsewhere);
    }

    #[test]
    fn every_item_that_is_written_expires_and_a_claim_ends_when_it_is_done() {
        let end = ClaimSubject::Resolution {
            key: "k",
            resolved_at: at(700),
            last_event: None,
            resolve_after: Span::from_millis(100),
        };
        for subject in [page(1, 2, Severity::Low), end] {
            let claim = subject.claim_update("me", at(1_000), Span::from_secs(60)).apply(None);
            assert_eq!((claim.text("owner"), claim.number("lease_until")), (Some("me"), Some(61_000)));
            let done = subject.completion_update("me", at(1_000));
            assert!(done.condition.holds(Some(&claim)) && !done.condition.holds(None));
            let done = done.apply(Some(claim.clone()));
            assert_eq!((done.text("owner"), done.number("lease_until")), (None, None));
            for item in [claim, done] {
                assert!(item.number("ttl").is_some_and(|ttl| ttl >= 30 * 86_400), "{item:?}");
            }
        }
    }
}
