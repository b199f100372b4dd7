//! The stage of one sample: an account with secrets, a clock that the play moves, and the records of calls.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::EcsService;
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use super::caller::CorpusCaller;
use super::secret::{CorpusSecret, choose_text, make_name};
use crate::random::SeededRandom;

/// The stage of one sample.
pub(super) struct CorpusStage {
    pub(super) random: SeededRandom,
    pub(super) account: String,
    pub(super) region: &'static str,
    pub(super) now: Timestamp,
    /// How long the slowest delivery takes.
    pub(super) longest_delay: Span,
    /// How many of a thousand events come more than once.
    pub(super) repeated: u64,
    pub(super) thief: Option<String>,
    /// The callers of an attack of several.
    pub(super) accomplices: BTreeSet<String>,
    pub(super) services: Vec<EcsService>,
    pub(super) accounts: BTreeSet<String>,
    /// The ARNs of the secrets that the thief read.
    pub(super) stolen: BTreeSet<String>,
    /// How many secrets were named.
    names: usize,
    /// The events, each with when it happened.
    events: Vec<(Timestamp, Value)>,
}

/// The Regions that the operator names as home.
pub(super) const HOMES: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

/// The name of Secrets Manager in records.
const SECRETS_MANAGER: &str = "secretsmanager.amazonaws.com";
/// The detail type of records of calls.
const CALL: &str = "AWS API Call via CloudTrail";

impl CorpusStage {
    pub(super) fn new(mut random: SeededRandom, now: Timestamp) -> Self {
        let account = random.digits(12);
        let region = choose_text(&mut random, &HOMES);
        Self {
            accounts: [account.clone()].into(),
            random,
            account,
            region,
            now,
            longest_delay: Span::from_secs(90),
            repeated: 20,
            thief: None,
            accomplices: BTreeSet::new(),
            services: Vec::new(),
            stolen: BTreeSet::new(),
            names: 0,
            events: Vec::new(),
        }
    }

    /// The events as they are delivered: some more than once, none at once, in the order of delivery.
    pub(super) fn deliver_events(&mut self) -> Vec<(Timestamp, Value)> {
        let mut deliveries = Vec::new();
        for (at, event) in std::mem::take(&mut self.events) {
            let mut copies = 1;
            while self.random.chance(self.repeated) {
                copies += 1;
            }
            for _ in 0..copies {
                let delay = self.random.span_below(self.longest_delay);
                deliveries.push((at.plus(delay), event.clone()));
            }
        }
        deliveries.sort_by_key(|(at, _)| *at);
        deliveries
    }

    /// A number from `from` to `to`.
    pub(super) fn draw_number(&mut self, from: u64, to: u64) -> usize {
        usize::try_from(from + self.random.below(to + 1 - from)).unwrap_or_default()
    }

    /// Lets between `from` and `to` milliseconds pass.
    pub(super) fn wait(&mut self, from: i64, to: i64) {
        let more = self.random.span_below(Span::from_millis(to - from + 1));
        self.now = self.now.plus(Span::from_millis(from)).plus(more);
    }

    /// Another account of this sample.
    pub(super) fn add_account(&mut self) -> String {
        let account = self.random.digits(12);
        self.accounts.insert(account.clone());
        account
    }

    /// Some secrets of the account, in the home Region of the stage.
    pub(super) fn make_secrets(&mut self, count: usize) -> Vec<CorpusSecret> {
        let account = self.account.clone();
        let region = self.region;
        (0..count).map(|_| self.make_secret_in(&account, region)).collect()
    }

    /// A secret in any account and Region.
    pub(super) fn make_secret_in(&mut self, account: &str, region: &str) -> CorpusSecret {
        self.names += 1;
        let environment = choose_text(&mut self.random, &["dev", "prod", "shared", "staging"]);
        let name = make_name(&mut self.random, environment, self.names);
        CorpusSecret::new(&mut self.random, account, region, name)
    }

    /// A caller who is no thief: a user, or a role in some session.
    pub(super) fn cast_somebody(&mut self) -> CorpusCaller {
        let account = self.account.clone();
        let session = self.random.hex(8);
        if self.random.chance(400) {
            let name = choose_text(&mut self.random, &["alice", "build", "carol", "deploy", "svc-sync"]);
            return CorpusCaller::user(&mut self.random, &account, name);
        }
        let path = choose_text(&mut self.random, &["", "apps/", "team/data/"]);
        let name = choose_text(&mut self.random, &["batch-worker", "data-export", "frontend", "web"]);
        CorpusCaller::role(&mut self.random, &account, path, name, &session)
    }

    /// A caller whose attack must be found.
    pub(super) fn cast_thief(&mut self) -> CorpusCaller {
        let caller = self.cast_somebody();
        self.mark_thief(&caller);
        caller
    }

    /// One of several callers of one attack: the incident names none of them alone.
    pub(super) fn mark_accomplice(&mut self, caller: &CorpusCaller) {
        self.accomplices.insert(caller.id.clone());
    }

    pub(super) fn mark_thief(&mut self, caller: &CorpusCaller) {
        self.thief = Some(caller.id.clone());
    }

    /// A secret is read, spelled in any way.
    pub(super) fn read_secret(&mut self, caller: &CorpusCaller, secret: &CorpusSecret) {
        self.note_theft(caller, secret);
        let spelled = secret.spell(&mut self.random, &caller.account);
        self.record_call(caller, "GetSecretValue", secret.region(), &json!({ "secretId": spelled }));
    }

    fn note_theft(&mut self, caller: &CorpusCaller, secret: &CorpusSecret) {
        if self.thief.as_ref() == Some(&caller.id) || self.accomplices.contains(&caller.id) {
            self.stolen.insert(secret.arn());
        }
    }

    /// Each of some secrets is read, with between `from` and `to` milliseconds after each.
    pub(super) fn read_secrets(
        &mut self,
        caller: &CorpusCaller,
        secrets: &[CorpusSecret],
        from: i64,
        to: i64,
    ) {
        for secret in secrets {
            self.read_secret(caller, secret);
            self.wait(from, to);
        }
    }

    /// A read of another account's secret: two records with one `sharedEventID`.
    pub(super) fn read_across_accounts(&mut self, caller: &CorpusCaller, owner: &str, secret: &CorpusSecret) {
        self.note_theft(caller, secret);
        let spelled = secret.spell(&mut self.random, &caller.account);
        let shared_id = self.random.uuid();
        let parameters = json!({ "secretId": spelled });
        let records = [(caller.account.as_str(), caller.identity.clone()), (owner, caller.as_outsider())];
        for (recipient, identity) in records {
            let mut detail = self.describe_call(caller, "GetSecretValue", secret.region(), &parameters);
            detail["userIdentity"] = identity;
            detail["recipientAccountId"] = json!(recipient);
            detail["sharedEventID"] = json!(shared_id);
            self.add_event(recipient, secret.region(), CALL, &detail);
        }
    }

    /// A refused read: the target stands in the message only (aws-samples/aws-health-aware, issue 19).
    pub(super) fn refuse_read(&mut self, caller: &CorpusCaller, secret: &CorpusSecret) {
        let target = secret.spell(&mut self.random, &caller.account);
        let user = caller.identity["arn"].as_str().unwrap_or_default();
        let mut detail = self.describe_call(caller, "GetSecretValue", secret.region(), &Value::Null);
        let action = "secretsmanager:GetSecretValue";
        detail["errorCode"] = json!("AccessDenied");
        detail["errorMessage"] = json!(format!(
            "User: {user} is not authorized to perform: {action} on resource: {target} because no identity-based policy allows the {action} action"
        ));
        let account = self.account.clone();
        self.add_event(&account, secret.region(), CALL, &detail);
    }

    /// A batch read of these secrets by their ids, and the record that it leaves for each of them.
    pub(super) fn read_batch(&mut self, caller: &CorpusCaller, secrets: &[CorpusSecret]) {
        let mut ids = Vec::new();
        for secret in secrets {
            self.note_theft(caller, secret);
            ids.push(secret.spell(&mut self.random, &caller.account));
        }
        self.record_call(caller, "BatchGetSecretValue", self.region, &json!({ "secretIdList": ids }));
        self.record_batch_reads(caller, secrets);
    }

    /// The `GetSecretValue` records of a batch read. It is not known whose address they carry: either may be.
    fn record_batch_reads(&mut self, caller: &CorpusCaller, secrets: &[CorpusSecret]) {
        let mut reader = caller.clone();
        if self.random.chance(500) {
            SECRETS_MANAGER.clone_into(&mut reader.agent);
            SECRETS_MANAGER.clone_into(&mut reader.address);
        }
        for secret in secrets {
            let parameters = json!({ "secretId": secret.arn() });
            self.record_call(&reader, "GetSecretValue", secret.region(), &parameters);
        }
    }

    /// Any call of the API in the stage's account.
    pub(super) fn record_call(
        &mut self,
        caller: &CorpusCaller,
        name: &str,
        region: &str,
        parameters: &Value,
    ) {
        let detail = self.describe_call(caller, name, region, parameters);
        let account = self.account.clone();
        self.add_event(&account, region, CALL, &detail);
    }

    /// An event of Secrets Manager's own, through `CloudTrail`.
    pub(super) fn send_service_event(&mut self, name: &str, secret: &CorpusSecret) {
        let arn = secret.arn();
        let detail = json!({
            "eventVersion": "1.11",
            "userIdentity": { "accountId": self.account, "invokedBy": SECRETS_MANAGER },
            "eventTime": self.now.truncate_to_second(),
            "eventSource": SECRETS_MANAGER,
            "eventName": name,
            "awsRegion": secret.region(),
            "sourceIPAddress": SECRETS_MANAGER,
            "userAgent": SECRETS_MANAGER,
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
        self.add_event(&account, secret.region(), "AWS Service Event via CloudTrail", &detail);
    }

    /// The native event of a new value.
    pub(super) fn send_label_event(&mut self, secret: &CorpusSecret) {
        let version = self.random.uuid();
        let detail = json!({ "name": secret.name(), "labelUpdated": "AWSCURRENT", "versionId": version });
        let account = self.account.clone();
        self.add_event(&account, secret.region(), "Secret Label Updated", &detail);
        if let Some((_, event)) = self.events.last_mut() {
            event["resources"] = json!([secret.arn()]);
        }
    }

    /// The `detail` of a call's record.
    fn describe_call(
        &mut self,
        caller: &CorpusCaller,
        name: &str,
        region: &str,
        parameters: &Value,
    ) -> Value {
        let mut detail = json!({
            "eventVersion": "1.11",
            "userIdentity": caller.identity,
            "eventTime": self.now.truncate_to_second(),
            "eventSource": SECRETS_MANAGER,
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
            "requestParameters": parameters,
            "responseElements": null,
            "requestID": self.random.uuid(),
            "eventID": self.random.uuid(),
            "readOnly": is_read_only(name),
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

    fn add_event(&mut self, account: &str, region: &str, detail_type: &str, detail: &Value) {
        let event = json!({
            "version": "0",
            "id": self.random.uuid(),
            "detail-type": detail_type,
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

fn is_read_only(operation: &str) -> bool {
    ["Get", "Batch", "List", "Describe"].iter().any(|verb| operation.starts_with(verb))
}
