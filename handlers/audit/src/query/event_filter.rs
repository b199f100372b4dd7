//! A filter of events: by time, account, Region, secret and principal.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::principal_query::PrincipalQuery;
use super::secret_query::SecretQuery;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// A filter of events. An event fits if each kind of value that is given has a value that fits. A filter that is empty
/// fits every event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventFilter {
    /// The start of the window, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The end of the window, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Account ids: that of the event, or that of one of its secrets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<String>,
    /// Regions: that of the event, or that of one of its secrets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
    /// Secrets. An event that hides which secrets it is about fits too: it may be about one of them.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "write_secrets")]
    pub secrets: Vec<SecretQuery>,
    /// Principals.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "write_principals")]
    pub principals: Vec<PrincipalQuery>,
}

fn write_secrets<S: Serializer>(secrets: &[SecretQuery], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(SecretQuery::text))
}

fn write_principals<S: Serializer>(principals: &[PrincipalQuery], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(principals.iter().map(PrincipalQuery::text))
}

/// Everything of an event that a filter looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSubject {
    /// The time of the event.
    pub at: Timestamp,
    /// The account of the event.
    pub account: String,
    /// The Region of the event.
    pub region: String,
    /// The secrets that it is about.
    pub secrets: Vec<SecretRef>,
    /// Whether `secrets` is all of them.
    pub secrets_known: bool,
    /// The caller, as notifications name it; empty if the event has none.
    pub principal: Untrusted,
    /// The name of the caller's session.
    pub session: Option<Untrusted>,
}

impl EventSubject {
    /// The subject of an event.
    pub fn from_event(event: &Event) -> Self {
        Self {
            at: event.time,
            account: event.account.clone(),
            region: event.region.clone(),
            secrets: event.secrets.clone(),
            secrets_known: event.secrets_known,
            principal: event.principal.id.clone(),
            session: event.principal.session_name.clone(),
        }
    }
}

impl EventFilter {
    /// Whether it fits every event.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an instant is in the window.
    pub fn includes_time(&self, at: Timestamp) -> bool {
        let is_before = self.since.is_some_and(|since| at < since);
        let is_after = self.until.is_some_and(|until| at >= until);
        !is_before && !is_after
    }

    /// Whether an event fits.
    pub fn fits(&self, subject: &EventSubject) -> bool {
        self.includes_time(subject.at)
            && self.fits_subject_place(subject)
            && self.fits_subject_secret(subject)
            && self.fits_principal(&subject.principal, subject.session.as_ref())
    }

    fn fits_subject_place(&self, subject: &EventSubject) -> bool {
        let mut accounts = vec![&subject.account];
        let mut regions = vec![&subject.region];
        for secret in &subject.secrets {
            accounts.push(&secret.account);
            regions.push(&secret.region);
        }
        self.fits_places(&accounts, &regions)
    }

    /// Whether one of the accounts and one of the Regions fit.
    pub fn fits_places(&self, accounts: &[&String], regions: &[&String]) -> bool {
        let fits_account =
            self.accounts.is_empty() || accounts.iter().any(|account| self.accounts.contains(*account));
        let fits_region =
            self.regions.is_empty() || regions.iter().any(|region| self.regions.contains(*region));
        fits_account && fits_region
    }

    fn fits_subject_secret(&self, subject: &EventSubject) -> bool {
        for query in &self.secrets {
            if !subject.secrets_known && query.includes_account(&subject.account) {
                return true;
            }
        }
        subject.secrets.iter().any(|secret| self.fits_secret(secret)) || self.secrets.is_empty()
    }

    /// Whether a secret fits.
    pub fn fits_secret(&self, secret: &SecretRef) -> bool {
        self.secrets.is_empty() || self.secrets.iter().any(|query| query.may_mean(secret))
    }

    /// Whether a role of which only account and name are known fits, written as `111122223333:role/app`.
    pub fn fits_role(&self, role: &Untrusted) -> bool {
        self.principals.is_empty() || self.principals.iter().any(|query| query.may_mean_role(role))
    }

    /// Whether a principal or its session fits.
    pub fn fits_principal(&self, principal: &Untrusted, session: Option<&Untrusted>) -> bool {
        self.principals.is_empty() || self.principals.iter().any(|query| query.may_mean(principal, session))
    }
}

/// The secrets and principals of a filter that no event has named so far: somebody may have mistyped them.
#[derive(Clone, Debug, Default)]
pub struct UnseenValues {
    secrets: Vec<SecretQuery>,
    principals: Vec<PrincipalQuery>,
}

impl UnseenValues {
    /// All values of a filter, before the first event.
    pub fn of_filter(filter: &EventFilter) -> Self {
        Self { secrets: filter.secrets.clone(), principals: filter.principals.clone() }
    }

    /// Looks at the names in an event.
    pub fn see(&mut self, event: &Event) {
        if !self.secrets.is_empty() {
            self.secrets.retain(|query| !event.secrets.iter().any(|secret| query.may_mean(secret)));
        }
        if !self.principals.is_empty() {
            let principal = &event.principal;
            self.principals.retain(|query| !query.may_mean(&principal.id, principal.session_name.as_ref()));
        }
    }

    /// The values that are still unseen, as they were typed.
    pub fn texts(&self) -> Vec<Untrusted> {
        let mut texts = Vec::new();
        for query in &self.secrets {
            texts.push(Untrusted::new(query.text()));
        }
        for query in &self.principals {
            texts.push(Untrusted::new(query.text()));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> EventSubject {
        EventSubject {
            at: Timestamp::from_millis(1_000),
            account: "111122223333".to_owned(),
            region: "us-west-2".to_owned(),
            secrets: SecretRef::from_arn("arn:aws:secretsmanager:eu-west-1:444455556666:secret:db-a1B2c3")
                .into_iter()
                .collect(),
            secrets_known: true,
            principal: Untrusted::new("arn:aws:iam::111122223333:role/app"),
            session: None,
        }
    }

    fn fits(change: impl FnOnce(&mut EventFilter)) -> bool {
        let mut filter = EventFilter::default();
        change(&mut filter);
        filter.fits(&subject())
    }

    #[test]
    fn an_event_fits_if_each_kind_of_value_has_one_that_fits() {
        let secret = |name: &str| SecretQuery::parse(name).into_iter().collect::<Vec<_>>();
        let principal = |name: &str| PrincipalQuery::parse(name).into_iter().collect::<Vec<_>>();
        assert!(fits(|_| {}));
        assert!(fits(|filter| filter.since = Some(Timestamp::from_millis(1_000))));
        assert!(!fits(|filter| filter.until = Some(Timestamp::from_millis(1_000))));
        for (account, expected) in [("111122223333", true), ("444455556666", true), ("777788889999", false)] {
            assert_eq!(fits(|filter| filter.accounts.extend([account.to_owned()])), expected, "{account}");
        }
        for (region, expected) in [("us-west-2", true), ("eu-west-1", true), ("us-east-1", false)] {
            assert_eq!(fits(|filter| filter.regions.extend([region.to_owned()])), expected, "{region}");
        }
        assert!(
            fits(|filter| filter.secrets = secret("db")) && !fits(|filter| filter.secrets = secret("dc"))
        );
        assert!(fits(|filter| filter.principals = principal("app")));
        assert!(!fits(|filter| {
            filter.principals = principal("app");
            filter.secrets = secret("dc");
        }));
    }

    #[test]
    fn an_event_that_hides_its_secrets_may_be_about_each_of_its_account() {
        let hidden = EventSubject { secrets: Vec::new(), secrets_known: false, ..subject() };
        for (query, expected) in [
            ("db", true),
            ("arn:aws:secretsmanager:us-west-2:111122223333:secret:db", true),
            ("arn:aws:secretsmanager:us-west-2:444455556666:secret:db", false),
        ] {
            let filter = EventFilter {
                secrets: SecretQuery::parse(query).into_iter().collect(),
                ..EventFilter::default()
            };
            assert_eq!(filter.fits(&hidden), expected, "{query}");
        }
    }
}
