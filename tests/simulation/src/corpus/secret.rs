//! Secrets of the corpus, and how callers spell them.

use crate::Random;

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Secret {
    account: String,
    region: String,
    name: String,
    suffix: String,
}

impl Secret {
    pub(super) fn new(random: &mut Random, account: &str, region: &str, name: String) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), name, suffix: random.suffix() }
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The full ARN.
    pub(super) fn arn(&self) -> String {
        format!("{}-{}", self.partial(), self.suffix)
    }

    fn partial(&self) -> String {
        format!("arn:aws:secretsmanager:{}:{}:secret:{}", self.region, self.account, self.name)
    }

    /// One of the three spellings; from another account only the ARNs work.
    pub(super) fn spelled(&self, random: &mut Random, caller_account: &str) -> String {
        match random.below(if caller_account == self.account { 3 } else { 2 }) {
            0 => self.arn(),
            1 => self.partial(),
            _ => self.name.clone(),
        }
    }
}

const SYSTEMS: [&str; 10] =
    ["billing", "catalog", "checkout", "fraud", "ledger", "mail", "orders", "partners", "reports", "search"];

// Some end with a hyphen and six characters, as an ARN's suffix does.
const KINDS: [&str; 8] =
    ["api-key", "db", "db-reader", "oauth-client", "redis-tokens", "smtp", "stripe-apikey", "tls"];

/// A name that no other number gives.
pub(super) fn name(random: &mut Random, environment: &str, number: usize) -> String {
    let (system, kind) = (one_of(random, &SYSTEMS), one_of(random, &KINDS));
    format!("{environment}/{system}-{number}/{kind}")
}

/// One of some texts.
pub(super) fn one_of(random: &mut Random, texts: &[&'static str]) -> &'static str {
    let index = usize::try_from(random.below(texts.len() as u64)).unwrap_or_default();
    texts.get(index).copied().unwrap_or_default()
}
