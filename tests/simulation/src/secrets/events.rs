//! The events of Secrets Manager: moved labels by itself, rotations through `CloudTrail`.
//!
//! Sources: `Secret Label Updated` is documented; `RotationSucceeded` and `RotationFailed` are recorded ones (no `userIdentity.type`, `resources` empty, the ARN
//! in `additionalEventData.SecretId`). Of `RotationStarted` and `RotationAbandoned` no record is public: they are given the same shape.

use responder_core::time::Timestamp;
use serde_json::json;

use super::changes::place_arn_in_region;
use super::model::SimulatedSecrets;
use crate::event_envelope::wrap_event;
use crate::location::AwsLocation;

impl SimulatedSecrets {
    /// Says that AWSCURRENT moved to a version.
    pub(super) fn send_label_event(&mut self, arn: &str, now: Timestamp, version: &str) {
        let Some(secret) = self.by_arn.get(arn) else { return };
        let primary = secret.region.clone();
        let mut regions = vec![(primary.clone(), now)];
        if self.replicas_send_events {
            let later = now.plus(self.replication_lag);
            for replica in &secret.current.replicas {
                regions.push((replica.clone(), later));
            }
        }
        let name = &secret.current.name;
        let detail = json!({"name": name, "labelUpdated": "AWSCURRENT", "versionId": version});
        for (region, at) in regions {
            let location = AwsLocation::new(&self.account, &region);
            let arn_there = place_arn_in_region(arn, &primary, &region);
            let kind = ("aws.secretsmanager", "Secret Label Updated");
            let event = wrap_event(&mut self.random, &location, at, kind, &[&arn_there], &detail);
            self.send_event(at, region, event);
        }
    }

    /// Says that a rotation got somewhere, or failed in a step.
    pub(super) fn send_rotation_event(
        &mut self,
        arn: &str,
        now: Timestamp,
        name: &str,
        failed_step: Option<&str>,
    ) {
        let Some(secret) = self.by_arn.get(arn) else { return };
        let region = secret.region.clone();
        let location = AwsLocation::new(&self.account, &region);
        let mut detail = json!({
            "eventVersion": "1.08",
            "userIdentity": {"accountId": self.account, "invokedBy": "secretsmanager.amazonaws.com"},
            "eventTime": now.truncate_to_second(),
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
        if let Some(step) = failed_step {
            let function = location.arn("lambda", "function:rotate");
            detail["errorMessage"] =
                format!("Error when executing lambda {function} during {step} step").into();
        }
        let kind = ("aws.secretsmanager", "AWS Service Event via CloudTrail");
        let event = wrap_event(&mut self.random, &location, now, kind, &[], &detail);
        self.send_event(now, region, event);
    }
}
