//! What Secrets Manager answers, as far as it matters here: never a value.

use responder_core::aws::secret_metadata::SecretMetadata;

/// A page of `ListSecrets`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretPage {
    /// The secrets' metadata.
    pub secrets: Vec<SecretMetadata>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}
