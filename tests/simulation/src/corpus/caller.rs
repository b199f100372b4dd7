//! Callers: identities in the shapes of `CloudTrail`'s `userIdentity` reference, each with its user agent and address.

use responder_core::time::Timestamp;
use serde_json::{Value, json};

use super::secret::choose_text;
use crate::random::SeededRandom;

/// A caller.
#[derive(Clone, Debug)]
pub(super) struct CorpusCaller {
    /// Its name in the core.
    pub(super) id: String,
    /// Its account; empty for an AWS service.
    pub(super) account: String,
    pub(super) identity: Value,
    pub(super) agent: String,
    pub(super) address: String,
    /// Whether it uses the console.
    pub(super) console: bool,
    /// The role of which this is a session.
    role: Option<CallerRole>,
}

/// The role of a session.
#[derive(Clone, Debug)]
struct CallerRole {
    name: String,
    arn: String,
    unique: String,
}

/// Agents of SDKs and of the command line.
pub(super) const SDKS: [&str; 4] = [
    "Boto3/1.35.80 md/Botocore#1.35.80 ua/2.0 os/linux#6.1.115 md/arch#aarch64 lang/python#3.12.8 md/pyimpl#CPython",
    "aws-cli/2.22.12 md/awscrt#0.23.4 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.6",
    "aws-sdk-java/2.29.30 md/io#sync md/http#Apache ua/2.0 os/Linux#5.10.228 lang/java#21.0.5",
    "aws-sdk-go-v2/1.32.6 ua/2.1 os/linux lang/go#1.23.4 md/GOOS#linux md/GOARCH#amd64 api/secretsmanager#1.34.7",
];

/// Terraform's, as the provider's source builds it.
pub(super) const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.80.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.6 ua/2.1 os/linux lang/go#1.23.4";

impl CorpusCaller {
    /// A user with an access key that does not expire.
    pub(super) fn user(random: &mut SeededRandom, account: &str, name: &str) -> Self {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let identity = json!({
            "type": "IAMUser",
            "principalId": format!("AIDA{}", random.digits(17)),
            "arn": arn,
            "accountId": account,
            "accessKeyId": format!("AKIA{}", random.digits(16)),
            "userName": name,
        });
        Self::new(random, arn, account, identity)
    }

    /// A session of a role. `path` is what stands before its name: empty, or with a `/` at its end.
    pub(super) fn role(
        random: &mut SeededRandom,
        account: &str,
        path: &str,
        name: &str,
        session: &str,
    ) -> Self {
        let arn = format!("arn:aws:iam::{account}:role/{path}{name}");
        let role = CallerRole {
            name: name.to_owned(),
            arn: arn.clone(),
            unique: format!("AROA{}", random.digits(17)),
        };
        let mut caller = Self::new(random, arn, account, Value::Null);
        caller.role = Some(role);
        caller.open_session(random, session)
    }

    /// The same role in another session.
    pub(super) fn open_session(&self, random: &mut SeededRandom, session: &str) -> Self {
        let Some(CallerRole { name, arn, unique }) = &self.role else { return self.clone() };
        let account = &self.account;
        let identity = json!({
            "type": "AssumedRole",
            "principalId": format!("{unique}:{session}"),
            "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            "accountId": account,
            "accessKeyId": format!("ASIA{}", random.digits(16)),
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": unique, "arn": arn, "accountId": account, "userName": name,
                },
                "attributes": { "creationDate": "2026-08-31T23:00:00Z", "mfaAuthenticated": "false" },
            },
        });
        Self { identity, ..self.clone() }
    }

    /// The same session, begun at another instant: that of a task begins when the task starts.
    pub(super) fn begun_at(mut self, at: Timestamp) -> Self {
        if let Some(created) = self.identity.pointer_mut("/sessionContext/attributes/creationDate") {
            *created = json!(at.truncate_to_second());
        }
        self
    }

    /// An AWS service for itself.
    pub(super) fn service(host: &str) -> Self {
        Self {
            id: host.to_owned(),
            account: String::new(),
            identity: json!({ "type": "AWSService", "invokedBy": host }),
            agent: host.to_owned(),
            address: host.to_owned(),
            console: false,
            role: None,
        }
    }

    /// The session of a person whom the identity provider names.
    pub(super) fn with_source_identity(mut self, person: &str) -> Self {
        self.identity["sessionContext"]["sourceIdentity"] = json!(person);
        self
    }

    pub(super) fn with_agent(mut self, agent: &str) -> Self {
        agent.clone_into(&mut self.agent);
        self
    }

    pub(super) fn in_console(mut self) -> Self {
        self.console = true;
        self.with_agent("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0")
    }

    /// Whether a service calls: such calls have no TLS details.
    pub(super) fn is_service(&self) -> bool {
        self.account.is_empty()
    }

    /// The identity in the owner's copy of a call from another account (inferred from what is documented for KMS).
    pub(super) fn as_outsider(&self) -> Value {
        json!({ "type": "AWSAccount", "principalId": self.identity["principalId"], "accountId": self.account })
    }

    fn new(random: &mut SeededRandom, id: String, account: &str, identity: Value) -> Self {
        let address = format!("198.51.100.{}", random.below(254) + 1);
        let agent = choose_text(random, &SDKS).to_owned();
        Self { id, account: account.to_owned(), identity, agent, address, console: false, role: None }
    }
}
