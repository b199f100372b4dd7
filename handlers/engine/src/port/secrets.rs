//! The answers of Secrets Manager, as far as the engine needs them: never a secret's value.

use responder_core::aws::secret_metadata::SecretMetadata;

/// A page of `ListSecrets`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretPage {
    /// The secrets' metadata.
    pub secrets: Vec<SecretMetadata>,
    /// The token of the next page, if there is one.
    pub next_token: Option<String>,
}
