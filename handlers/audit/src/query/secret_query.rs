//! The secret of a query.

use super::name_pattern::NamePattern;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;

/// The secret of a query. A name means the secrets of that name in every account. An ARN means the secret
/// of its account, in every Region, because a replica's ARN differs in its Region only (Secrets Manager user guide,
/// "Replicate secrets"). Wildcards in the name mean all secrets whose names fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretQuery {
    text: String,
    spelled: SecretRef,
    /// Present if the name has wildcards.
    names: Option<NamePattern>,
}

impl SecretQuery {
    /// Parses a name, or a partial or full ARN. Returns `None` for the empty string and for an ARN that is not a
    /// secret's.
    pub fn parse(text: &str) -> Option<Self> {
        let spelled = SecretRef::from_name_or_arn(text, "", "")?;
        let name = spelled.text.raw();
        let names = NamePattern::has_wildcards(name).then(|| NamePattern::new(name));
        Some(Self { text: text.to_owned(), spelled, names })
    }

    /// The query as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the secret, as far as its spelling shows it, or the wildcards.
    pub fn name(&self) -> Untrusted {
        self.spelled.friendly_name()
    }

    /// Whether it may mean several secrets.
    pub fn has_wildcards(&self) -> bool {
        self.names.is_some()
    }

    /// Returns the secret as it would be spelled in the account and Region of `other`; `None` if the query means a
    /// secret of another account.
    pub(crate) fn spell_beside(&self, other: &SecretRef) -> Option<SecretRef> {
        self.includes_account(&other.account).then(|| SecretRef {
            account: other.account.clone(),
            region: other.region.clone(),
            ..self.spelled.clone()
        })
    }

    /// Whether the query can mean a secret of this account.
    pub(crate) fn includes_account(&self, account: &str) -> bool {
        !self.spelled.from_arn || self.spelled.account == account
    }

    /// Whether a name fits the wildcards; without wildcards none does.
    pub(crate) fn fits_wildcards(&self, name: &str) -> bool {
        self.names.as_ref().is_some_and(|names| names.fits(name))
    }

    /// Whether `secret` can be the one, or one of those, as far as its spelling shows.
    pub fn may_mean(&self, secret: &SecretRef) -> bool {
        match &self.names {
            None => self.spell_beside(secret).is_some_and(|own| own.may_be_same_secret(secret)),
            Some(names) => {
                self.includes_account(&secret.account)
                    && (names.fits(secret.text.raw()) || names.fits(secret.friendly_name().raw()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(query: &str, secret: &str) -> bool {
        let secret = SecretRef::from_name_or_arn(secret, "111122223333", "us-west-2").unwrap();
        SecretQuery::parse(query).unwrap().may_mean(&secret)
    }

    #[test]
    fn wildcards_mean_each_spelling_of_the_names_that_fit_in_the_accounts_that_fit() {
        let full = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/billing/db-a1B2c3";
        for query in [
            "prod/billing/*",
            "*/db",
            "prod/*/d?",
            "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/*",
        ] {
            assert!(means(query, "prod/billing/db") && means(query, full), "{query}");
            assert!(!means(query, "dev/billing/dbs"), "{query}");
        }
        assert!(!means("arn:aws:secretsmanager:us-west-2:444455556666:secret:prod/*", full));
        assert!(means("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/*", full), "a replica");
        assert!(SecretQuery::parse("").is_none());
    }
}
