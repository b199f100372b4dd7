//! Changes of secrets: new values, rotations, replicas and deletion.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::{Span, Timestamp};

use super::description::{SecretDescription, StagedVersion, StoredSecret};
use super::model::SimulatedSecrets;
use crate::location::AwsLocation;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

impl SimulatedSecrets {
    /// A made-up account with this many secrets in a Region, half of them rotated each month: the same for the same arguments.
    pub fn make_estate(account: &str, region: &str, seed: u64, count: usize, created: Timestamp) -> Self {
        let mut secrets = Self::new(account, seed);
        for number in 0..count {
            let name = format!("team-{}/app-{number:04}", number % 12);
            let arn = secrets.create(region, &name, created);
            if number % 2 == 0 {
                secrets.rotate_every(&arn, Span::from_secs(30 * 86_400), created);
            }
        }
        secrets
    }

    /// Creates a secret with a first version; returns its ARN. No event tells of it: AWS does not document one.
    pub fn create(&mut self, region: &str, name: &str, now: Timestamp) -> String {
        let suffix = self.random.arn_suffix();
        self.create_with_suffix(region, name, &suffix, now)
    }

    /// Creates a secret whose ARN ends with these six characters; returns its ARN.
    pub fn create_with_suffix(&mut self, region: &str, name: &str, suffix: &str, now: Timestamp) -> String {
        let location = AwsLocation::new(&self.account, region);
        let arn = location.arn("secretsmanager", &format!("secret:{name}-{suffix}"));
        let first = StagedVersion { created: now, labels: [CURRENT.to_owned()].into() };
        let current = SecretDescription {
            arn: arn.clone(),
            name: name.to_owned(),
            versions: [(self.random.uuid(), first)].into(),
            created: now,
            last_changed: now,
            last_rotated: None,
            rotates_every: None,
            next_rotation: None,
            deleted: None,
            primary_region: None,
            replicas: BTreeSet::new(),
        };
        let secret = StoredSecret { region: region.to_owned(), current, shown: BTreeMap::new() };
        self.by_arn.insert(arn.clone(), secret);
        self.show_current(&arn, now);
        arn
    }

    /// Turns rotation on.
    pub fn rotate_every(&mut self, arn: &str, every: Span, now: Timestamp) {
        self.change(arn, now, |description| {
            description.rotates_every = Some(every);
            description.next_rotation = Some(now.plus(every));
        });
    }

    /// Replicates a secret to another Region.
    pub fn replicate(&mut self, arn: &str, region: &str, now: Timestamp) {
        let Some(secret) = self.by_arn.get(arn) else { return };
        let primary = secret.region.clone();
        self.change(arn, now, |description| {
            description.primary_region = Some(primary);
            description.replicas.insert(region.to_owned());
        });
    }

    /// Puts a new value, which is current at once; returns its version id. A rotation that goes on is abandoned.
    pub fn put_value(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = self.random.uuid();
        let was_rotating = self.current(arn)?.version_with_label(PENDING).is_some();
        self.change(arn, now, |description| {
            remove_label(description, PENDING);
            description.versions.insert(id.clone(), StagedVersion { created: now, labels: [].into() });
            promote_version(description, &id);
        })?;
        if was_rotating {
            self.send_rotation_event(arn, now, "RotationAbandoned", None);
        }
        self.send_label_event(arn, now, &id);
        Some(id)
    }

    /// Moves AWSCURRENT back to the version that has AWSPREVIOUS; returns its id.
    pub fn roll_back_value(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = self.current(arn)?.version_with_label(PREVIOUS)?.to_owned();
        self.change(arn, now, |description| promote_version(description, &id))?;
        self.send_label_event(arn, now, &id);
        Some(id)
    }

    /// Starts a rotation: a version with AWSPENDING, or the one that a failed rotation left. Returns its id.
    pub fn start_rotation(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = match self.current(arn)?.version_with_label(PENDING) {
            Some(left) => left.to_owned(),
            None => self.random.uuid(),
        };
        self.change(arn, now, |description| {
            let version = StagedVersion { created: now, labels: [PENDING.to_owned()].into() };
            description.versions.entry(id.clone()).or_insert(version);
        })?;
        self.send_rotation_event(arn, now, "RotationStarted", None);
        Some(id)
    }

    /// Ends a rotation well: the pending version is current. Returns its id; `None` if no rotation goes on.
    pub fn finish_rotation(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = self.current(arn)?.version_with_label(PENDING)?.to_owned();
        self.change(arn, now, |description| {
            remove_label(description, PENDING);
            promote_version(description, &id);
            description.last_rotated = Some(now);
            description.next_rotation = description.rotates_every.map(|every| now.plus(every));
        })?;
        self.send_label_event(arn, now, &id);
        self.send_rotation_event(arn, now, "RotationSucceeded", None);
        Some(id)
    }

    /// Ends a rotation badly in a step such as `setSecret`: the pending version stays. False if no rotation goes on.
    pub fn fail_rotation(&mut self, arn: &str, step: &str, now: Timestamp) -> bool {
        let Some(description) = self.current(arn) else { return false };
        if description.version_with_label(PENDING).is_none() {
            return false;
        }
        self.send_rotation_event(arn, now, "RotationFailed", Some(step));
        true
    }

    /// Schedules a secret for deletion: it is described with a `DeletedDate`, and not listed any more.
    pub fn delete(&mut self, arn: &str, now: Timestamp) {
        self.change(arn, now, |description| description.deleted = Some(now));
    }

    fn change(
        &mut self,
        arn: &str,
        now: Timestamp,
        change: impl FnOnce(&mut SecretDescription),
    ) -> Option<()> {
        let description = &mut self.by_arn.get_mut(arn)?.current;
        change(description);
        description.last_changed = now;
        self.show_current(arn, now);
        Some(())
    }

    /// Lets every Region show the current state: the primary one now, the others later.
    fn show_current(&mut self, arn: &str, now: Timestamp) {
        let shown_in_replicas = now.plus(self.replication_lag);
        let Some(secret) = self.by_arn.get_mut(arn) else { return };
        let primary = secret.region.clone();
        let mut regions = vec![(primary.clone(), now)];
        for replica in &secret.current.replicas {
            regions.push((replica.clone(), shown_in_replicas));
        }
        for (region, from) in regions {
            let mut description = secret.current.clone();
            description.arn = place_arn_in_region(&description.arn, &primary, &region);
            let history = secret.shown.entry(region).or_default();
            history.push((from, description));
            // No Region goes back behind what it already shows, and no read is older than the state before.
            history.sort_by_key(|(from, _)| *from);
            let past = history.iter().filter(|(from, _)| *from <= now).count();
            history.drain(..past.saturating_sub(2));
        }
    }
}

/// The ARN of a replica: only the Region differs (Secrets Manager user guide, replicas).
pub(super) fn place_arn_in_region(arn: &str, primary: &str, region: &str) -> String {
    arn.replacen(&format!(":{primary}:"), &format!(":{region}:"), 1)
}

/// Moves AWSCURRENT to a version and AWSPREVIOUS to the one that had it.
fn promote_version(description: &mut SecretDescription, id: &str) {
    let before = description.version_with_label(CURRENT).map(str::to_owned);
    if before.as_deref() == Some(id) {
        return;
    }
    remove_label(description, CURRENT);
    remove_label(description, PREVIOUS);
    add_label(description, id, CURRENT);
    if let Some(before) = before {
        add_label(description, &before, PREVIOUS);
    }
}

fn add_label(description: &mut SecretDescription, id: &str, label: &str) {
    if let Some(version) = description.versions.get_mut(id) {
        version.labels.insert(label.to_owned());
    }
}

fn remove_label(description: &mut SecretDescription, label: &str) {
    for version in description.versions.values_mut() {
        version.labels.remove(label);
    }
}
