//! What events tell of changes, deployments and reads: each event becomes at most one observation.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::Value;

use responder_core::aws::arn::Arn;
use responder_core::aws::ecs_service::{ReferenceKind, SecretReference};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// Everything that was observed; copies of an event count once. A function of the set of events.
#[derive(Clone, Debug, Default)]
pub struct RotationEvents {
    /// By the event's key; of several copies the one that tells most.
    by_event: BTreeMap<String, (Reverse<usize>, EventMeaning)>,
    /// The last event of any kind.
    pub(super) until: Option<Timestamp>,
}

/// An event that tells something, but not when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event about a secret or a service that does not say when")]
pub struct UndatedEvent;

impl RotationEvents {
    /// Takes an event; most tell nothing.
    ///
    /// # Errors
    /// When it tells something, but not when.
    pub fn add(&mut self, event: &Event) -> Result<(), UndatedEvent> {
        let observed = observe(event);
        if !event.time_known {
            return if observed.is_some() { Err(UndatedEvent) } else { Ok(()) };
        }
        self.until = self.until.max(Some(event.time));
        if let Some(observed) = observed {
            let found = (Reverse(event.richness()), observed);
            let known = self.by_event.entry(event.key().to_owned()).or_insert_with(|| found.clone());
            if found < *known {
                *known = found;
            }
        }
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &EventMeaning> {
        self.by_event.values().map(|(_, observed)| observed)
    }
}

/// What one event tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EventMeaning {
    Moved(LabelMove),
    Call(ServiceCall),
    Rollout(RolloutEvent),
    Fetch(TaskRead),
    Definition(RegisteredDefinition),
}

/// AWSCURRENT is on another version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LabelMove {
    pub(super) at: Timestamp,
    pub(super) secret: SecretRef,
    pub(super) version: Option<String>,
    /// Whether it only tells of a move that came before it.
    pub(super) is_report: bool,
}

/// A service, whoever names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceIdentity {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) cluster: String,
    pub(super) name: String,
}

impl ServiceIdentity {
    /// From a service's ARN; the old form (before 2018) lacks the cluster, which `cluster` then says.
    pub(super) fn of(arn: &str, cluster: Option<&str>) -> Option<Self> {
        let arn = Arn::of("ecs", arn)?;
        let path = arn.resource.strip_prefix("service/")?;
        let (cluster, name) = path.split_once('/').or_else(|| Some((last(cluster?), path)))?;
        let [account, region, cluster, name] = [arn.account, arn.region, cluster, name].map(str::to_owned);
        Some(Self { account, region, cluster, name })
    }
}

/// What follows the last slash of an ARN, or a name.
fn last(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// A role: its path is no part of its identity, and the ARN of a session lacks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RoleIdentity {
    account: String,
    name: String,
}

impl RoleIdentity {
    /// From the ARN of a role or of its sessions, or (in `account`) its name.
    pub(super) fn of(text: &str, account: &str) -> Option<Self> {
        let (account, name) = match Arn::parse(text) {
            Some(arn) if arn.service == "sts" => {
                (arn.account, arn.resource.strip_prefix("assumed-role/")?.split('/').next()?)
            }
            Some(arn) => (arn.account, last(arn.resource.strip_prefix("role/")?)),
            None => (account, last(text)),
        };
        (!name.is_empty()).then(|| Self { account: account.to_owned(), name: name.to_owned() })
    }
}

/// `CreateService` or `UpdateService`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceCall {
    pub(super) at: Timestamp,
    pub(super) place: ServiceIdentity,
    pub(super) arn: Option<String>,
    pub(super) creates: bool,
    /// Whether it asks for a new deployment of what is there.
    pub(super) forces: bool,
    /// Whether it certainly begins a deployment.
    pub(super) deploys: bool,
    /// Why ECS refused it.
    pub(super) refused: Option<Untrusted>,
    /// The deployments that the answer shows, and when each was created.
    pub(super) deployments: Vec<AnsweredDeployment>,
    pub(super) definition: Option<String>,
    /// References of the service itself.
    pub(super) references: Vec<String>,
}

/// A deployment in the answer of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AnsweredDeployment {
    pub(super) id: String,
    pub(super) created_at: Option<Timestamp>,
    pub(super) is_primary: bool,
}

/// `ECS Deployment State Change`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RolloutEvent {
    pub(super) at: Timestamp,
    pub(super) place: ServiceIdentity,
    pub(super) arn: String,
    pub(super) deployment: String,
    pub(super) how: RolloutProgress,
    pub(super) reason: Untrusted,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RolloutProgress {
    Begins,
    Completed,
    Failed,
    /// The circuit breaker or an alarm goes back to an older one.
    RollsBack,
}

/// A task's read of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskRead {
    pub(super) at: Timestamp,
    pub(super) secret: SecretRef,
    pub(super) role: RoleIdentity,
    pub(super) principal: Untrusted,
    /// The version that it asked for, if not for AWSCURRENT.
    pub(super) version: Option<String>,
}

/// `RegisterTaskDefinition`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RegisteredDefinition {
    pub(super) id: String,
    pub(super) role: Option<RoleIdentity>,
    /// Values, and whether a bare name there is a secret's.
    pub(super) references: Vec<(bool, String)>,
}

impl RegisteredDefinition {
    pub(super) fn references(&self) -> impl Iterator<Item = SecretReference> {
        self.references.iter().map(|(named, value)| SecretReference {
            kind: if *named { ReferenceKind::RepositoryCredentials } else { ReferenceKind::ContainerSecret },
            value: Untrusted::new(value),
        })
    }
}

fn observe(event: &Event) -> Option<EventMeaning> {
    let text = |pointer: &str| event.text(pointer).map(|text| text.raw().to_owned());
    let name = event.name();
    // Anybody can put events on a bus, but not with a source of AWS.
    match (text("/source")?.as_str(), name.raw()) {
        ("aws.ecs", "CreateService" | "UpdateService") => call(event).map(EventMeaning::Call),
        ("aws.ecs", "RegisterTaskDefinition") if !event.is_error() => {
            definition(event).map(EventMeaning::Definition)
        }
        ("aws.ecs", _) if text("/detail-type")? == "ECS Deployment State Change" => {
            rollout(event).map(EventMeaning::Rollout)
        }
        ("aws.secretsmanager", "GetSecretValue") if !event.is_error() => {
            fetch(event).map(EventMeaning::Fetch)
        }
        ("aws.secretsmanager", _) if !event.is_error() => moved(event).map(EventMeaning::Moved),
        _ => None,
    }
}

fn moved(event: &Event) -> Option<LabelMove> {
    let text = |pointer: &str| event.text(pointer).map(|text| text.raw().to_owned());
    let given = |name: &str| event.value(&format!("/detail/requestParameters/{name}"));
    let answered = text("/detail/responseElements/versionId");
    match event.name().raw() {
        "RotationSucceeded" => change(event, None, true),
        // The native event has no name of its own.
        "Secret Label Updated" if text("/detail/labelUpdated")? == "AWSCURRENT" => {
            change(event, text("/detail/versionId"), false)
        }
        "PutSecretValue" => {
            // Without stages the new version becomes AWSCURRENT (`API_PutSecretValue`); rotations begin with AWSPENDING.
            let stages = given("versionStages").and_then(Value::as_array);
            let current =
                stages.is_none_or(|stages| stages.iter().any(|stage| stage.as_str() == Some("AWSCURRENT")));
            let version = answered.or_else(|| text("/detail/requestParameters/clientRequestToken"));
            current.then(|| change(event, version, false)).flatten()
        }
        "UpdateSecret" => {
            // Only a new value brings a version (`API_UpdateSecret`), and that becomes AWSCURRENT.
            let valued = ["secretString", "secretBinary"]
                .iter()
                .any(|name| given(name).is_some_and(|value| !value.is_null()));
            (valued || answered.is_some()).then(|| change(event, answered, false)).flatten()
        }
        "UpdateSecretVersionStage" if text("/detail/requestParameters/versionStage")? == "AWSCURRENT" => {
            let version = text("/detail/requestParameters/moveToVersionId")?;
            change(event, Some(version), false)
        }
        _ => None,
    }
}

fn change(event: &Event, version: Option<String>, is_report: bool) -> Option<LabelMove> {
    let secret = event.secrets.first()?.clone();
    Some(LabelMove {
        at: event.time,
        secret,
        version: version.filter(|version| version.len() <= 64),
        is_report,
    })
}

fn call(event: &Event) -> Option<ServiceCall> {
    let text = |pointer: &str| event.text(pointer).map(|text| text.raw().to_owned());
    let service = |name: &str| text(&format!("/detail/responseElements/service/{name}"));
    let requested = |name: &str| text(&format!("/detail/requestParameters/{name}"));
    let cluster =
        service("clusterArn").or_else(|| requested("cluster")).unwrap_or_else(|| "default".to_owned());
    let arn = service("serviceArn").or_else(|| requested("service").filter(|name| name.starts_with("arn:")));
    let place = arn.as_deref().and_then(|arn| ServiceIdentity::of(arn, Some(&cluster))).or_else(|| {
        Some(ServiceIdentity {
            account: event.account.clone(),
            region: event.region.clone(),
            cluster: last(&cluster).to_owned(),
            name: requested("service").or_else(|| requested("serviceName"))?,
        })
    })?;
    let creates = event.name().raw() == "CreateService";
    let force = event.value("/detail/requestParameters/forceNewDeployment");
    let forces = force.is_some_and(|force| force.as_bool() == Some(true) || force.as_str() == Some("true"));
    let error = event.text("/detail/errorCode").unwrap_or_else(|| Untrusted::new("an error without a code"));
    let answer = event.value("/detail/responseElements/service/deployments");
    let shown = answer.and_then(Value::as_array).into_iter().flatten();
    let string = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let deployments = shown.clone().filter_map(|deployment| {
        Some(AnsweredDeployment {
            id: string(deployment, "id")?,
            created_at: deployment.get("createdAt").and_then(created),
            is_primary: string(deployment, "status").as_deref() == Some("PRIMARY"),
        })
    });
    let connect = shown
        .chain(event.value("/detail/requestParameters"))
        .filter_map(|part| part.pointer("/serviceConnectConfiguration/logConfiguration"));
    Some(ServiceCall {
        at: event.time,
        arn: arn.filter(|arn| ServiceIdentity::of(arn, Some(&cluster)).is_some()),
        place,
        creates,
        forces,
        deploys: forces || creates || requested("taskDefinition").is_some(),
        refused: event.is_error().then_some(error),
        deployments: deployments.collect(),
        definition: service("taskDefinition")
            .or_else(|| requested("taskDefinition"))
            .map(|id| definition_id(&id, event)),
        references: connect.flat_map(|log| values(log, "secretOptions")).collect(),
    })
}

/// `account/region/family:revision`, from an ARN or what a caller typed.
fn definition_id(text: &str, event: &Event) -> String {
    let (account, region) =
        Arn::of("ecs", text).map_or((&*event.account, &*event.region), |arn| (arn.account, arn.region));
    format!("{account}/{region}/{}", last(text))
}

/// `valueFrom` of each secret in a list.
fn values(value: &Value, list: &str) -> Vec<String> {
    let list = value.get(list).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|secret| secret.get("valueFrom")?.as_str().map(str::to_owned)).collect()
}

/// `createdAt` in a record: RFC 3339, or as Java prints dates (`Jun 1, 2026, 3:00:36 AM`, with or without the second
/// comma, with a narrow space before AM); believed, no reference says which.
fn created(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_f64() {
        // CloudTrail's seconds; far from where a float loses milliseconds.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, and an absurd time is no deployment"
        )]
        return Some(Timestamp::from_millis((seconds * 1_000.0) as i64));
    }
    let text = value.as_str()?;
    text.parse().ok().or_else(|| {
        let words = text.replace(['\u{202f}', '\u{a0}', ','], " ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        Timestamp::from_java(&words)
    })
}

fn rollout(event: &Event) -> Option<RolloutEvent> {
    let arn = event.text("/resources/0")?.raw().to_owned();
    let reason = event.text("/detail/reason").unwrap_or_default();
    let how = match event.name().raw() {
        "SERVICE_DEPLOYMENT_COMPLETED" => RolloutProgress::Completed,
        "SERVICE_DEPLOYMENT_FAILED" => RolloutProgress::Failed,
        _ if reason.raw().contains("rolling back") => RolloutProgress::RollsBack,
        "SERVICE_DEPLOYMENT_IN_PROGRESS" => RolloutProgress::Begins,
        _ => return None,
    };
    let deployment = event.text("/detail/deploymentId")?.raw().to_owned();
    Some(RolloutEvent {
        at: event.time,
        place: ServiceIdentity::of(&arn, None)?,
        arn,
        deployment,
        how,
        reason,
    })
}

fn fetch(event: &Event) -> Option<TaskRead> {
    let text = |pointer: &str| event.text(pointer).map(|text| text.raw().to_owned());
    let stage = text("/detail/requestParameters/versionStage");
    if !event.principal.is_task() || stage.is_some_and(|stage| stage != "AWSCURRENT") {
        return None;
    }
    let principal = event.principal.id.clone();
    Some(TaskRead {
        at: event.time,
        secret: event.secrets.first()?.clone(),
        role: RoleIdentity::of(principal.raw(), &event.account)?,
        principal,
        version: text("/detail/requestParameters/versionId"),
    })
}

fn definition(event: &Event) -> Option<RegisteredDefinition> {
    let answer = event.value("/detail/responseElements/taskDefinition")?;
    let id = answer.get("taskDefinitionArn").and_then(Value::as_str)?;
    let requested = event.value("/detail/requestParameters");
    let mut references = Vec::new();
    // The answer repeats what was asked for, unless CloudTrail left one of them out for its size.
    for notified in [Some(answer), requested].into_iter().flatten() {
        let list = |name: &str| notified.get(name).and_then(Value::as_array).into_iter().flatten();
        for container in list("containerDefinitions") {
            references.extend(values(container, "secrets").into_iter().map(|value| (false, value)));
            let log = container.get("logConfiguration").map(|log| values(log, "secretOptions"));
            references.extend(log.into_iter().flatten().map(|value| (false, value)));
            let registry = container.pointer("/repositoryCredentials/credentialsParameter");
            references.extend(registry.and_then(Value::as_str).map(|value| (true, value.to_owned())));
        }
        for volume in list("volumes") {
            let file_system = volume
                .pointer("/fsxWindowsFileServerVolumeConfiguration/authorizationConfig/credentialsParameter");
            references.extend(file_system.and_then(Value::as_str).map(|value| (true, value.to_owned())));
        }
    }
    references.sort();
    references.dedup();
    let role = [Some(answer), requested]
        .into_iter()
        .flatten()
        .find_map(|notified| notified.get("executionRoleArn")?.as_str());
    let role = role.and_then(|role| RoleIdentity::of(role, &event.account));
    Some(RegisteredDefinition { id: definition_id(id, event), role, references })
}
