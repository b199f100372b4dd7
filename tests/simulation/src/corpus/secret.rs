//! Secrets of the corpus, and how callers spell them.

use crate::random::SeededRandom;

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CorpusSecret {
    account: String,
    region: String,
    name: String,
    suffix: String,
}

impl CorpusSecret {
    pub(super) fn new(random: &mut SeededRandom, account: &str, region: &str, name: String) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), name, suffix: random.arn_suffix() }
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The full ARN.
    pub(super) fn arn(&self) -> String {
        format!("{}-{}", self.partial_arn(), self.suffix)
    }

    fn partial_arn(&self) -> String {
        format!("arn:aws:secretsmanager:{}:{}:secret:{}", self.region, self.account, self.name)
    }

    /// One of the three spellings; from another account only the ARNs work.
    pub(super) fn spell(&self, random: &mut SeededRandom, caller_account: &str) -> String {
        let spellings = if caller_account == self.account { 3 } else { 2 };
        match random.below(spellings) {
            0 => self.arn(),
            1 => self.partial_arn(),
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
pub(super) fn make_name(random: &mut SeededRandom, environment: &str, number: usize) -> String {
    let system = choose_text(random, &SYSTEMS);
    let kind = choose_text(random, &KINDS);
    format!("{environment}/{system}-{number}/{kind}")
}

/// One of some texts.
pub(super) fn choose_text(random: &mut SeededRandom, texts: &[&'static str]) -> &'static str {
    texts.get(random.index(texts.len())).copied().unwrap_or_default()
}
