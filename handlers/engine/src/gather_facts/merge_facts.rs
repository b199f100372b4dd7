//! Merges the answers of one round into the facts.

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::facts::Facts;

/// Merges answers into the facts. A later answer about the same thing replaces the earlier one.
pub(super) fn merge_facts(facts: &mut Facts, answers: Facts) {
    facts.incidents.extend(answers.incidents);
    facts.open_incidents.extend(answers.open_incidents);
    facts.digest_days.extend(answers.digest_days);
    facts.last_seen.extend(answers.last_seen);
    facts.launch_secrets.extend(answers.launch_secrets);
    facts.pending_evidence.extend(answers.pending_evidence);
    facts.deployments.extend(answers.deployments);
    facts.changes.extend(answers.changes);
    facts.distant_references.extend(answers.distant_references);
    for (key, metadata) in answers.secrets {
        set_secret_metadata(facts, key, metadata);
    }
    for (cluster, slots) in answers.concurrency_slots {
        facts.concurrency_slots.entry(cluster).or_default().extend(slots);
    }
    for (service, notified) in answers.notified {
        facts.notified.entry(service).or_default().extend(notified);
    }
    for (location, failures) in answers.discovery_failures {
        facts.discovery_failures.entry(location).or_default().extend(failures);
    }
    for (location, limits) in answers.discovery_limits {
        facts.discovery_limits.entry(location).or_default().extend(limits);
    }
    // An empty list says that nobody uses the secrets; no list says that nobody knows.
    let Some(answered_services) = answers.services else { return };
    let services = facts.services.get_or_insert_default();
    for service in answered_services {
        services.retain(|known| known.arn != service.arn);
        services.push(service);
    }
}

/// Sets the metadata of a secret. Empty metadata replace nothing, but say that the secret was asked for.
pub(super) fn set_secret_metadata(facts: &mut Facts, key: String, metadata: SecretMetadata) {
    let known = facts.secrets.entry(key).or_default();
    if metadata != SecretMetadata::default() {
        *known = metadata;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_secrets_manager_does_not_say_is_noted_and_takes_no_place() {
        let (mut facts, key) = (Facts::default(), "111122223333/us-west-2/prod/db".to_owned());
        let said = SecretMetadata { arn: "arn".to_owned(), ..SecretMetadata::default() };
        for (metadata, expected) in [
            (SecretMetadata::default(), SecretMetadata::default()),
            (said.clone(), said.clone()),
            (SecretMetadata::default(), said),
        ] {
            set_secret_metadata(&mut facts, key.clone(), metadata);
            assert_eq!(facts.secrets[&key], expected);
        }
    }
}
