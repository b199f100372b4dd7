//! Claims: requested -> claimed (owner, lease) -> done. One of many invocations acts, and none is forgotten.
//!
//! A claim that another one holds is an error, so that the queue delivers the event again: only `done` means done.

use aws_sdk_dynamodb::types::AttributeValue;
use responder_core::rules::Severity;
use responder_core::time::{Span, Timestamp};

use super::item::{Item, Key};
use super::update::Update;
use super::{DEPLOYMENTS_KEPT, INCIDENTS_KEPT, Ledger, Written, expiry};
use crate::deadline::now;
use crate::error::Error;

/// What is to be done at most once.
#[derive(Clone, Debug)]
pub(crate) enum Subject<'a> {
    /// Say that an incident is there, or that it is worse.
    Page {
        key: &'a str,
        first: Timestamp,
        last: Timestamp,
        severity: Severity,
        /// When it was over, if it is.
        resolved: Option<Timestamp>,
        quiet: Span,
    },
    /// Say that an incident is over.
    Resolution { key: &'a str, at: Timestamp, quiet: Span },
    /// Deploy a service anew.
    Deployment { service: &'a str, fresh_from: Timestamp },
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It is ours: act, then finish or release it.
    Ours,
    /// It was done before.
    Done,
    /// Another invocation is at it.
    Held,
}

impl Ledger {
    /// Claims the subject.
    pub(crate) async fn claim(&self, subject: &Subject<'_>) -> Result<Claimed, Error> {
        let now = now();
        match self.write(self.request(subject, now)).await? {
            Written::Yes => Ok(Claimed::Ours),
            Written::No(item) => {
                Ok(item.map_or(Claimed::Held, |item| judge(subject, &item, &self.owner, now)))
            }
        }
    }

    /// Marks the subject as done, with what is to be remembered beside.
    pub(crate) async fn finish(
        &self,
        subject: &Subject<'_>,
        more: &[(&str, AttributeValue)],
    ) -> Result<(), Error> {
        self.write(self.completion(subject, more)).await.map(|_| ())
    }

    /// Gives a claim back, for the next delivery; otherwise its lease runs out.
    pub(crate) async fn release(&self, subject: &Subject<'_>) {
        let update = Update::of(subject.key(), "REMOVE #owner, #lease_until")
            .only_if("#owner = :owner")
            .text(":owner", &self.owner);
        // The lease ends it, if this does not.
        drop(self.write(update).await);
    }

    fn request(&self, subject: &Subject<'_>, now: Timestamp) -> Update {
        let free = "attribute_not_exists(#lease_until) OR #lease_until < :now";
        let update =
            Update::of(subject.key(), "SET #owner = :owner, #lease_until = :lease_until, #ttl = :ttl")
                .only_if(format!("({free}) AND ({})", subject.undone()))
                .text(":owner", &self.owner)
                .number(":now", now.millis())
                .number(":lease_until", now.plus(self.lease).millis())
                .number(":ttl", subject.expiry());
        subject.bind(update)
    }

    fn completion(&self, subject: &Subject<'_>, more: &[(&str, AttributeValue)]) -> Update {
        let (own, removed) = subject.outcome();
        let number = |millis: i64| AttributeValue::N(millis.to_string());
        let own = own.into_iter().map(|(name, value)| (name, number(value)));
        let ttl = [("ttl", number(subject.expiry()))];
        let all: Vec<(&str, AttributeValue)> = own.chain(more.iter().cloned()).chain(ttl).collect();
        let set: Vec<String> = all.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let mut remove = vec!["#owner".to_owned(), "#lease_until".to_owned()];
        remove.extend(removed.map(|name| format!("#{name}")));
        let expression = format!("SET {} REMOVE {}", set.join(", "), remove.join(", "));
        let update =
            Update::of(subject.key(), expression).only_if("#owner = :owner").text(":owner", &self.owner);
        all.into_iter().fold(update, |update, (name, value)| update.value(&format!(":{name}"), value))
    }
}

impl Subject<'_> {
    fn key(&self) -> Key {
        match self {
            Self::Page { key, .. } | Self::Resolution { key, .. } => Key::incident(key),
            Self::Deployment { service, .. } => Key::service(service),
        }
    }

    /// The condition under which it is still to be done. A page: never said, or less urgently, or this is another
    /// occurrence (the same test as the core's). Comparisons with an absent attribute do not hold.
    fn undone(&self) -> &'static str {
        match self {
            Self::Page { .. } => {
                "attribute_not_exists(#paged) OR #paged < :rank OR #last < :before OR #first > :after \
                 OR #resolved < :first"
            }
            Self::Resolution { .. } => {
                "attribute_exists(#paged) AND (attribute_not_exists(#resolved) OR #resolved < :at)"
            }
            Self::Deployment { .. } => "attribute_not_exists(#asked_at) OR #asked_at < :fresh_from",
        }
    }

    /// The values of [`Subject::undone`].
    fn bind(&self, update: Update) -> Update {
        match self {
            Self::Page { first, last, severity, quiet, .. } => update
                .number(":rank", i64::from(severity.rank()))
                .number(":before", first.minus(*quiet).millis())
                .number(":after", last.plus(*quiet).millis())
                .number(":first", first.millis()),
            Self::Resolution { at, .. } => update.number(":at", at.millis()),
            Self::Deployment { fresh_from, .. } => update.number(":fresh_from", fresh_from.millis()),
        }
    }

    /// The same as [`Subject::undone`], of an item in hand.
    fn is_done(&self, item: &Item) -> bool {
        match self {
            Self::Page { first, last, severity, quiet, .. } => item.incident().is_some_and(|said| {
                let another = said.last < first.minus(*quiet) || said.first > last.plus(*quiet);
                let over = said.resolved.is_some_and(|resolved| resolved < *first);
                said.severity >= *severity && !another && !over
            }),
            Self::Resolution { at, .. } => {
                item.incident().is_none_or(|said| said.resolved.is_some_and(|resolved| resolved >= *at))
            }
            Self::Deployment { fresh_from, .. } => {
                item.instant("asked_at").is_some_and(|asked| asked >= *fresh_from)
            }
        }
    }

    /// What is remembered when it is done, and what is forgotten.
    fn outcome(&self) -> (Vec<(&'static str, i64)>, Option<&'static str>) {
        match self {
            Self::Page { first, last, severity, resolved, .. } => {
                let mut set = vec![
                    ("first", first.millis()),
                    ("last", last.millis()),
                    ("paged", i64::from(severity.rank())),
                ];
                set.extend(resolved.map(|at| ("resolved", at.millis())));
                (set, resolved.is_none().then_some("resolved"))
            }
            Self::Resolution { at, .. } => (vec![("resolved", at.millis())], None),
            Self::Deployment { .. } => (Vec::new(), None),
        }
    }

    fn expiry(&self) -> i64 {
        match self {
            Self::Page { last, quiet, .. } => expiry(*last, (*quiet).max(INCIDENTS_KEPT)),
            Self::Resolution { at, quiet, .. } => expiry(*at, (*quiet).max(INCIDENTS_KEPT)),
            Self::Deployment { .. } => expiry(now(), DEPLOYMENTS_KEPT),
        }
    }
}

/// Why a claim was refused, from the item as it stood. A request that the SDK had to send twice may find its own claim.
fn judge(subject: &Subject<'_>, item: &Item, owner: &str, now: Timestamp) -> Claimed {
    if subject.is_done(item) {
        Claimed::Done
    } else if item.text("owner") == Some(owner)
        && item.instant("lease_until").is_some_and(|until| until >= now)
    {
        Claimed::Ours
    } else {
        Claimed::Held
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::item::example;
    use super::*;
    use crate::config::Config;
    use crate::deadline::Deadline;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn page(first: i64, last: i64, severity: Severity) -> Subject<'static> {
        let quiet = Span::from_millis(100);
        Subject::Page { key: "k", first: at(first), last: at(last), severity, resolved: None, quiet }
    }

    fn claimed(subject: &Subject<'_>, fields: &[(&str, i64)], owner: Option<&str>) -> Claimed {
        let mut item = example(fields);
        item.0.extend(owner.map(|owner| ("owner".to_owned(), AttributeValue::S(owner.to_owned()))));
        judge(subject, &item, "me", at(1_000))
    }

    const SAID: [(&str, i64); 3] = [("first", 500), ("last", 600), ("paged", 2)];

    #[test]
    fn what_was_said_as_urgently_about_this_occurrence_is_done() {
        assert_eq!(claimed(&page(550, 650, Severity::Medium), &SAID, None), Claimed::Done);
        assert_eq!(claimed(&page(700, 700, Severity::Low), &SAID, None), Claimed::Done);
        // Done is done, also while somebody says more.
        let leased = [SAID[0], SAID[1], SAID[2], ("lease_until", 2_000)];
        assert_eq!(claimed(&page(550, 650, Severity::Medium), &leased, Some("you")), Claimed::Done);
    }

    #[test]
    fn worse_later_earlier_or_after_the_end_is_not_done() {
        assert_eq!(claimed(&page(550, 650, Severity::High), &SAID, Some("you")), Claimed::Held);
        assert_eq!(claimed(&page(701, 701, Severity::Low), &SAID, None), Claimed::Held);
        assert_eq!(claimed(&page(1, 399, Severity::Low), &SAID, None), Claimed::Held);
        let over = [SAID[0], SAID[1], SAID[2], ("resolved", 620)];
        assert_eq!(claimed(&page(650, 650, Severity::Low), &over, None), Claimed::Held);
    }

    #[test]
    fn a_repeated_request_finds_its_own_claim() {
        let leased = [("lease_until", 2_000)];
        assert_eq!(claimed(&page(1, 1, Severity::Low), &leased, Some("me")), Claimed::Ours);
        assert_eq!(claimed(&page(1, 1, Severity::Low), &leased, Some("you")), Claimed::Held);
        assert_eq!(claimed(&page(1, 1, Severity::Low), &[("lease_until", 999)], Some("me")), Claimed::Held);
    }

    #[test]
    fn an_end_is_said_once_and_only_of_what_was_said() {
        let end = Subject::Resolution { key: "k", at: at(700), quiet: Span::from_millis(100) };
        assert_eq!(claimed(&end, &[], None), Claimed::Done);
        assert_eq!(claimed(&end, &[SAID[0], SAID[1], SAID[2], ("resolved", 700)], None), Claimed::Done);
        assert_eq!(claimed(&end, &SAID, Some("you")), Claimed::Held);
    }

    #[test]
    fn a_deployment_that_was_asked_for_since_is_done() {
        let deploy = Subject::Deployment { service: "s", fresh_from: at(500) };
        assert_eq!(claimed(&deploy, &[("asked_at", 500)], None), Claimed::Done);
        assert_eq!(claimed(&deploy, &[("asked_at", 499), ("lease_until", 2_000)], None), Claimed::Held);
    }

    #[test]
    fn every_value_that_is_sent_is_used_and_every_item_expires() {
        let variable = |name: &str| {
            let topic = "arn:aws:sns:us-west-2:111122223333:pages";
            Some(if name == "PAGE_TOPIC_ARN" { topic } else { "60" }.to_owned())
        };
        let mut config = Config::parse(|name| {
            variable(name).filter(|_| !name.ends_with("SECONDS") && !name.starts_with("RUNBOOK"))
        })
        .unwrap();
        config.lease = Span::from_secs(60);
        let ledger = Ledger {
            client: crate::clients::Clients::new(&config).dynamodb,
            table: "t".to_owned(),
            owner: "me".to_owned(),
            lease: config.lease,
            deadline: Deadline::of(0, config.lease),
            down: Arc::default(),
        };
        let end = Subject::Resolution { key: "k", at: at(700), quiet: Span::from_millis(100) };
        let deploy = Subject::Deployment { service: "s", fresh_from: at(500) };
        for subject in [page(1, 2, Severity::Low), end, deploy] {
            let more = [("asked_at", AttributeValue::N("1".to_owned()))];
            for update in [ledger.request(&subject, at(1_000)), ledger.completion(&subject, &more)] {
                let text = format!("{} {}", update.expression, update.condition.clone().unwrap_or_default());
                let words: Vec<&str> =
                    text.split(|c: char| !c.is_ascii_alphanumeric() && !":#_".contains(c)).collect();
                for name in update.values.keys() {
                    assert!(words.contains(&name.as_str()), "{name} in {text}");
                }
                let used: Vec<&&str> = words.iter().filter(|word| word.starts_with(':')).collect();
                assert!(used.iter().all(|name| update.values.contains_key(**name)), "{text}");
                assert!(text.contains("#ttl = :ttl"), "{text}");
            }
        }
    }
}
