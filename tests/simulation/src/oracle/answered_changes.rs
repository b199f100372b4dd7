//! P1: no task holds an old value at the end, or a human was notified of exactly this service and secret.

use responder_core::aws::ecs_service::ServiceStatus;
use responder_core::time::{Span, Timestamp};

use super::context::OracleContext;
use super::page_subject::{is_withdrawn, names_consumer};

/// For how long a page about a service and a secret counts for the next change of the same two: `resolve_after` of the rule.
const CONSUMER_RESOLVE_AFTER: Span = Span::from_secs(15);

/// A change of a secret that a service uses.
struct ConsumedChange<'c> {
    service: &'c str,
    secret: &'c str,
    changed_at: Timestamp,
}

/// Checks the last change of each secret that a service uses; where a time is promised, every change.
pub(super) fn check_changes_are_answered(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    for (service, oldest_task) in list_active_services(context) {
        for secret in context.world.secrets_of(&service) {
            let changes = context.world.history().changes_of(&secret);
            for (number, changed_at) in changes.iter().enumerate() {
                let change = ConsumedChange { service: &service, secret: &secret, changed_at: *changed_at };
                if number + 1 == changes.len() {
                    check_is_answered(context, &change, oldest_task, violations);
                }
                check_is_answered_in_time(context, &change, violations);
            }
        }
    }
}

/// The active services (ARNs), each with when the oldest of its tasks started that run.
fn list_active_services(context: &OracleContext<'_>) -> Vec<(String, Option<Timestamp>)> {
    context.world.with_ecs(|ecs| {
        let mut active = Vec::new();
        for arn in ecs.service_arns() {
            let Some(service) = ecs.service(arn) else { continue };
            if service.status == ServiceStatus::Active {
                active.push((arn.to_owned(), service.oldest_task()));
            }
        }
        active
    })
}

fn check_is_answered(
    context: &OracleContext<'_>,
    change: &ConsumedChange<'_>,
    oldest_task: Option<Timestamp>,
    violations: &mut Vec<String>,
) {
    let ConsumedChange { service, secret, changed_at } = change;
    let needed_since = changed_at.plus(context.staleness());
    let has_old_task = oldest_task.is_some_and(|started_at| started_at < needed_since);
    if has_old_task && find_notification(context, change).is_none() {
        violations.push(format!(
            "a task of {service} holds {secret} of before {changed_at}, and nobody was notified"
        ));
    }
}

fn check_is_answered_in_time(
    context: &OracleContext<'_>,
    change: &ConsumedChange<'_>,
    violations: &mut Vec<String>,
) {
    let Some(within) = context.promises.answered_within else { return };
    let ConsumedChange { service, secret, changed_at } = change;
    let answers = [find_newer_deployment(context, change), find_notification(context, change)];
    let answered_at = answers.into_iter().flatten().min();
    match answered_at {
        Some(at) if at <= changed_at.plus(within) => {}
        Some(at) => {
            violations.push(format!("{service}: the change of {secret} at {changed_at} was answered {at}"));
        }
        None => {
            violations.push(format!("{service}: the change of {secret} at {changed_at} was answered never"));
        }
    }
}

/// When the first deployment was created that has the new value.
fn find_newer_deployment(context: &OracleContext<'_>, change: &ConsumedChange<'_>) -> Option<Timestamp> {
    let needed_since = change.changed_at.plus(context.staleness());
    let newer =
        context.deployments_of(change.service).iter().find(|started| started.created_at >= needed_since)?;
    Some(newer.created_at)
}

/// When a human was first notified of the service and the secret.
fn find_notification(context: &OracleContext<'_>, change: &ConsumedChange<'_>) -> Option<Timestamp> {
    let counts_from = change.changed_at.minus(CONSUMER_RESOLVE_AFTER);
    for sent in &context.pages {
        let counts = sent.at >= counts_from && names_consumer(sent, change.service, change.secret);
        if counts && !is_withdrawn(&context.pages, sent) {
            return Some(sent.at);
        }
    }
    None
}
