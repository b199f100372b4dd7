//! What Secrets Manager answers, as far as it matters here: never a value.

use responder_core::aws::secret_metadata::Metadata;

/// A page of `ListSecrets`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedSecrets {
    /// The secrets' metadata.
    pub secrets: Vec<Metadata>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}
