//! The API: metadata, in pages, as a Region shows it.

use responder_core::time::Timestamp;

use super::description::SecretDescription;
use super::model::{SecretsOperation, SimulatedSecrets};
use crate::service_calls::ApiRefusal;

/// A page of `ListSecrets`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretDescriptionPage {
    /// The secrets.
    pub secrets: Vec<SecretDescription>,
    /// The token of the next page.
    pub next_token: Option<String>,
}

/// An answer of `ListSecretVersionIds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionListing {
    /// The secret's ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The versions.
    pub versions: Vec<ListedVersion>,
}

/// An entry of `ListSecretVersionIds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// `VersionId`.
    pub id: String,
    /// `CreatedDate`.
    pub created: Timestamp,
    /// `VersionStages`.
    pub labels: Vec<String>,
}

/// `MaxResults` at most, and by default (API reference of Secrets Manager, `ListSecrets`).
const MAX_PAGE_SECRETS: usize = 100;

impl SimulatedSecrets {
    /// `DescribeSecret` in a Region, by name, ARN, or ARN without the six random characters.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_secret(
        &mut self,
        region: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<SecretDescription, ApiRefusal> {
        self.calls.enter(SecretsOperation::DescribeSecret, &mut self.random)?;
        self.find_secret(region, id, now)
    }

    /// `ListSecrets` in a Region: the ones that are not scheduled for deletion.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn list_secrets(
        &mut self,
        region: &str,
        max: Option<usize>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<SecretDescriptionPage, ApiRefusal> {
        self.calls.enter(SecretsOperation::ListSecrets, &mut self.random)?;
        let max = max.unwrap_or(MAX_PAGE_SECRETS);
        if !(1..=MAX_PAGE_SECRETS).contains(&max) {
            return Err(ApiRefusal::new(
                "InvalidParameterException",
                "MaxResults must be between 1 and 100.",
            ));
        }
        // Our tokens are the last ARN of the page before.
        let after = token.unwrap_or_default();
        if token.is_some() && !after.starts_with("arn:") {
            return Err(ApiRefusal::new("InvalidNextTokenException", "Invalid NextToken."));
        }
        let mut page = SecretDescriptionPage::default();
        let mut last_arn = None;
        for (arn, secret) in &self.by_arn {
            if arn.as_str() <= after {
                continue;
            }
            let shown = secret.show(region, now, self.stale_for, &mut self.random);
            let Some(description) = shown else { continue };
            if description.deleted.is_some() {
                continue;
            }
            if page.secrets.len() == max {
                page.next_token = last_arn;
                break;
            }
            page.secrets.push(description.clone());
            last_arn = Some(arn.clone());
        }
        Ok(page)
    }

    /// `ListSecretVersionIds` in a Region; versions without labels only with `IncludeDeprecated`.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn list_secret_version_ids(
        &mut self,
        region: &str,
        id: &str,
        include_deprecated: bool,
        now: Timestamp,
    ) -> Result<VersionListing, ApiRefusal> {
        self.calls.enter(SecretsOperation::ListSecretVersionIds, &mut self.random)?;
        let found = self.find_secret(region, id, now)?;
        let mut versions = Vec::new();
        for (id, version) in found.versions {
            if include_deprecated || !version.labels.is_empty() {
                let labels = version.labels.into_iter().collect();
                versions.push(ListedVersion { id, created: version.created, labels });
            }
        }
        Ok(VersionListing { arn: found.arn, name: found.name, versions })
    }

    fn find_secret(
        &mut self,
        region: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<SecretDescription, ApiRefusal> {
        for secret in self.by_arn.values() {
            match secret.show(region, now, self.stale_for, &mut self.random) {
                Some(description) if description.is_called(id) => return Ok(description.clone()),
                _ => {}
            }
        }
        Err(ApiRefusal::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))
    }
}
