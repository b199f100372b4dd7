//! The stage of one sample: an account with secrets, a clock that the play moves, and the records of what is called.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::EcsService;
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use super::caller::Caller;
use super::secret::{self, Secret, one_of};
use super::{Class, Sample, below};
use crate::Random;

/// What is being played.
pub(super) struct Scene {
    pub(super) random: Random,
    pub(super) account: String,
    pub(super) region: &'static str,
    pub(super) now: Timestamp,
    /// How long the slowest delivery takes, and how many of a thousand events come more than once.
    pub(super) slowest: Span,
    pub(super) twice: u64,
    pub(super) thief: Option<String>,
    pub(super) services: Vec<EcsService>,
    accounts: BTreeSet<String>,
    names: usize,
    events: Vec<(Timestamp, Value)>,
}

/// The Regions that `rules/access/read-outside-home-regions.json` takes for home.
pub(super) const HOMES: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

impl Scene {
    pub(super) fn new(mut random: Random, now: Timestamp) -> Self {
        let (account, region) = (random.digits(12), one_of(&mut random, &HOMES));
        Self {
            accounts: [account.clone()].into(),
            random,
            account,
            region,
            now,
            slowest: Span::from_secs(90),
            twice: 20,
            thief: None,
            services: Vec::new(),
            names: 0,
            events: Vec::new(),
        }
    }

    /// The sample, as it is delivered.
    pub(super) fn finish(mut self, class: Class) -> Sample {
        let mut events = Vec::new();
        for (at, event) in std::mem::take(&mut self.events) {
            let mut copies = 1;
            while self.random.chance(self.twice) {
                copies += 1;
            }
            for _ in 0..copies {
                events.push((at.plus(below(&mut self.random, self.slowest)), event.clone()));
            }
        }
        events.sort_by_key(|(at, _)| *at);
        let accounts = self.accounts.into_iter().collect();
        Sample { class, accounts, thief: self.thief, events, services: self.services }
    }

    /// A number from `from` to `to`.
    pub(super) fn number(&mut self, from: u64, to: u64) -> usize {
        usize::try_from(from + self.random.below(to + 1 - from)).unwrap_or_default()
    }

    /// Lets between `from` and `to` milliseconds pass.
    pub(super) fn wait(&mut self, from: i64, to: i64) {
        let more = below(&mut self.random, Span::from_millis(to - from + 1));
        self.now = self.now.plus(Span::from_millis(from)).plus(more);
    }

    /// Another account of this sample.
    pub(super) fn other_account(&mut self) -> String {
        let account = self.random.digits(12);
        self.accounts.insert(account.clone());
        account
    }

    /// Some secrets of the account, in the home Region of the scene.
    pub(super) fn secrets(&mut self, count: usize) -> Vec<Secret> {
        let (account, region) = (self.account.clone(), self.region);
        (0..count).map(|_| self.secret_in(&account, region)).collect()
    }

    /// A secret somewhere.
    pub(super) fn secret_in(&mut self, account: &str, region: &str) -> Secret {
        self.names += 1;
        let environment = one_of(&mut self.random, &["dev", "prod", "shared", "staging"]);
        let name = secret::name(&mut self.random, environment, self.names);
        Secret::new(&mut self.random, account, region, name)
    }

    /// Somebody who is no thief: a user, or a role in some session.
    pub(super) fn somebody(&mut self) -> Caller {
        let (account, session) = (self.account.clone(), self.random.hex(8));
        if self.random.chance(400) {
            let name = one_of(&mut self.random, &["alice", "build", "carol", "deploy", "svc-sync"]);
            return Caller::user(&mut self.random, &account, name);
        }
        let path = one_of(&mut self.random, &["", "apps/", "team/data/"]);
        let name = one_of(&mut self.random, &["batch-worker", "data-export", "frontend", "web"]);
        Caller::role(&mut self.random, &account, path, name, &session)
    }

    /// Somebody whose attack must be found.
    pub(super) fn thief(&mut self) -> Caller {
        let caller = self.somebody();
        self.is_thief(&caller);
        caller
    }

    pub(super) fn is_thief(&mut self, caller: &Caller) {
        self.thief = Some(caller.id.clone());
    }

    /// A secret is read, spelled somehow.
    pub(super) fn read(&mut self, caller: &Caller, secret: &Secret) {
        let spelled = secret.spelled(&mut self.random, &caller.account);
        self.call(caller, "GetSecretValue", secret.region(), &json!({ "secretId": spelled }));
    }

    /// Each of some secrets is read, with between `from` and `to` milliseconds after each.
    pub(super) fn read_each(&mut self, caller: &Caller, secrets: &[Secret], from: i64, to: i64) {
        for secret in secrets {
            self.read(caller, secret);
            self.wait(from, to);
        }
    }

    /// A read of another account's secret: two records with one `sharedEventID`.
    pub(super) fn read_across(&mut self, caller: &Caller, owner: &str, secret: &Secret) {
        let spelled = secret.spelled(&mut self.random, &caller.account);
        let shared = self.random.uuid();
        let parameters = json!({ "secretId": spelled });
        for (recipient, identity) in
            [(&*caller.account, caller.identity.clone()), (owner, caller.as_outsider())]
        {
            let mut detail = self.detail(caller, "GetSecretValue", secret.region(), &parameters);
            detail["userIdentity"] = identity;
            detail["recipientAccountId"] = json!(recipient);
            detail["sharedEventID"] = json!(shared);
            self.put(recipient, secret.region(), "AWS API Call via CloudTrail", &detail);
        }
    }

    /// A refused read: the target stands in the message only (aws-samples/aws-health-aware, issue 19).
    pub(super) fn denied(&mut self, caller: &Caller, secret: &Secret) {
        let (target, who) =
            (secret.spelled(&mut self.random, &caller.account), caller.identity["arn"].clone());
        let mut detail = self.detail(caller, "GetSecretValue", secret.region(), &Value::Null);
        let action = "secretsmanager:GetSecretValue";
        let who = who.as_str().unwrap_or_default();
        detail["errorCode"] = json!("AccessDenied");
        detail["errorMessage"] = json!(format!(
            "User: {who} is not authorized to perform: {action} on resource: {target} because no identity-based policy allows the {action} action"
        ));
        let (account, region) = (self.account.clone(), secret.region());
        self.put(&account, region, "AWS API Call via CloudTrail", &detail);
    }

    /// A batch read of these secrets by their ids, and the record that it leaves for each of them.
    pub(super) fn batch(&mut self, caller: &Caller, secrets: &[Secret]) {
        let ids: Vec<String> =
            secrets.iter().map(|secret| secret.spelled(&mut self.random, &caller.account)).collect();
        self.call(caller, "BatchGetSecretValue", self.region, &json!({ "secretIdList": ids }));
        self.children(caller, secrets);
    }

    /// The `GetSecretValue` records of a batch read. Whose address they carry is not known: either.
    pub(super) fn children(&mut self, caller: &Caller, secrets: &[Secret]) {
        let mut child = caller.clone();
        if self.random.chance(500) {
            (child.agent, child.address) = (MANAGER.to_owned(), MANAGER.to_owned());
        }
        for secret in secrets {
            let parameters = json!({ "secretId": secret.arn() });
            self.call(&child, "GetSecretValue", secret.region(), &parameters);
        }
    }

    /// Any call of the API in the scene's account.
    pub(super) fn call(&mut self, caller: &Caller, name: &str, region: &str, parameters: &Value) {
        let detail = self.detail(caller, name, region, parameters);
        let account = self.account.clone();
        self.put(&account, region, "AWS API Call via CloudTrail", &detail);
    }

    /// An event of Secrets Manager's own.
    pub(super) fn service_event(&mut self, name: &str, secret: &Secret) {
        let arn = secret.arn();
        let detail = json!({
            "eventVersion": "1.11",
            "userIdentity": { "accountId": self.account, "invokedBy": MANAGER },
            "eventTime": self.now.truncate_to_second(),
            "eventSource": MANAGER,
            "eventName": name,
            "awsRegion": secret.region(),
            "sourceIPAddress": MANAGER,
            "userAgent": MANAGER,
            "requestParameters": null,
            "responseElements": null,
            "additionalEventData": { "SecretId": arn },
            "requestID": format!("Rotation-{arn}-{}", self.random.uuid()),
            "eventID": self.random.uuid(),
            "readOnly": false,
            "eventType": "AwsServiceEvent",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        });
        let account = self.account.clone();
        self.put(&account, secret.region(), "AWS Service Event via CloudTrail", &detail);
    }

    /// The native event of a new value.
    pub(super) fn label_updated(&mut self, secret: &Secret) {
        let version = self.random.uuid();
        let detail = json!({ "name": secret.name(), "labelUpdated": "AWSCURRENT", "versionId": version });
        let account = self.account.clone();
        self.put(&account, secret.region(), "Secret Label Updated", &detail);
        if let Some((_, event)) = self.events.last_mut() {
            event["resources"] = json!([secret.arn()]);
        }
    }

    fn detail(&mut self, caller: &Caller, name: &str, region: &str, parameters: &Value) -> Value {
        let reads = ["Get", "Batch", "List", "Describe"].iter().any(|verb| name.starts_with(verb));
        let mut detail = json!({
            "eventVersion": "1.11",
            "userIdentity": caller.identity,
            "eventTime": self.now.truncate_to_second(),
            "eventSource": MANAGER,
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
            "requestParameters": parameters,
            "responseElements": null,
            "requestID": self.random.uuid(),
            "eventID": self.random.uuid(),
            "readOnly": reads,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        });
        if !caller.is_service() {
            detail["tlsDetails"] = json!({
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": format!("secretsmanager.{region}.amazonaws.com"),
            });
        }
        if caller.console {
            detail["sessionCredentialFromConsole"] = json!("true");
        }
        detail
    }

    fn put(&mut self, account: &str, region: &str, kind: &str, detail: &Value) {
        let event = json!({
            "version": "0",
            "id": self.random.uuid(),
            "detail-type": kind,
            "source": "aws.secretsmanager",
            "account": account,
            "time": self.now.truncate_to_second(),
            "region": region,
            "resources": [],
            "detail": detail,
        });
        self.events.push((self.now, event));
    }
}

/// What Secrets Manager calls itself.
const MANAGER: &str = "secretsmanager.amazonaws.com";
