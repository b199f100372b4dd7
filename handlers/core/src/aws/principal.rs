//! The caller of an API, from the identity in a `CloudTrail` record.

use serde_json::Value;

use crate::aws::arn::Arn;
use crate::text::Untrusted;

/// The caller of an API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// The identifier under which calls are counted: the session issuer's ARN, else the identity's ARN, else the user of
    /// IAM Identity Center, else the principal id with its account, else the calling service. [`UNKNOWN_PRINCIPAL`] if
    /// the record names no caller.
    pub id: Untrusted,
    /// The same in the caller's and the owner's copy of a cross-account call: the caller's account and the unique id of
    /// its role or user; absent where the record does not say it.
    pub unique_id: Option<String>,
    /// The session name of an assumed role.
    pub session_name: Option<Untrusted>,
    /// The person behind the session, as the identity provider names them when the first role is assumed. It stays the same in
    /// every role that is assumed from there.
    pub source_identity: Option<Untrusted>,
    /// The user of IAM Identity Center for whom the session acts.
    pub identity_center_user: Option<Untrusted>,
    /// The caller's account.
    pub account: Option<String>,
    /// The access key id.
    pub access_key_id: Option<Untrusted>,
    /// The AWS service that made the call, if one did.
    pub invoked_by: Option<Untrusted>,
}

/// The id of a caller whom the record does not name.
pub const UNKNOWN_PRINCIPAL: &str = "unknown";

impl Principal {
    /// Reads `userIdentity`; every field may be absent, `type` too (service events have none; `CloudTrail`'s
    /// `userIdentity` reference).
    pub fn from_identity(identity: &Value) -> Self {
        let session_name = find_text(identity, "/arn").and_then(find_session_name);
        Self {
            id: Untrusted::new(find_id(identity)),
            unique_id: find_unique_id(identity),
            session_name: session_name.map(Untrusted::new),
            source_identity: find_text(identity, "/sessionContext/sourceIdentity").map(Untrusted::new),
            identity_center_user: find_text(identity, "/onBehalfOf/userId").map(Untrusted::new),
            account: find_text(identity, "/accountId").map(str::to_owned),
            access_key_id: find_text(identity, "/accessKeyId").map(Untrusted::new),
            invoked_by: find_text(identity, "/invokedBy").map(Untrusted::new),
        }
    }

    /// The subject to whose count its calls in `account` belong: the same for every session, and for both copies of a
    /// cross-account call.
    pub fn count_subject(&self, account: &str) -> String {
        match &self.unique_id {
            Some(unique_id) => unique_id.clone(),
            None => format!("{account} {}", self.id.raw()),
        }
    }

    /// Whether the session is named like an ECS task, by its id of 32 hexadecimal digits (recorded in `AssumeRole` calls
    /// of `ecs-tasks.amazonaws.com`): ECS reads the secrets of a task in such a session.
    pub fn is_task_session(&self) -> bool {
        let Some(session_name) = &self.session_name else { return false };
        let name = session_name.raw();
        name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// The string at a JSON pointer; `None` if it is absent, empty or not a string.
fn find_text<'v>(identity: &'v Value, pointer: &str) -> Option<&'v str> {
    let text = identity.pointer(pointer)?.as_str()?;
    if text.is_empty() { None } else { Some(text) }
}

/// The identifier under which calls are counted. It is looked for in this order:
///
/// 1. the ARN of the session issuer: a role with its path, the same for all its sessions;
/// 2. the ARN of the identity, without its session;
/// 3. the user for whom IAM Identity Center acts;
/// 4. the principal id with its account: all that the owner's copy of a cross-account call has;
/// 5. the AWS service that calls;
/// 6. a word for a caller whom the record does not name.
fn find_id(identity: &Value) -> String {
    // 1. The session issuer.
    if let Some(issuer) = find_text(identity, "/sessionContext/sessionIssuer/arn") {
        return issuer.to_owned();
    }
    // 2. The identity itself.
    if let Some(arn) = find_text(identity, "/arn") {
        return remove_session_name(arn).to_owned();
    }
    // 3. A user of IAM Identity Center.
    if let Some(user) = find_text(identity, "/onBehalfOf/userId") {
        return user.to_owned();
    }
    // 4. The principal id.
    if let Some(principal_id) = find_text(identity, "/principalId") {
        let id = remove_session_part(principal_id);
        return match find_text(identity, "/accountId") {
            Some(account) => format!("{account}:{id}"),
            None => id.to_owned(),
        };
    }
    // 5. The calling service; 6. nothing at all.
    find_text(identity, "/invokedBy").unwrap_or(UNKNOWN_PRINCIPAL).to_owned()
}

/// Sessions of a role are one principal, also where the record carries no session issuer: a thief who opens a new
/// session for each read must not start a new count.
fn remove_session_name(arn: &str) -> &str {
    let Some(session_name) = find_session_name(arn) else { return arn };
    let Some(role) = arn.strip_suffix(session_name) else { return arn };
    role.strip_suffix('/').unwrap_or(arn)
}

/// The session name in `arn:aws:sts::111122223333:assumed-role/app/session`.
fn find_session_name(arn: &str) -> Option<&str> {
    let role = Arn::parse_for_service("sts", arn)?.resource.strip_prefix("assumed-role/")?;
    let (_, session_name) = role.split_once('/')?;
    if session_name.is_empty() { None } else { Some(session_name) }
}

/// `AROA…` of the principal id `AROA…:session`.
fn remove_session_part(principal_id: &str) -> &str {
    match principal_id.split_once(':') {
        Some((id, _)) => id,
        None => principal_id,
    }
}

/// The account and the `AROA…` of a role or the `AIDA…` of a user. AWS never gives such an id twice (IAM user guide, "IAM
/// identifiers"), but the placeholders of made-up records (`AIDACKCEVSQ6C2EXAMPLE`) stand for many principals.
fn find_unique_id(identity: &Value) -> Option<String> {
    let account = find_text(identity, "/accountId")?;
    let id = remove_session_part(find_text(identity, "/principalId")?);
    let random_part = id.strip_prefix("AROA").or_else(|| id.strip_prefix("AIDA"))?;
    let is_random = random_part.len() >= 16
        && random_part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_random && !random_part.ends_with("EXAMPLE") { Some(format!("{account}:{id}")) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(identity: &Value) -> String {
        Principal::from_identity(identity).id.raw().to_owned()
    }

    #[test]
    fn a_role_is_one_principal_however_many_its_sessions() {
        let with_issuer = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/s1",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/team/app"}}});
        assert_eq!(id(&with_issuer), "arn:aws:iam::111122223333:role/team/app");
        let without = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/s2"});
        assert_eq!(id(&without), "arn:aws:sts::111122223333:assumed-role/app");
        assert_eq!(Principal::from_identity(&without).session_name, Some(Untrusted::new("s2")));
    }

    #[test]
    fn users_services_and_other_accounts_have_an_id_each() {
        assert_eq!(id(&json!({"arn": "arn:aws:iam::1:user/c"})), "arn:aws:iam::1:user/c");
        assert_eq!(
            id(&json!({"accountId": "1", "invokedBy": "secretsmanager.amazonaws.com"})),
            "secretsmanager.amazonaws.com"
        );
        assert_eq!(
            id(&json!({"type": "AWSAccount", "principalId": "AROAX:s", "accountId": "222"})),
            "222:AROAX"
        );
    }

    #[test]
    fn both_copies_of_a_cross_account_call_have_one_subject() {
        let subject = |account: &str, identity| Principal::from_identity(&identity).count_subject(account);
        let arn = "arn:aws:sts::111122223333:assumed-role/sync/s1";
        let caller =
            json!({"principalId": "AROALZGXO4NCAS4JN7C7X:s1", "accountId": "111122223333", "arn": arn});
        let owner = json!({"principalId": "AROALZGXO4NCAS4JN7C7X:s2", "accountId": "111122223333", "type": "AWSAccount"});
        assert_eq!(subject("111122223333", caller), subject("444455556666", owner));
        for id in ["AROAEXAMPLE", "AIDACKCEVSQ6C2EXAMPLE", "111122223333", "AROAlzgxo4ncas4jn7c7x"] {
            let user = json!({"principalId": id, "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/u"});
            assert_eq!(
                subject("111122223333", user),
                "111122223333 arn:aws:iam::111122223333:user/u",
                "{id}"
            );
        }
    }

    #[test]
    fn a_missing_or_strange_identity_is_unknown() {
        for identity in [json!(null), json!({}), json!({"arn": 5, "type": []}), json!("x")] {
            assert_eq!(id(&identity), "unknown");
        }
    }
}
