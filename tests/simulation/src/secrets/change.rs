//! What changes a secret: new values, rotations, replicas and deletion.

use std::collections::BTreeMap;

use responder_core::time::{Span, Timestamp};

use super::{Metadata, Secret, Secrets, Version};
use crate::Place;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

impl Secrets {
    /// Creates a secret with a first version; gives its ARN back. Tells nothing: AWS does not document an event for it.
    pub fn create(&mut self, region: &str, name: &str, now: Timestamp) -> String {
        let place = Place::new(&self.account, region);
        let arn = place.arn("secretsmanager", &format!("secret:{name}-{}", self.random.suffix()));
        let first = Version { created: now, labels: [CURRENT.to_owned()].into() };
        let current = Metadata {
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
            replicas: std::collections::BTreeSet::new(),
        };
        let secret = Secret { region: region.to_owned(), current, shown: BTreeMap::new() };
        self.by_arn.insert(arn.clone(), secret);
        self.show(&arn, now);
        arn
    }

    /// Turns rotation on.
    pub fn rotate_every(&mut self, arn: &str, every: Span, now: Timestamp) {
        self.change(arn, now, |metadata| {
            metadata.rotates_every = Some(every);
            metadata.next_rotation = Some(now.plus(every));
        });
    }

    /// Replicates a secret to another Region.
    pub fn replicate(&mut self, arn: &str, region: &str, now: Timestamp) {
        let Some(primary) = self.by_arn.get(arn).map(|secret| secret.region.clone()) else { return };
        self.change(arn, now, |metadata| {
            metadata.primary_region = Some(primary);
            metadata.replicas.insert(region.to_owned());
        });
    }

    /// Puts a new value, which is current at once; gives its version id back. A rotation that runs is abandoned.
    pub fn put_value(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = self.random.uuid();
        let abandoned = self.current(arn)?.labelled(PENDING).is_some();
        self.change(arn, now, |metadata| {
            take_label(metadata, PENDING);
            metadata.versions.insert(id.clone(), Version { created: now, labels: [].into() });
            promote(metadata, &id);
        })?;
        if abandoned {
            self.tell_rotation(arn, now, "RotationAbandoned", None);
        }
        self.tell_label(arn, now, &id);
        Some(id)
    }

    /// Moves AWSCURRENT back to the version that has AWSPREVIOUS; gives its id back.
    pub fn roll_back(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = self.current(arn)?.labelled(PREVIOUS)?.to_owned();
        self.change(arn, now, |metadata| promote(metadata, &id))?;
        self.tell_label(arn, now, &id);
        Some(id)
    }

    /// Starts a rotation: a version with AWSPENDING, or the one that a failed rotation left. Gives its id back.
    pub fn rotate_start(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let left = self.current(arn)?.labelled(PENDING).map(str::to_owned);
        let id = left.unwrap_or_else(|| self.random.uuid());
        self.change(arn, now, |metadata| {
            let version = Version { created: now, labels: [PENDING.to_owned()].into() };
            metadata.versions.entry(id.clone()).or_insert(version);
        })?;
        self.tell_rotation(arn, now, "RotationStarted", None);
        Some(id)
    }

    /// Ends a rotation well: the pending version is current. Gives its id back; `None` if no rotation runs.
    pub fn rotate_finish(&mut self, arn: &str, now: Timestamp) -> Option<String> {
        let id = self.current(arn)?.labelled(PENDING)?.to_owned();
        self.change(arn, now, |metadata| {
            take_label(metadata, PENDING);
            promote(metadata, &id);
            metadata.last_rotated = Some(now);
            metadata.next_rotation = metadata.rotates_every.map(|every| now.plus(every));
        })?;
        self.tell_label(arn, now, &id);
        self.tell_rotation(arn, now, "RotationSucceeded", None);
        Some(id)
    }

    /// Ends a rotation badly in a step such as `setSecret`: the pending version stays. False if no rotation runs.
    pub fn rotate_fail(&mut self, arn: &str, step: &str, now: Timestamp) -> bool {
        let runs = self.current(arn).is_some_and(|metadata| metadata.labelled(PENDING).is_some());
        if runs {
            self.tell_rotation(arn, now, "RotationFailed", Some(step));
        }
        runs
    }

    /// Schedules a secret for deletion: it is described with a `DeletedDate`, and not listed any more.
    pub fn delete(&mut self, arn: &str, now: Timestamp) {
        self.change(arn, now, |metadata| metadata.deleted = Some(now));
    }

    fn change(&mut self, arn: &str, now: Timestamp, change: impl FnOnce(&mut Metadata)) -> Option<()> {
        let metadata = &mut self.by_arn.get_mut(arn)?.current;
        change(metadata);
        metadata.last_changed = now;
        self.show(arn, now);
        Some(())
    }

    /// Lets every Region show the current state: the primary one now, the others later.
    fn show(&mut self, arn: &str, now: Timestamp) {
        let later = now.plus(self.replication);
        let Some(secret) = self.by_arn.get_mut(arn) else { return };
        let primary = secret.region.clone();
        for region in std::iter::once(&primary).chain(&secret.current.replicas) {
            let from = if *region == primary { now } else { later };
            let mut metadata = secret.current.clone();
            metadata.arn = in_region(&metadata.arn, &primary, region);
            let shown = secret.shown.entry(region.clone()).or_default();
            shown.push((from, metadata));
            // No Region goes back behind what it already shows, and nobody reads what is older than the state before.
            shown.sort_by_key(|(from, _)| *from);
            let past = shown.iter().filter(|(from, _)| *from <= now).count();
            shown.drain(..past.saturating_sub(2));
        }
    }
}

/// The ARN of a replica: only the Region differs (Secrets Manager user guide, replicas).
pub(super) fn in_region(arn: &str, primary: &str, region: &str) -> String {
    arn.replacen(&format!(":{primary}:"), &format!(":{region}:"), 1)
}

/// Moves AWSCURRENT to a version and AWSPREVIOUS to the one that had it.
fn promote(metadata: &mut Metadata, id: &str) {
    let before = metadata.labelled(CURRENT).map(str::to_owned);
    if before.as_deref() == Some(id) {
        return;
    }
    for label in [CURRENT, PREVIOUS] {
        take_label(metadata, label);
    }
    for (version, label) in [(Some(id), CURRENT), (before.as_deref(), PREVIOUS)] {
        if let Some(version) = version.and_then(|version| metadata.versions.get_mut(version)) {
            version.labels.insert(label.to_owned());
        }
    }
}

fn take_label(metadata: &mut Metadata, label: &str) {
    for version in metadata.versions.values_mut() {
        version.labels.remove(label);
    }
}
