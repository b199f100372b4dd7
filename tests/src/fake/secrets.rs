//! The metadata of Secrets Manager in its JSON. There are no values: a call that asks for one is refused.

use responder_core::time::Timestamp;
use serde_json::{Map, Value, json};
use simulation::secrets::{SecretDescription, SecretsOperation, SimulatedSecrets};
use simulation::service_calls::ApiRefusal;

use super::json::{read_page_size, refuse_unknown_members, write_seconds};

/// Answers one call of Secrets Manager.
pub(super) fn answer_secrets_call(
    secrets: &mut SimulatedSecrets,
    region: &str,
    name: &str,
    body: &Value,
    now: Timestamp,
) -> Result<Value, ApiRefusal> {
    let operation = SecretsOperation::ALL.into_iter().find(|operation| operation.name() == name);
    let operation = operation.ok_or_else(|| ApiRefusal::new("UnknownOperationException", name))?;
    let id = body["SecretId"].as_str().unwrap_or_default();
    match operation {
        SecretsOperation::DescribeSecret => {
            refuse_unknown_members(body, &["SecretId"])?;
            let found = secrets.describe_secret(region, id, now)?;
            let mut body = metadata(&found);
            body.insert("VersionIdsToStages".to_owned(), stages(&found));
            if found.arn.contains(&format!(":{}:", found.primary_region.as_deref().unwrap_or(region))) {
                let replicas = found.replicas.iter();
                let status = replicas.map(|region| json!({"Region": region, "Status": "InSync"}));
                body.insert("ReplicationStatus".to_owned(), status.collect());
            }
            Ok(body.into())
        }
        SecretsOperation::ListSecrets => {
            refuse_unknown_members(body, &["MaxResults", "NextToken"])?;
            let page = secrets.list_secrets(
                region,
                read_page_size(body, "MaxResults"),
                body["NextToken"].as_str(),
                now,
            )?;
            let listed = page.secrets.iter().map(|found| {
                let mut entry = metadata(found);
                entry.insert("SecretVersionsToStages".to_owned(), stages(found));
                Value::Object(entry)
            });
            let mut answer = json!({"SecretList": listed.collect::<Vec<Value>>()});
            if let Some(token) = page.next_token {
                answer["NextToken"] = token.into();
            }
            Ok(answer)
        }
        SecretsOperation::ListSecretVersionIds => {
            refuse_unknown_members(body, &["SecretId", "IncludeDeprecated"])?;
            let all = body["IncludeDeprecated"] == true;
            let found = secrets.list_secret_version_ids(region, id, all, now)?;
            let versions = found.versions.iter().map(|version| {
                let created = write_seconds(version.created);
                json!({"VersionId": version.id, "VersionStages": version.labels, "CreatedDate": created})
            });
            let versions: Vec<Value> = versions.collect();
            Ok(json!({"ARN": found.arn, "Name": found.name, "Versions": versions}))
        }
    }
}

fn metadata(found: &SecretDescription) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        body.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("ARN", Some(found.arn.as_str().into()));
    set("Name", Some(found.name.as_str().into()));
    set("CreatedDate", Some(write_seconds(found.created)));
    set("LastChangedDate", Some(write_seconds(found.last_changed)));
    set("LastRotatedDate", found.last_rotated.map(write_seconds));
    set("NextRotationDate", found.next_rotation.map(write_seconds));
    set("RotationEnabled", Some(found.rotates_every.is_some().into()));
    set("DeletedDate", found.deleted.map(write_seconds));
    set("PrimaryRegion", found.primary_region.as_deref().map(Value::from));
    body
}

/// The versions that have labels.
fn stages(found: &SecretDescription) -> Value {
    let labelled = found.versions.iter().filter(|(_, version)| !version.labels.is_empty());
    let stages = labelled.map(|(id, version)| (id.clone(), json!(version.labels)));
    Value::Object(stages.collect())
}
