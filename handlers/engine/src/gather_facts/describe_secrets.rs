//! Asks Secrets Manager for the metadata of secrets.

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::facts::Facts;
use responder_core::time::Span;

use super::fact_sources::FactSources;
use super::merge_facts::set_secret_metadata;
use super::question_batch::SecretQuestions;
use crate::error::EngineError;
use crate::port::{AwsPort, Region};
use crate::run_parallel::run_parallel;

/// How many secrets are described at the same time.
const MAX_PARALLEL_SECRETS: usize = 4;
/// How often a secret is described until its new version is AWSCURRENT: Secrets Manager is eventually consistent.
const MAX_DESCRIPTIONS_OF_SECRET: usize = 3;
/// The pause between two descriptions of a secret.
const DESCRIPTION_PAUSE: Span = Span::from_secs(1);

/// Describes and lists secrets. A secret that cannot be described is no discovery failure: the core then relies on the
/// event, and says that the version is unconfirmed. A Region whose secrets cannot be listed is a discovery failure.
pub(super) async fn describe_secrets<A: AwsPort>(
    wanted: &SecretQuestions,
    sources: &FactSources<'_, A>,
) -> Facts {
    let mut facts = Facts::default();
    let mut descriptions = Vec::new();
    for (secret, version) in &wanted.described {
        if sources.can_see_account(&secret.account) {
            descriptions.push(async move {
                let described = describe_current_version(secret, version.as_deref(), sources).await;
                (secret.key(), described.unwrap_or_default())
            });
        }
    }
    for (key, metadata) in run_parallel(descriptions, MAX_PARALLEL_SECRETS).await {
        set_secret_metadata(&mut facts, key, metadata);
    }
    let mut probes = Vec::new();
    for secret in &wanted.exact_arns {
        if sources.can_see_account(&secret.account) {
            probes.push(async move { (secret, describe_current_version(secret, None, sources).await) });
        }
    }
    for (secret, answer) in run_parallel(probes, MAX_PARALLEL_SECRETS).await {
        // A partial ARN may be answered with another secret, and no answer says nothing of the secret of that key.
        if let Ok(metadata) = answer
            && SecretRef::from_arn(&metadata.arn).as_ref() == Some(secret)
        {
            set_secret_metadata(&mut facts, secret.key(), metadata);
        }
    }
    for (account, region) in &wanted.listed {
        if !sources.can_see_account(account) {
            continue;
        }
        if let Err(error) = list_secrets(region, sources, &mut facts).await {
            facts.add_discovery_failure(account, region, format!("the secrets could not be listed: {error}"));
        }
    }
    facts
}

/// Describes a secret; again after a pause, if `version` is not AWSCURRENT yet and there is time.
async fn describe_current_version<A: AwsPort>(
    secret: &SecretRef,
    version: Option<&str>,
    sources: &FactSources<'_, A>,
) -> Result<SecretMetadata, EngineError> {
    let region = Region::parse(&secret.region).ok_or(EngineError::RegionInvalid)?;
    let id = secret.secret_id();
    let until = sources.deadline.instant();
    for _ in 1..MAX_DESCRIPTIONS_OF_SECRET {
        let metadata = sources.aws.describe_secret(&region, &id, until).await?;
        let is_current = version.is_none() || metadata.current_version() == version;
        if is_current || sources.deadline.remaining(sources.aws) <= DESCRIPTION_PAUSE {
            return Ok(metadata);
        }
        sources.aws.sleep(DESCRIPTION_PAUSE).await;
    }
    sources.aws.describe_secret(&region, &id, until).await
}

/// Lists all secrets of a Region into the facts.
async fn list_secrets<A: AwsPort>(
    region: &str,
    sources: &FactSources<'_, A>,
    facts: &mut Facts,
) -> Result<(), EngineError> {
    let region = Region::parse(region).ok_or(EngineError::RegionInvalid)?;
    let mut token = None;
    loop {
        let page = sources.aws.list_secrets(&region, token.as_deref(), sources.deadline.instant()).await?;
        for metadata in page.secrets {
            if let Some(secret) = SecretRef::from_arn(&metadata.arn) {
                facts.secrets.insert(secret.key(), metadata);
            }
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}
