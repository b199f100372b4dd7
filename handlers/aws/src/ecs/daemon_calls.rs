//! The calls of ECS about managed daemons.

use aws_sdk_ecs::Client;
use responder_core::time::Timestamp;
use responder_engine::port::{ArnPage, DescribedDaemon, DescribedDaemonRevision, DescribedTaskDefinition};
use responder_engine::{CallFailure, EngineError, FailureCause};

use super::map_daemons::{map_daemon, map_daemon_revision, map_daemon_task_definition};
use crate::calls::make_call;

/// `ListDaemons` of a cluster: a page of at most 100.
pub(crate) async fn list_daemons(
    client: &Client,
    cluster: &str,
    token: Option<&str>,
    until: Timestamp,
) -> Result<ArnPage, EngineError> {
    let request = client.list_daemons().cluster_arn(cluster).max_results(100);
    let sent = request.set_next_token(token.map(str::to_owned)).send();
    let page = make_call(until, "ecs", "ListDaemons", sent).await?;
    let mut arns = Vec::new();
    for summary in page.daemon_summaries_list.unwrap_or_default() {
        arns.extend(summary.daemon_arn);
    }
    Ok(ArnPage { arns, next_token: page.next_token })
}

/// `DescribeDaemon`.
pub(crate) async fn describe_daemon(
    client: &Client,
    arn: &str,
    until: Timestamp,
) -> Result<DescribedDaemon, EngineError> {
    let operation = "DescribeDaemon";
    let answer = make_call(until, "ecs", operation, client.describe_daemon().daemon_arn(arn).send()).await?;
    answer.daemon.as_ref().and_then(map_daemon).ok_or_else(|| incomplete_answer(operation))
}

/// `DescribeDaemonRevisions`.
pub(crate) async fn describe_daemon_revisions(
    client: &Client,
    arns: &[String],
    until: Timestamp,
) -> Result<Vec<DescribedDaemonRevision>, EngineError> {
    let operation = "DescribeDaemonRevisions";
    let request = client.describe_daemon_revisions().set_daemon_revision_arns(Some(arns.to_vec()));
    let answer = make_call(until, "ecs", operation, request.send()).await?;
    let mut revisions = Vec::new();
    for revision in answer.daemon_revisions.unwrap_or_default() {
        revisions.extend(map_daemon_revision(&revision));
    }
    // A revision that is left out may be the one that refers to the secret.
    if revisions.len() < arns.len() { Err(incomplete_answer(operation)) } else { Ok(revisions) }
}

/// `DescribeDaemonTaskDefinition`.
pub(crate) async fn describe_daemon_task_definition(
    client: &Client,
    arn: &str,
    until: Timestamp,
) -> Result<DescribedTaskDefinition, EngineError> {
    let operation = "DescribeDaemonTaskDefinition";
    let sent = client.describe_daemon_task_definition().daemon_task_definition(arn).send();
    let answer = make_call(until, "ecs", operation, sent).await?;
    let definition = answer.daemon_task_definition.as_ref();
    definition.map(map_daemon_task_definition).ok_or_else(|| incomplete_answer(operation))
}

fn incomplete_answer(operation: &'static str) -> EngineError {
    let failure = CallFailure::without_code(FailureCause::ResponseIncomplete);
    EngineError::CallFailed { service: "ecs", operation, failure }
}
