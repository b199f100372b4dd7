//! The API: metadata, in pages, as a Region shows it.

use responder_core::time::Timestamp;

use super::{Metadata, Operation, Secret, Secrets};
use crate::{Random, Refusal};

/// A page of `ListSecrets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The secrets.
    pub secrets: Vec<Metadata>,
    /// What gives the next page.
    pub next_token: Option<String>,
}

/// What `ListSecretVersionIds` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The secret's ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The versions.
    pub versions: Vec<SecretVersion>,
}

/// An entry of `ListSecretVersionIds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// `VersionId`.
    pub id: String,
    /// `CreatedDate`.
    pub created: Timestamp,
    /// `VersionStages`.
    pub labels: Vec<String>,
}

/// `MaxResults` at most, and by default (API reference of Secrets Manager, `ListSecrets`).
const PAGE: usize = 100;

impl Secrets {
    /// `DescribeSecret` in a Region, by name, ARN, or ARN without the six random characters.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_secret(&mut self, region: &str, id: &str, now: Timestamp) -> Result<Metadata, Refusal> {
        self.calls.enter(Operation::DescribeSecret, &mut self.random)?;
        self.find(region, id, now)
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
    ) -> Result<Page, Refusal> {
        self.calls.enter(Operation::ListSecrets, &mut self.random)?;
        let max = max.unwrap_or(PAGE);
        if !(1..=PAGE).contains(&max) {
            return Err(Refusal::new("InvalidParameterException", "MaxResults must be between 1 and 100."));
        }
        if token.is_some_and(|token| !token.starts_with("arn:")) {
            return Err(Refusal::new("InvalidNextTokenException", "Invalid NextToken."));
        }
        // Our tokens are the last ARN of the page before.
        let rest = self.by_arn.iter().filter(|(arn, _)| token.is_none_or(|token| arn.as_str() > token));
        let (mut secrets, mut last, mut next_token) = (Vec::new(), None, None);
        for (arn, secret) in rest {
            let shown = secret.shown(region, now, self.stale_for, &mut self.random);
            let Some(metadata) = shown.filter(|metadata| metadata.deleted.is_none()) else { continue };
            if secrets.len() == max {
                next_token = last;
                break;
            }
            secrets.push(metadata.clone());
            last = Some(arn.clone());
        }
        Ok(Page { secrets, next_token })
    }

    /// `ListSecretVersionIds` in a Region; versions without labels only if they are asked for.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn list_secret_version_ids(
        &mut self,
        region: &str,
        id: &str,
        deprecated: bool,
        now: Timestamp,
    ) -> Result<Versions, Refusal> {
        self.calls.enter(Operation::ListSecretVersionIds, &mut self.random)?;
        let found = self.find(region, id, now)?;
        let versions = found.versions.into_iter().map(|(id, version)| SecretVersion {
            id,
            created: version.created,
            labels: version.labels.into_iter().collect(),
        });
        let versions = versions.filter(|version| deprecated || !version.labels.is_empty()).collect();
        Ok(Versions { arn: found.arn, name: found.name, versions })
    }

    fn find(&mut self, region: &str, id: &str, now: Timestamp) -> Result<Metadata, Refusal> {
        let all = self.by_arn.values();
        let mut shown = all.filter_map(|secret| secret.shown(region, now, self.stale_for, &mut self.random));
        let found = shown.find(|metadata| {
            let partial = metadata.arn.rsplit_once('-').map_or("", |(partial, _)| partial);
            [metadata.arn.as_str(), metadata.name.as_str(), partial].contains(&id)
        });
        found.cloned().ok_or_else(|| {
            Refusal::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        })
    }
}

impl Secret {
    /// What a Region shows, or, shortly after a change and by chance, the state before.
    fn shown(
        &self,
        region: &str,
        now: Timestamp,
        stale_for: responder_core::time::Span,
        random: &mut Random,
    ) -> Option<&Metadata> {
        let history = self.shown.get(region)?;
        let past = history.iter().filter(|(from, _)| *from <= now).count();
        let newest = past.checked_sub(1)?;
        let fresh = history.get(newest).is_some_and(|(from, _)| now < from.plus(stale_for));
        let stale = fresh && newest > 0 && random.chance(500);
        history.get(newest - usize::from(stale)).map(|(_, metadata)| metadata)
    }
}
