//! The names that events of AWS have: a pattern that asks for another name never matches.

use crate::edit_distance::count_edits;

/// The fields of every event ("Events in Amazon EventBridge", `eb-events-structure`), and that of a replayed one.
pub(super) const ENVELOPE_FIELDS: [&str; 10] = [
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
    "replay-name",
];

/// The fields of a record (CloudTrail user guide, "CloudTrail record contents").
pub const RECORD_FIELDS: [&str; 33] = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "eventType",
    "apiVersion",
    "managementEvent",
    "readOnly",
    "resources",
    "recipientAccountId",
    "serviceEventDetails",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "addendum",
    "sessionCredentialFromConsole",
    "edgeDeviceDetails",
    "eventContext",
    "tlsDetails",
    "insightDetails",
    "signInSessionArn",
];

/// The fields of `userIdentity` (CloudTrail user guide, "CloudTrail userIdentity element").
pub(super) const IDENTITY_FIELDS: [&str; 13] = [
    "type",
    "userName",
    "principalId",
    "arn",
    "accountId",
    "accessKeyId",
    "sessionContext",
    "invokedBy",
    "onBehalfOf",
    "inScopeOf",
    "identityProvider",
    "credentialId",
    "invokedByDelegate",
];

/// The detail types of the events that rules of the responder look at, and of their neighbours.
pub(super) const DETAIL_TYPES: [&str; 9] = [
    API_CALL,
    SERVICE_EVENT,
    "AWS Console Sign In via CloudTrail",
    "Secret Label Updated",
    "ECS Deployment State Change",
    "ECS Task State Change",
    "ECS Service Action",
    "ECS Container Instance State Change",
    "Scheduled Event",
];

/// The detail type of an API call.
pub(super) const API_CALL: &str = "AWS API Call via CloudTrail";

/// The detail type of an event that a service writes by itself.
pub(super) const SERVICE_EVENT: &str = "AWS Service Event via CloudTrail";

/// The end of the detail types of CloudTrail.
pub(super) const CLOUDTRAIL_SUFFIX: &str = "via CloudTrail";

/// The service events of Secrets Manager (its user guide, "Match events with EventBridge" and "CloudTrail entries").
pub(super) const SECRET_SERVICE_EVENTS: [&str; 14] = [
    "StartSecretVersionDelete",
    "EndSecretVersionDelete",
    "CancelSecretVersionDelete",
    "SecretVersionDeletion",
    "ReplicationStarted",
    "ReplicationSucceeded",
    "ReplicationFailed",
    "RotationStarted",
    "RotationSucceeded",
    "RotationFailed",
    "RotationAbandoned",
    "TestRotationStarted",
    "TestRotationSucceeded",
    "TestRotationFailed",
];

/// The API calls of Secrets Manager (its API reference).
pub(super) const SECRET_API_CALLS: [&str; 23] = [
    "BatchGetSecretValue",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "GetRandomPassword",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListSecretVersionIds",
    "ListSecrets",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "ValidateResourcePolicy",
];

/// How many letters of a name may be wrong.
const WRONG_LETTERS_MAX: usize = 2;

/// A name that is shorter than this is not compared letter by letter: `arn` and `id` are alike.
const COMPARED_LENGTH_MIN: usize = 6;

/// Finds the known name that somebody meant: another case, `_` for `-`, or a letter or two.
pub(super) fn find_meant_name(typed: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = simplify(typed);
    let mut best: Option<(usize, &'static str)> = None;
    for name in known {
        let edits = count_edits(&plain, &simplify(name));
        let is_alike = edits == 0 || edits <= WRONG_LETTERS_MAX && plain.len() >= COMPARED_LENGTH_MIN;
        if is_alike && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, name));
        }
    }
    best.map(|(_, name)| name)
}

fn simplify(name: &str) -> String {
    let mut plain = name.to_lowercase();
    plain.retain(|letter| !matches!(letter, '_' | '-' | ' '));
    plain
}
