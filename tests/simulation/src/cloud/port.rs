//! The engine's port over the models.

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};
use responder_engine::port::{
    ArnPage, AttributeValue, AwsPort, DescribedDaemon, DescribedDaemonRevision, DescribedServices,
    DescribedTaskDefinition, FoundItems, ItemKey, ItemPage, ItemUpdate, Region, SecretPage, SortKeyRange,
    WriteResult,
};
use responder_engine::{CallFailure, EngineError, FailureCause};

use super::answers::{
    to_arn_page, to_daemon_revision, to_described_daemon, to_described_services, to_secret_metadata,
    to_secret_page, to_task_definition,
};
use super::call::{CallProfile, SimulatedPort};
use super::call_fault::refuse_with_code;
use super::record::{CloudRecord, ForcedDeployment, SentNotification};
use crate::service_calls::ApiRefusal;
use crate::sns::{PublishRequest, parse_chat_message};

impl AwsPort for SimulatedPort {
    fn now(&self) -> Timestamp {
        self.cloud.now()
    }

    async fn sleep(&self, span: Span) {
        if !self.cloud.state.borrow().skips_sleeps {
            self.cloud.clock.sleep_until(self.now().plus(span)).await;
        }
    }

    fn print_line(&self, line: &str) {
        let record = &mut self.cloud.state.borrow_mut().record;
        record.meter.count_log_line(line);
        if let Some(journal) = &mut record.journal {
            journal.log_lines.push(line.to_owned());
        }
        if record.trace.is_some() && !line.starts_with("{\"_aws\"") && !line.contains("EventsReceived") {
            let traced = format!("{} #{} {line}", self.cloud.clock.now(), self.invocation);
            record.trace.get_or_insert_default().push(traced);
        }
    }

    async fn update_item(&self, update: &ItemUpdate, until: Timestamp) -> Result<WriteResult, EngineError> {
        let profile = CallProfile::table("UpdateItem");
        let written =
            self.call(profile, until, |state, _| Ok(state.write_item(update, self.invocation))).await?;
        self.cloud.trace(|| {
            let result = if written == WriteResult::Written { "written" } else { "condition does not hold" };
            let ItemKey { pk, sk } = &update.key;
            format!("#{} {pk} {sk} {}: {result}", self.invocation, describe_changes(update))
        });
        Ok(written)
    }

    async fn get_items(&self, keys: &[ItemKey], until: Timestamp) -> Result<FoundItems, EngineError> {
        self.call(CallProfile::table("BatchGetItem"), until, |state, _| {
            let is_half_read = keys.len() > 1 && state.random.chance(state.faults.per_mille / 2);
            let read = if state.faults.take_busy_read() {
                1.min(keys.len())
            } else if is_half_read {
                keys.len() / 2
            } else {
                keys.len()
            };
            let (now, left) = keys.split_at(read);
            let items = state.table.get(now);
            state.record.meter.count_get(now.len(), &items);
            Ok(FoundItems { items, unprocessed_keys: left.to_vec() })
        })
        .await
    }

    async fn query_items(&self, range: &SortKeyRange, until: Timestamp) -> Result<ItemPage, EngineError> {
        self.call(CallProfile::table("Query"), until, |state, _| {
            let page = state.query_items(range, self.invocation);
            state.record.meter.count_query(&page.items);
            Ok(page)
        })
        .await
    }

    async fn list_clusters(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        let profile = CallProfile::ecs("ListClusters");
        if !self.is_home(region) {
            return Ok(ArnPage::default());
        }
        self.call(profile, until, |state, now| {
            let page = profile.translate(state.ecs.list_clusters(Some(100), token, now))?;
            Ok(to_arn_page(page))
        })
        .await
    }

    async fn list_services(
        &self,
        _: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        let profile = CallProfile::ecs("ListServices");
        self.call(profile, until, |state, now| {
            let page = state.ecs.list_services(Some(cluster), Some(100), token, now);
            Ok(to_arn_page(profile.translate(page)?))
        })
        .await
    }

    async fn describe_services(
        &self,
        _: &Region,
        cluster: &str,
        services: &[String],
        until: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        let profile = CallProfile::ecs("DescribeServices");
        self.call(profile, until, |state, now| {
            if let Some(journal) = &mut state.record.journal {
                journal.described.push(services.to_vec());
            }
            let answer = profile.translate(state.ecs.describe_services(Some(cluster), services, now))?;
            Ok(to_described_services(&answer, state.bug))
        })
        .await
    }

    async fn describe_task_definition(
        &self,
        _: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        let profile = CallProfile::ecs("DescribeTaskDefinition");
        self.call(profile, until, |state, now| {
            let definition = profile.translate(state.ecs.describe_task_definition(arn, now))?;
            Ok(to_task_definition(&definition))
        })
        .await
    }

    async fn list_daemons(
        &self,
        _: &Region,
        cluster: &str,
        _: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        let profile = CallProfile::ecs("ListDaemons");
        self.call(profile, until, |state, now| {
            Ok(to_arn_page(profile.translate(state.ecs.list_daemons(cluster, now))?))
        })
        .await
    }

    async fn describe_daemon(
        &self,
        _: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedDaemon, EngineError> {
        let profile = CallProfile::ecs("DescribeDaemon");
        self.call(profile, until, |state, now| {
            Ok(to_described_daemon(profile.translate(state.ecs.describe_daemon(arn, now))?))
        })
        .await
    }

    async fn describe_daemon_revisions(
        &self,
        _: &Region,
        arns: &[String],
        until: Timestamp,
    ) -> Result<Vec<DescribedDaemonRevision>, EngineError> {
        let profile = CallProfile::ecs("DescribeDaemonRevisions");
        self.call(profile, until, |state, now| {
            let daemons = profile.translate(state.ecs.describe_daemon_revisions(arns, now))?;
            Ok(daemons.into_iter().map(to_daemon_revision).collect())
        })
        .await
    }

    async fn describe_daemon_task_definition(
        &self,
        _: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        let profile = CallProfile::ecs("DescribeDaemonTaskDefinition");
        self.call(profile, until, |state, now| {
            let definition = profile.translate(state.ecs.describe_daemon_task_definition(arn, now))?;
            Ok(to_task_definition(&definition))
        })
        .await
    }

    async fn describe_secret(
        &self,
        region: &Region,
        id: &str,
        until: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        let profile = CallProfile::secrets("DescribeSecret");
        self.call(profile, until, |state, now| {
            match state.secrets.describe_secret(region.as_str(), id, now) {
                Err(refusal) if refusal.code == "ResourceNotFoundException" => {
                    Ok(SecretMetadata { missing: true, ..SecretMetadata::default() })
                }
                answer => Ok(to_secret_metadata(&profile.translate(answer)?)),
            }
        })
        .await
    }

    async fn list_secrets(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        let profile = CallProfile::secrets("ListSecrets");
        self.call(profile, until, |state, now| {
            let page = state.secrets.list_secrets(region.as_str(), Some(100), token, now);
            Ok(to_secret_page(profile.translate(page)?))
        })
        .await
    }

    async fn force_deployment(
        &self,
        _: &Region,
        cluster: &str,
        service: &str,
        until: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        let profile = CallProfile::ecs("UpdateService");
        let called_at = self.now();
        self.cloud.state.borrow_mut().record.update_times.push(called_at);
        let answer = self
            .call(profile, until, |state, now| {
                let updated = state.ecs.update_service(Some(cluster), service, true, now).map_err(
                    |ApiRefusal { code, message }| {
                        EngineError::of_forced_deployment(refuse_with_code(code), &message)
                    },
                )?;
                let id = updated.primary().map(|primary| primary.id.clone());
                state.record.deployments.push(ForcedDeployment {
                    service: service.to_owned(),
                    cluster: cluster.to_owned(),
                    deployment: id.clone().unwrap_or_default(),
                    called_at,
                    by: self.invocation,
                    answered: false,
                });
                Ok(id)
            })
            .await
            .map_err(recognize_refusal);
        if let Ok(Some(id)) = &answer {
            self.note_answered(id);
        }
        answer
    }

    async fn publish_page(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let refusal = PublishRequest::for_page(page, key).accept().err();
        self.call(CallProfile::sns("Publish"), until, |state, at| {
            if let Some(why) = &refusal {
                return Err(refuse_page(&mut state.record, why));
            }
            let sent = SentNotification {
                at,
                by: self.invocation,
                key: key.to_owned(),
                page: page.clone(),
                marked: false,
            };
            state.record.pages.push(sent);
            Ok(())
        })
        .await?;
        self.cloud.trace(|| format!("#{} page {key}: {}", self.invocation, page.subject));
        Ok(())
    }

    async fn publish_chat(&self, page: &Notification, until: Timestamp) -> Result<(), EngineError> {
        let profile = CallProfile::sns("Publish (chat)");
        let request = PublishRequest::for_chat(page);
        let refusal = match request.accept() {
            Ok(_) => parse_chat_message(&request.message).err(),
            Err(why) => Some(why),
        };
        self.call(profile, until, |state, _| {
            if let Some(journal) = &mut state.record.journal {
                journal.chats.push(page.subject.clone());
            }
            if state.chat_topic_is_gone {
                return profile.translate(Err(ApiRefusal::new("NotFound", "Topic does not exist")));
            }
            match &refusal {
                Some(why) => Err(refuse_page(&mut state.record, why)),
                None => Ok(()),
            }
        })
        .await
    }
}

/// The error of a call of `UpdateService` with a planted fault, as the adapter to the SDKs says it.
fn recognize_refusal(error: EngineError) -> EngineError {
    match error {
        EngineError::CallFailed { failure, .. } => EngineError::of_forced_deployment(failure, ""),
        error => error,
    }
}

/// SNS refuses a page. That is recorded, so that no world passes with it.
fn refuse_page(record: &mut CloudRecord, why: &str) -> EngineError {
    record.unpublishable.push(why.to_owned());
    let failure =
        CallFailure { cause: FailureCause::ServiceError, code: Some("InvalidParameter".to_owned()) };
    EngineError::CallFailed { service: "sns", operation: "Publish", failure }
}

/// The changes of an update, for the trace.
fn describe_changes(update: &ItemUpdate) -> String {
    let mut changes = Vec::new();
    for (name, value) in &update.set {
        if *name != "ttl" {
            changes.push(format!("{name}={}", describe_value(value)));
        }
    }
    for name in &update.remove {
        changes.push(format!("-{name}"));
    }
    changes.join(" ")
}

fn describe_value(value: &AttributeValue) -> String {
    /// A larger number is an instant.
    const LARGEST_COUNT: i64 = 1_000_000_000_000;
    match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number) if *number > LARGEST_COUNT => {
            Timestamp::from_millis(*number).to_string()
        }
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Set(set) => format!("{} entries", set.len()),
    }
}
