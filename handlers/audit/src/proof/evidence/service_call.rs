//! Calls of `CreateService` and `UpdateService`: the evidence for deployments and for the task definition of a service.

use serde_json::Value;

use super::identity::{ServiceIdentity, identify_definition, last_segment};
use super::task_definition::list_values;
use responder_core::event::Event;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// The cluster of a call that names none (`API_UpdateService`).
const DEFAULT_CLUSTER: &str = "default";

/// A call of `CreateService` or `UpdateService`. The derived order is by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceCall {
    pub(crate) at: Timestamp,
    pub(crate) service: ServiceIdentity,
    /// The ARN of the service, if the record has it.
    pub(crate) arn: Option<String>,
    /// Whether the call creates the service.
    pub(crate) creates: bool,
    /// Whether the call asks for a new deployment of the same task definition.
    pub(crate) forces: bool,
    /// Whether the call certainly begins a deployment.
    pub(crate) deploys: bool,
    /// The error code, if ECS refused the call.
    pub(crate) refused: Option<Untrusted>,
    /// The deployments in the answer.
    pub(crate) deployments: Vec<AnsweredDeployment>,
    /// The task definition that the service has after the call, as `account/region/family:revision`.
    pub(crate) definition: Option<String>,
    /// References to secrets in the service itself, as `valueFrom`.
    pub(crate) references: Vec<String>,
}

/// A deployment in the answer of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AnsweredDeployment {
    pub(crate) id: String,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) is_primary: bool,
}

impl ServiceCall {
    /// Reads the record of a call. Returns `None` if it names no service.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        let record = CallRecord { event };
        let cluster = record.answered_text("clusterArn").or_else(|| record.requested_text("cluster"));
        let cluster = cluster.unwrap_or_else(|| DEFAULT_CLUSTER.to_owned());
        let mut arn = record.service_arn();
        let mut service = arn.as_deref().and_then(|arn| ServiceIdentity::from_arn(arn, Some(&cluster)));
        if service.is_none() {
            // A text that is no ARN of a service is a name, or nothing.
            arn = None;
            service = record.identify_service_by_name(&cluster);
        }
        let creates = event.event_name().raw() == "CreateService";
        let forces = record.forces_deployment();
        Some(Self {
            at: event.time,
            service: service?,
            arn,
            creates,
            forces,
            deploys: forces || creates || record.requested_text("taskDefinition").is_some(),
            refused: event.is_error().then(|| record.error_code()),
            deployments: record.read_deployments(),
            definition: record.identify_definition(),
            references: record.list_references(),
        })
    }
}

/// The record of a call, by the parts of it that are read.
struct CallRecord<'e> {
    event: &'e Event,
}

impl CallRecord<'_> {
    fn answered_text(&self, name: &str) -> Option<String> {
        let text = self.event.find_text(&format!("/detail/responseElements/service/{name}"));
        text.map(|text| text.raw().to_owned())
    }

    fn requested_text(&self, name: &str) -> Option<String> {
        let text = self.event.find_text(&format!("/detail/requestParameters/{name}"));
        text.map(|text| text.raw().to_owned())
    }

    /// The ARN of the service: the answer has it, and a caller may type it.
    fn service_arn(&self) -> Option<String> {
        self.answered_text("serviceArn")
            .or_else(|| self.requested_text("service").filter(|name| name.starts_with("arn:")))
    }

    /// The service that the caller named, in the account and Region of the event.
    fn identify_service_by_name(&self, cluster: &str) -> Option<ServiceIdentity> {
        let name = self.requested_text("service").or_else(|| self.requested_text("serviceName"));
        Some(ServiceIdentity {
            account: self.event.account.clone(),
            region: self.event.region.clone(),
            cluster: last_segment(cluster).to_owned(),
            name: name?,
        })
    }

    /// Whether the caller asked for a new deployment. Some tools record the flag as a string.
    fn forces_deployment(&self) -> bool {
        match self.event.find_value("/detail/requestParameters/forceNewDeployment") {
            Some(Value::Bool(forces)) => *forces,
            Some(Value::String(word)) => word == "true",
            _ => false,
        }
    }

    fn error_code(&self) -> Untrusted {
        self.event.find_text("/detail/errorCode").unwrap_or_else(|| Untrusted::new("an error without a code"))
    }

    fn answered_deployments(&self) -> &[Value] {
        match self.event.find_value("/detail/responseElements/service/deployments") {
            Some(Value::Array(deployments)) => deployments,
            _ => &[],
        }
    }

    fn read_deployments(&self) -> Vec<AnsweredDeployment> {
        let mut deployments = Vec::new();
        for deployment in self.answered_deployments() {
            let Some(id) = deployment.get("id").and_then(Value::as_str) else { continue };
            deployments.push(AnsweredDeployment {
                id: id.to_owned(),
                created_at: deployment.get("createdAt").and_then(parse_creation_time),
                is_primary: deployment.get("status").and_then(Value::as_str) == Some("PRIMARY"),
            });
        }
        deployments
    }

    fn identify_definition(&self) -> Option<String> {
        let definition =
            self.answered_text("taskDefinition").or_else(|| self.requested_text("taskDefinition"));
        definition.map(|definition| identify_definition(&definition, self.event))
    }

    /// The secrets of Service Connect's log configuration, in the answer and in the request.
    fn list_references(&self) -> Vec<String> {
        let mut references = Vec::new();
        let requested = self.event.find_value("/detail/requestParameters");
        for part in self.answered_deployments().iter().chain(requested) {
            if let Some(log) = part.pointer("/serviceConnectConfiguration/logConfiguration") {
                references.extend(list_values(log, "secretOptions"));
            }
        }
        references
    }
}

/// Parses `createdAt` of a record. No reference says which form it has; three are accepted: RFC 3339, seconds since 1970,
/// and a date as Java prints it (`Jun 1, 2026, 3:00:36 AM`, with or without the second comma, with a narrow space before
/// `AM`).
fn parse_creation_time(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_f64() {
        // A float holds the milliseconds of any plausible date exactly.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, and an absurd time is no deployment"
        )]
        return Some(Timestamp::from_millis((seconds * 1_000.0) as i64));
    }
    let text = value.as_str()?;
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let words = text.replace(['\u{202f}', '\u{a0}', ','], " ");
    let words: Vec<&str> = words.split_whitespace().collect();
    Timestamp::from_java_date(&words.join(" "))
}
