//! What Secrets Manager tells `EventBridge`: moved labels by itself, rotations through `CloudTrail`.
//!
//! Sources: `Secret Label Updated` is documented; `RotationSucceeded` and `RotationFailed` are recorded ones (no `userIdentity.type`, `resources` empty, the ARN
//! in `additionalEventData.SecretId`). Of `RotationStarted` and `RotationAbandoned` no record is public: they are given the same shape.

use responder_core::time::Timestamp;
use serde_json::{Value, json};

use super::change::in_region;
use super::{Secrets, SecretsEvent};
use crate::Place;
use crate::event::{event, seconds};

impl Secrets {
    /// AWSCURRENT moved to a version.
    pub(super) fn tell_label(&mut self, arn: &str, now: Timestamp, version: &str) {
        let Some(secret) = self.by_arn.get(arn) else { return };
        let primary = secret.region.clone();
        let mut notified = vec![(primary.clone(), now)];
        if self.replicas_tell {
            let later = now.plus(self.replication);
            notified.extend(secret.current.replicas.iter().map(|region| (region.clone(), later)));
        }
        let detail = json!({"name": secret.current.name, "labelUpdated": "AWSCURRENT", "versionId": version});
        for (region, at) in notified {
            let place = Place::new(&self.account, &region);
            let arn = in_region(arn, &primary, &region);
            let kind = ("aws.secretsmanager", "Secret Label Updated");
            let event = event(&mut self.random, &place, at, kind, &[&arn], &detail);
            self.tell(at, region, event);
        }
    }

    /// A rotation got somewhere; it failed in `step`, if there is one.
    pub(super) fn tell_rotation(&mut self, arn: &str, now: Timestamp, name: &str, step: Option<&str>) {
        let Some(region) = self.by_arn.get(arn).map(|secret| secret.region.clone()) else { return };
        let place = Place::new(&self.account, &region);
        let mut detail = json!({
            "eventVersion": "1.08",
            "userIdentity": {"accountId": self.account, "invokedBy": "secretsmanager.amazonaws.com"},
            "eventTime": seconds(now),
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": "secretsmanager.amazonaws.com",
            "userAgent": "secretsmanager.amazonaws.com",
            "requestParameters": null,
            "responseElements": null,
            "additionalEventData": {"SecretId": arn},
            "requestID": format!("Rotation-{arn}-{}", self.random.uuid()),
            "eventID": self.random.uuid(),
            "readOnly": false,
            "eventType": "AwsServiceEvent",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        });
        if let (Some(step), Some(detail)) = (step, detail.as_object_mut()) {
            let function = place.arn("lambda", "function:rotate");
            let message = format!("Error when executing lambda {function} during {step} step");
            detail.insert("errorMessage".to_owned(), message.into());
        }
        let kind = ("aws.secretsmanager", "AWS Service Event via CloudTrail");
        let event = event(&mut self.random, &place, now, kind, &[], &detail);
        self.tell(now, region, event);
    }

    fn tell(&mut self, at: Timestamp, region: String, event: Value) {
        self.notified += 1;
        self.outbox.insert((at, self.notified), SecretsEvent { at, region, event });
    }
}
