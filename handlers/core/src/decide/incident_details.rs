//! The details of an incident: what a page says of an event beyond the counts.

use super::plan_builder::PlanBuilder;
use crate::aws::arn::Arn;
use crate::detail_kind::DetailKind;
use crate::detection::correlate::Detection;
use crate::event::Event;
use crate::incident::IncidentDetail;
use crate::text::Untrusted;

/// The request parameters in which calls that are not about secrets name what they are about (CloudTrail, EventBridge, Lambda,
/// SNS, SQS, DynamoDB).
const TARGET_PARAMETERS: [&str; 7] =
    ["name", "rule", "functionName", "topicArn", "trailName", "queueUrl", "tableName"];

/// The steps of a rotation function, as Secrets Manager names them ("Rotation by Lambda function", user guide).
const ROTATION_STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// The events whose message is Secrets Manager's own text about a rotation.
const ROTATION_FAILURES: [&str; 3] = ["RotationFailed", "RotationAbandoned", "TestRotationFailed"];

/// The details of the event of a decision, and of the exceptions of what it detected.
pub(super) fn event_details(
    builder: &PlanBuilder<'_, '_>,
    detections: &[Detection<'_, '_>],
) -> Vec<IncidentDetail> {
    let event = builder.event();
    let mut details = Vec::new();
    let mut add = |kind, value: Option<Untrusted>| {
        // Secrets Manager's own events repeat its name in every field.
        if let Some(value) = value
            && value != event.principal.id
        {
            details.push(IncidentDetail { kind, value });
        }
    };
    add(DetailKind::Event, Some(event.event_name()));
    // A drill recognises its own page by this.
    add(DetailKind::Drill, event.find_text("/detail/drill"));
    add(DetailKind::SessionName, event.principal.session_name.clone());
    add(DetailKind::SourceIdentity, event.principal.source_identity.clone());
    add(DetailKind::AccessKeyId, event.principal.access_key_id.clone());
    add(DetailKind::CallingService, event.principal.invoked_by.clone());
    add(DetailKind::SourceAddress, event.find_text("/detail/sourceIPAddress"));
    add(DetailKind::UserAgent, event.find_text("/detail/userAgent"));
    if event.secrets.is_empty() {
        let target = TARGET_PARAMETERS
            .iter()
            .find_map(|name| event.find_text(&format!("/detail/requestParameters/{name}")));
        add(DetailKind::CallTarget, target);
    }
    if let Some(message) = event.find_text("/detail/errorMessage") {
        let (function, step) = rotation_failure(message.raw());
        add(DetailKind::FailedStep, step.map(Untrusted::new));
        if ROTATION_FAILURES.contains(&event.event_name().raw()) {
            add(DetailKind::ErrorMessage, Some(message.clone()));
        }
        add(DetailKind::RotationFunction, function.map(Untrusted::new));
        add(DetailKind::Note, function.and_then(|function| describe_foreign_function(function, event)));
    }
    add_expired_exceptions(builder, detections, &mut details);
    details
}

/// Says where the log of a rotation function is, if it is in another account or Region than the secret.
fn describe_foreign_function(function: &str, event: &Event) -> Option<Untrusted> {
    let arn = Arn::parse_for_service("lambda", function)?;
    if arn.account == event.account && arn.region == event.region {
        return None;
    }
    Some(Untrusted::new(format!("the log of the function is in account {}, {}", arn.account, arn.region)))
}

/// Names the exceptions that would have applied if they had not run out, with their owners.
fn add_expired_exceptions(
    builder: &PlanBuilder<'_, '_>,
    detections: &[Detection<'_, '_>],
    details: &mut Vec<IncidentDetail>,
) {
    for applied in &builder.applied {
        let rule = &applied.response.id;
        if !detections.iter().any(|detection| detection.response.id == *rule) {
            continue;
        }
        for exception in &applied.expired {
            if let (Some(owner), Some(until)) = (&exception.owner, exception.until) {
                let text = format!("{} of {rule}, which {owner} answers for, ended on {until}", exception.id);
                details
                    .push(IncidentDetail { kind: DetailKind::ExpiredException, value: Untrusted::new(text) });
            }
        }
    }
}

/// Takes "Error when executing lambda ARN during STEP step" apart (recorded `RotationFailed` events; the same words
/// head Secrets Manager's page on troubleshooting rotation): the function's ARN and the step.
fn rotation_failure(message: &str) -> (Option<&str>, Option<&'static str>) {
    let mut function = None;
    for word in message.split_whitespace() {
        let word = word.trim_end_matches([',', '.', ';']);
        if Arn::parse_for_service("lambda", word).is_some() {
            function = Some(word);
            break;
        }
    }
    let step = ROTATION_STEPS.into_iter().find(|step| message.contains(&format!("during {step} step")));
    (function, step)
}

#[cfg(test)]
mod tests {
    use super::rotation_failure;

    #[test]
    fn message_of_a_failed_rotation_names_function_and_step() {
        let arn = "arn:aws:lambda:us-west-2:111122223333:function:rotate-db";
        let message = format!("Error when executing lambda {arn} during createSecret step");
        assert_eq!(rotation_failure(&message), (Some(arn), Some("createSecret")));
        assert_eq!(rotation_failure("during lunch step"), (None, None));
    }
}
