//! The names of the members of records and events, found again where a table or a tool has respelled them.
//!
//! Tables of Athena and Glue have lower-case columns, warehouses have upper-case or snake-case ones, and Microsoft
//! Sentinel has columns such as `UserIdentityArn`.

use responder_core::rules::RECORD_FIELDS;

/// The members of an event in EventBridge's envelope ("Events", EventBridge user guide).
const ENVELOPE_NAMES: [&str; 8] =
    ["detail-type", "detail", "source", "account", "time", "region", "resources", "id"];

/// Columns that stand for a member within a member, with the path of that.
const COLUMN_PATHS: [(&str, &str); 15] = [
    ("AwsEventId", "eventID"),
    ("TimeGenerated", "eventTime"),
    ("EventTypeName", "eventType"),
    ("UserIdentityArn", "userIdentity.arn"),
    ("UserIdentityType", "userIdentity.type"),
    ("UserIdentityPrincipalId", "userIdentity.principalId"),
    ("UserIdentityAccountId", "userIdentity.accountId"),
    ("UserIdentityAccessKeyId", "userIdentity.accessKeyId"),
    ("UserIdentityUserName", "userIdentity.userName"),
    ("UserIdentityInvokedBy", "userIdentity.invokedBy"),
    ("SessionIssuerArn", "userIdentity.sessionContext.sessionIssuer.arn"),
    ("SessionIssuerType", "userIdentity.sessionContext.sessionIssuer.type"),
    ("SessionIssuerPrincipalId", "userIdentity.sessionContext.sessionIssuer.principalId"),
    ("SessionIssuerAccountId", "userIdentity.sessionContext.sessionIssuer.accountId"),
    ("SessionIssuerUserName", "userIdentity.sessionContext.sessionIssuer.userName"),
];

/// The members within `userIdentity` and `resources` ("userIdentity element", CloudTrail user guide).
const IDENTITY_NAMES: [&str; 24] = [
    "type",
    "principalId",
    "arn",
    "accountId",
    "accessKeyId",
    "userName",
    "invokedBy",
    "identityProvider",
    "credentialId",
    "sessionContext",
    "sessionIssuer",
    "attributes",
    "mfaAuthenticated",
    "creationDate",
    "webIdFederationData",
    "federatedProvider",
    "sourceIdentity",
    "ec2RoleDelivery",
    "assumedRoot",
    "onBehalfOf",
    "userId",
    "identityStoreArn",
    "inScopeOf",
    "signInSessionArn",
];

/// The request parameters that rules and decisions look at. A crawler of Glue writes them in lower case.
const PARAMETER_NAMES: [&str; 26] = [
    "secretId",
    "secretIdList",
    "versionId",
    "versionStage",
    "filters",
    "name",
    "resourcePolicy",
    "blockPublicPolicy",
    "kmsKeyId",
    "addReplicaRegions",
    "removeReplicaRegions",
    "forceDeleteWithoutRecovery",
    "recoveryWindowInDays",
    "rotateImmediately",
    "rotationLambdaARN",
    "rotationRules",
    "automaticallyAfterDays",
    "functionName",
    "topicArn",
    "tableName",
    "subscriptionArn",
    "roleName",
    "queueUrl",
    "rule",
    "eventBusName",
    "trailName",
];

/// Where a member of this spelling belongs in an event or a record: its path, with dots. `None` means that the spelling
/// is no known one.
pub(super) fn find_record_path(spelled: &str) -> Option<&'static str> {
    let known = find_name(&RECORD_FIELDS, spelled).or_else(|| find_name(&ENVELOPE_NAMES, spelled));
    if known.is_some() {
        return known;
    }
    for (column, path) in COLUMN_PATHS {
        if is_spelling_of(column, spelled) {
            return Some(path);
        }
    }
    None
}

/// The name of a member of an identity or a resource.
pub(super) fn find_identity_name(spelled: &str) -> Option<&'static str> {
    find_name(&IDENTITY_NAMES, spelled)
}

/// The name of a request parameter.
pub(super) fn find_parameter_name(spelled: &str) -> Option<&'static str> {
    find_name(&PARAMETER_NAMES, spelled)
}

/// Whether a member of this spelling is the name of the call, which every record has.
pub(super) fn is_event_name(spelled: &str) -> bool {
    is_spelling_of("eventName", spelled)
}

/// Whether a member of this spelling is the detail type, which every event has.
pub(super) fn is_detail_type(spelled: &str) -> bool {
    is_spelling_of("detail-type", spelled)
}

fn find_name(names: &[&'static str], spelled: &str) -> Option<&'static str> {
    names.iter().find(|name| is_spelling_of(name, spelled)).copied()
}

/// Whether two spellings differ only in case, and in the marks between their words.
fn is_spelling_of(name: &str, spelled: &str) -> bool {
    let mut letters = spelled.bytes().filter(u8::is_ascii_alphanumeric);
    for expected in name.bytes().filter(u8::is_ascii_alphanumeric) {
        match letters.next() {
            Some(found) if found.eq_ignore_ascii_case(&expected) => {}
            _ => return false,
        }
    }
    letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn respelled_names_are_found_and_other_names_are_not() {
        for (spelled, path) in [
            ("eventtime", "eventTime"),
            ("SOURCE_IP_ADDRESS", "sourceIPAddress"),
            ("UserIdentityArn", "userIdentity.arn"),
            ("detail_type", "detail-type"),
            ("DetailType", "detail-type"),
        ] {
            assert_eq!(find_record_path(spelled), Some(path), "{spelled}");
        }
        assert_eq!(find_record_path("eventtimes"), None);
        assert_eq!(find_record_path("event"), None);
        assert_eq!(find_identity_name("sessioncontext"), Some("sessionContext"));
        assert_eq!(find_parameter_name("secretid"), Some("secretId"));
        assert!(is_event_name("EventName") && !is_event_name("eventNames"));
    }
}
