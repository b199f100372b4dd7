//! Claims: requested -> claimed (owner, lease) -> done. One of many invocations acts, and none is forgotten.
//!
//! A claim that another one holds is an error, so that the queue delivers the event again: only `done` means done.

use responder_core::severity::Severity;
use responder_core::state::incident_state::{is_page_due, is_resolution_due};
use responder_core::time::{Span, Timestamp};

use super::conditions::write_condition;
use super::{INCIDENTS_KEPT, Ledger, expiry};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, All, Any, Equal, Less};
use crate::port::{AttributeValue, AwsPort, ItemKey, ItemUpdate, TableItem, WriteCondition, WriteResult};

/// What is to be done at most once.
#[derive(Clone, Debug)]
pub(crate) enum ClaimSubject<'a> {
    /// Say that an incident is there, or that it is worse.
    Page {
        key: &'a str,
        first: Timestamp,
        last: Timestamp,
        severity: Severity,
        /// When it was over, if it is.
        resolved: Option<Timestamp>,
        resolve_after: Span,
    },
    /// Say that an incident is over.
    Resolution {
        key: &'a str,
        at: Timestamp,
        /// Its last event, if it is over because nothing followed.
        silent_since: Option<Timestamp>,
        resolve_after: Span,
    },
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimResult {
    /// It is ours: act, then finish or release it.
    Ours,
    /// It was done before.
    Done,
    /// Another invocation is at it.
    Held,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Claims the subject.
    pub(crate) async fn claim(&self, subject: &ClaimSubject<'_>) -> Result<ClaimResult, EngineError> {
        let now = self.aws.now();
        match self.write(&self.request(subject, now)).await? {
            WriteResult::Yes => Ok(ClaimResult::Ours),
            WriteResult::No(item) => {
                Ok(item.map_or(ClaimResult::Held, |item| judge(subject, &item, self.owner, now)))
            }
        }
    }

    /// Marks the subject as done, with what is to be remembered beside.
    pub(crate) async fn finish(
        &self,
        subject: &ClaimSubject<'_>,
        more: Vec<(&'static str, AttributeValue)>,
    ) -> Result<(), EngineError> {
        self.write(&self.completion(subject, more)).await.map(|_| ())
    }

    /// Gives a claim back, for the next delivery; otherwise its lease runs out.
    pub(crate) async fn release(&self, subject: &ClaimSubject<'_>) {
        let update = ItemUpdate::of(subject.key()).remove(CLAIM).only_if(self.is_ours());
        // The lease ends it, if this does not.
        drop(self.write(&update).await);
    }

    fn request(&self, subject: &ClaimSubject<'_>, now: Timestamp) -> ItemUpdate {
        let free = Any(vec![Absent("lease_until"), Less("lease_until", now.millis())]);
        ItemUpdate::of(subject.key())
            .text("owner", self.owner)
            .number("lease_until", now.plus(self.lease).millis())
            .number("ttl", subject.expiry(now))
            .only_if(All(vec![free, subject.is_due()]))
    }

    fn completion(
        &self,
        subject: &ClaimSubject<'_>,
        more: Vec<(&'static str, AttributeValue)>,
    ) -> ItemUpdate {
        let (own, removed) = subject.outcome();
        let own = own.into_iter().map(|(name, millis)| (name, AttributeValue::Number(millis)));
        own.chain(more)
            .fold(ItemUpdate::of(subject.key()), |update, (name, value)| update.value(name, value))
            .number("ttl", subject.expiry(self.aws.now()))
            .remove(CLAIM.into_iter().chain(removed))
            .only_if(self.is_ours())
    }

    fn is_ours(&self) -> WriteCondition {
        Equal("owner", AttributeValue::Text(self.owner.to_owned()))
    }
}

/// The attributes of a claim.
const CLAIM: [&str; 2] = ["owner", "lease_until"];

impl ClaimSubject<'_> {
    fn key(&self) -> ItemKey {
        match self {
            Self::Page { key, .. } | Self::Resolution { key, .. } => ItemKey::incident(key),
        }
    }

    /// The condition under which it is still to be done.
    fn is_due(&self) -> WriteCondition {
        match self {
            Self::Page { first, last, severity, resolve_after, .. } => {
                write_condition(&is_page_due(*first, *last, *severity, *resolve_after))
            }
            Self::Resolution { at, silent_since, .. } => {
                write_condition(&is_resolution_due(*at, *silent_since))
            }
        }
    }

    /// What is remembered when it is done, and what is forgotten.
    fn outcome(&self) -> (Vec<(&'static str, i64)>, Vec<&'static str>) {
        match self {
            Self::Page { first, last, severity, resolved, .. } => {
                let mut set = vec![
                    ("first", first.millis()),
                    ("last", last.millis()),
                    ("paged", i64::from(severity.rank())),
                ];
                set.extend(resolved.map(|at| ("resolved", at.millis())));
                let open = resolved.is_none().then_some("resolved");
                (set, std::iter::once("silent_since").chain(open).collect())
            }
            Self::Resolution { at, silent_since, .. } => {
                let since = silent_since.map(|last| ("silent_since", last.millis()));
                (std::iter::once(("resolved", at.millis())).chain(since).collect(), Vec::new())
            }
        }
    }

    fn expiry(&self, now: Timestamp) -> i64 {
        match self {
            Self::Page { last, resolve_after, .. } => {
                expiry(now, *last, (*resolve_after).max(INCIDENTS_KEPT))
            }
            Self::Resolution { at, resolve_after, .. } => {
                expiry(now, *at, (*resolve_after).max(INCIDENTS_KEPT))
            }
        }
    }
}

/// Why a claim was refused, from the item as it stood. A request that the SDK had to send twice may find its own claim.
fn judge(subject: &ClaimSubject<'_>, item: &TableItem, owner: &str, now: Timestamp) -> ClaimResult {
    if !subject.is_due().holds(Some(item)) {
        ClaimResult::Done
    } else if item.text("owner") == Some(owner)
        && item.instant("lease_until").is_some_and(|until| until >= now)
    {
        ClaimResult::Ours
    } else {
        ClaimResult::Held
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::example;
    use super::*;
    use crate::deadline::Deadline;
    use crate::fake::EngineFake;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn page(first: i64, last: i64, severity: Severity) -> ClaimSubject<'static> {
        let resolve_after = Span::from_millis(100);
        ClaimSubject::Page {
            key: "k",
            first: at(first),
            last: at(last),
            severity,
            resolved: None,
            resolve_after,
        }
    }

    fn claimed(subject: &ClaimSubject<'_>, fields: &[(&str, i64)], owner: Option<&str>) -> ClaimResult {
        let mut item = example(fields);
        item.values.extend(owner.map(|owner| ("owner".to_owned(), AttributeValue::Text(owner.to_owned()))));
        judge(subject, &item, "me", at(1_000))
    }

    const SAID: [(&str, i64); 3] = [("first", 500), ("last", 600), ("paged", 2)];

    #[test]
    fn what_was_said_as_urgently_about_this_occurrence_is_done() {
        assert_eq!(claimed(&page(550, 650, Severity::Medium), &SAID, None), ClaimResult::Done);
        assert_eq!(claimed(&page(700, 700, Severity::Low), &SAID, None), ClaimResult::Done);
        // Done is done, also while somebody says more.
        let leased = [SAID[0], SAID[1], SAID[2], ("lease_until", 2_000)];
        assert_eq!(claimed(&page(550, 650, Severity::Medium), &leased, Some("you")), ClaimResult::Done);
    }

    #[test]
    fn worse_later_earlier_or_after_the_end_is_not_done() {
        assert_eq!(claimed(&page(550, 650, Severity::High), &SAID, Some("you")), ClaimResult::Held);
        assert_eq!(claimed(&page(701, 701, Severity::Low), &SAID, None), ClaimResult::Held);
        assert_eq!(claimed(&page(1, 399, Severity::Low), &SAID, None), ClaimResult::Held);
        let over = [SAID[0], SAID[1], SAID[2], ("resolved", 620)];
        assert_eq!(claimed(&page(650, 650, Severity::Low), &over, None), ClaimResult::Held);
    }

    #[test]
    fn a_repeated_request_finds_its_own_claim() {
        let leased = [("lease_until", 2_000)];
        assert_eq!(claimed(&page(1, 1, Severity::Low), &leased, Some("me")), ClaimResult::Ours);
        assert_eq!(claimed(&page(1, 1, Severity::Low), &leased, Some("you")), ClaimResult::Held);
        assert_eq!(
            claimed(&page(1, 1, Severity::Low), &[("lease_until", 999)], Some("me")),
            ClaimResult::Held
        );
    }

    #[test]
    fn an_end_is_said_once_and_only_of_what_was_said() {
        let end = ClaimSubject::Resolution {
            key: "k",
            at: at(700),
            silent_since: None,
            resolve_after: Span::from_millis(100),
        };
        assert_eq!(claimed(&end, &[], None), ClaimResult::Done);
        assert_eq!(claimed(&end, &[SAID[0], SAID[1], SAID[2], ("resolved", 700)], None), ClaimResult::Done);
        assert_eq!(claimed(&end, &SAID, Some("you")), ClaimResult::Held);
    }

    #[test]
    fn every_item_that_is_written_expires_and_a_claim_ends_when_it_is_done() {
        let aws = EngineFake::default();
        let lease = Span::from_secs(60);
        let ledger = Ledger::new(&aws, "me", lease, Deadline::of(at(60_000), lease, at(0)));
        let end = ClaimSubject::Resolution {
            key: "k",
            at: at(700),
            silent_since: None,
            resolve_after: Span::from_millis(100),
        };
        for subject in [page(1, 2, Severity::Low), end] {
            let claim = ledger.request(&subject, at(1_000)).apply(None);
            assert_eq!((claim.text("owner"), claim.number("lease_until")), (Some("me"), Some(61_000)));
            let done = ledger.completion(&subject, vec![("asked_at", AttributeValue::Number(1_000))]);
            assert!(done.condition.holds(Some(&claim)) && !done.condition.holds(None));
            let done = done.apply(Some(claim.clone()));
            assert_eq!((done.text("owner"), done.number("lease_until")), (None, None));
            for item in [claim, done] {
                assert!(item.number("ttl").is_some_and(|ttl| ttl >= 30 * 86_400), "{item:?}");
            }
        }
    }
}
