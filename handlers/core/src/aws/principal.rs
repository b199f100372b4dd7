//! Who called, from the identity of a `CloudTrail` record.

use serde_json::Value;

use crate::aws::arn::Arn;
use crate::text::Untrusted;

/// The caller of an API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// What counts are kept on: the session issuer's ARN, else the identity's ARN, else the calling service, else
    /// the principal id with its account. `unknown` if the record names nobody.
    pub id: Untrusted,
    /// What is the same in the caller's and the owner's copy of a cross-account call: the caller's account and the unique
    /// id of its role or user; absent where the record does not say it.
    pub unique: Option<String>,
    /// The session name of an assumed role.
    pub session: Option<Untrusted>,
    /// The caller's account.
    pub account: Option<String>,
    /// The access key id.
    pub access_key: Option<Untrusted>,
    /// The AWS service that made the call, if one did.
    pub invoked_by: Option<Untrusted>,
}

/// The id of a caller whom the record does not name.
pub const UNKNOWN: &str = "unknown";

impl Principal {
    /// Reads `userIdentity`; every field may be absent, `type` too (service events have none; `CloudTrail`'s
    /// `userIdentity` reference).
    pub fn from_identity(identity: &Value) -> Self {
        let text =
            |pointer: &str| identity.pointer(pointer).and_then(Value::as_str).filter(|s| !s.is_empty());
        let arn = text("/arn");
        let principal_id = text("/principalId");
        let invoked_by = text("/invokedBy");
        let id = text("/sessionContext/sessionIssuer/arn")
            .map(str::to_owned)
            .or_else(|| arn.map(without_session))
            .or_else(|| text("/onBehalfOf/userId").map(str::to_owned))
            .or_else(|| principal_id.map(|id| principal_of(text("/accountId"), id)))
            .or_else(|| invoked_by.map(str::to_owned));
        Self {
            id: Untrusted::new(id.unwrap_or_else(|| UNKNOWN.to_owned())),
            unique: text("/accountId").zip(principal_id).and_then(|(account, id)| unique(account, id)),
            session: arn.and_then(session_of).map(Untrusted::new),
            account: text("/accountId").map(str::to_owned),
            access_key: text("/accessKeyId").map(Untrusted::new),
            invoked_by: invoked_by.map(Untrusted::new),
        }
    }

    /// Whose count its calls in `account` belong to: the same for every session, and for both copies of a cross-account
    /// call.
    pub fn subject(&self, account: &str) -> String {
        self.unique.clone().unwrap_or_else(|| format!("{account} {}", self.id.raw()))
    }

    /// Whether the session is named like an ECS task, by its id of 32 hexadecimal digits (recorded in `AssumeRole` calls
    /// of `ecs-tasks.amazonaws.com`): so are those under which ECS reads a task's secrets.
    pub fn is_task(&self) -> bool {
        let digits = |session: &Untrusted| {
            session.raw().len() == 32 && session.raw().bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        self.session.as_ref().is_some_and(digits)
    }
}

/// Sessions of a role are one principal, also where the record carries no session issuer: a thief who opens a new
/// session for each read must not start a new count.
fn without_session(arn: &str) -> String {
    match session_of(arn) {
        Some(session) => {
            arn.strip_suffix(session).and_then(|rest| rest.strip_suffix('/')).unwrap_or(arn).to_owned()
        }
        None => arn.to_owned(),
    }
}

fn session_of(arn: &str) -> Option<&str> {
    let role = Arn::of("sts", arn)?.resource.strip_prefix("assumed-role/")?;
    role.split_once('/').map(|(_, session)| session).filter(|session| !session.is_empty())
}

/// The owner's copy of a cross-account call names only `principalId` (`AROA…:session`) and the account.
fn principal_of(account: Option<&str>, principal_id: &str) -> String {
    let id = principal_id.split_once(':').map_or(principal_id, |(id, _)| id);
    match account {
        Some(account) => format!("{account}:{id}"),
        None => id.to_owned(),
    }
}

/// `AROA…` of a role, `AIDA…` of a user: never given twice (IAM user guide, "IAM identifiers"), but the placeholder of
/// made-up records stands for many.
fn unique(account: &str, principal_id: &str) -> Option<String> {
    let id = principal_id.split_once(':').map_or(principal_id, |(id, _)| id);
    let tail = id.strip_prefix("AROA").or_else(|| id.strip_prefix("AIDA"))?;
    let given =
        tail.len() >= 16 && tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (given && !tail.ends_with("EXAMPLE")).then(|| format!("{account}:{id}"))
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
        assert_eq!(Principal::from_identity(&without).session, Some(Untrusted::new("s2")));
    }

    #[test]
    fn users_services_and_other_accounts_have_a_name_each() {
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
    fn both_copies_of_a_cross_account_call_are_of_one_subject() {
        let subject = |account: &str, identity| Principal::from_identity(&identity).subject(account);
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
