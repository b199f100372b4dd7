//! The secret of a query.

use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;

/// The secret of a query. A name means the secrets of that name in every account. An ARN means the secret
/// of its account, in every Region, because a replica's ARN differs in its Region only (Secrets Manager user guide,
/// "Replicate secrets").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretQuery {
    spelled: SecretRef,
}

impl SecretQuery {
    /// Parses a name, or a partial or full ARN. Returns `None` for the empty string and for an ARN that is not a
    /// secret's.
    pub fn parse(text: &str) -> Option<Self> {
        SecretRef::from_name_or_arn(text, "", "").map(|spelled| Self { spelled })
    }

    /// The name of the secret, as far as its spelling shows it.
    pub fn name(&self) -> Untrusted {
        self.spelled.friendly_name()
    }

    /// Returns the secret as it would be spelled in the account and Region of `other`; `None` if the query means a
    /// secret of another account.
    pub(super) fn spell_beside(&self, other: &SecretRef) -> Option<SecretRef> {
        self.includes_account(&other.account).then(|| SecretRef {
            account: other.account.clone(),
            region: other.region.clone(),
            ..self.spelled.clone()
        })
    }

    /// Whether the query can mean a secret of this account.
    pub(super) fn includes_account(&self, account: &str) -> bool {
        !self.spelled.from_arn || self.spelled.account == account
    }

    /// Whether `secret` can be the one, as far as its spelling shows.
    pub(super) fn may_mean(&self, secret: &SecretRef) -> bool {
        self.spell_beside(secret).is_some_and(|own| own.may_be_same_secret(secret))
    }
}
