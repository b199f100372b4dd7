//! Rules and schedules: patterns, states, and targets that exist, are tried again, and may be reached.

use eventbridge_pattern::Pattern;
use responder_core::rules::Handler;
use serde_json::{Value, json};

use super::access::home_bus_arn;
use super::queues::find_queue_policy;
use super::template_check::TemplateCheck;
use crate::event_rules::{
    EventAccounts, MAX_PATTERN_CHARACTERS, RuleState, deployed_rules, forwarding_rules, parse_pattern,
};
use crate::json::{list_items, read_text};
use crate::resolved_template::ResolvedTemplate;
use crate::resource_policy::{ServiceRequest, allows_request};

/// The retries of `EventBridge` by default, which are the most that it takes: seconds and attempts.
const EVENT_RETRY: (i64, i64) = (86_400, 185);
/// The retries of a heartbeat: seconds and attempts. A late heartbeat is worth nothing, because the next one is on its way.
const HEARTBEAT_RETRY: (i64, i64) = (60, 5);

/// Checks every rule and schedule with its targets.
pub(super) fn check_event_rules(check: &mut TemplateCheck<'_>) {
    for (id, rule) in check.template.resources_of_type("AWS::Events::Rule") {
        match rule["EventPattern"].as_str() {
            Some(pattern) => check_pattern_rule(check, id, rule, pattern),
            None => check_schedule(check, id, rule),
        }
        check_targets(check, id, rule);
    }
}

fn check_schedule(check: &mut TemplateCheck<'_>, id: &str, rule: &Value) {
    let template = check.template;
    let (rate, handlers) = if template.unprefixed(read_text(&rule["Name"])) == Some("sweep-schedule") {
        ("rate(1 minute)", vec![Handler::Sweep])
    } else {
        ("rate(5 minutes)", vec![Handler::Rotation, Handler::Access, Handler::Failure])
    };
    check.require_value(id, rule, "ScheduleExpression", rate);
    check.require_value(id, rule, "State", "ENABLED");
    let wanted: Vec<String> =
        handlers.iter().map(|handler| template.prefixed_arn("sqs", handler.as_str())).collect();
    require_target_arns(check, id, rule, &wanted);
}

/// Requires that a rule's pattern means what its file says, for the accounts that are trusted, and that its state lets through what
/// the pattern asks for.
fn check_pattern_rule(check: &mut TemplateCheck<'_>, id: &str, rule: &Value, text: &str) {
    let mut pattern = match parse_pattern(text) {
        Some(pattern) if Pattern::parse(text).is_ok() => pattern,
        _ => return check.require(false, id, "`EventPattern` is no pattern"),
    };
    check.require(text.chars().count() <= MAX_PATTERN_CHARACTERS, id, "`EventPattern` is too long");
    let is_minified = !text.contains(": ") && !text.contains('\n');
    check.require(is_minified, id, "`EventPattern` is not minified");
    check.require_value(
        id,
        rule,
        "State",
        RuleState::needed_for(&Value::Object(pattern.clone())).property_value(),
    );
    let accounts = pattern.remove("account").unwrap_or_default();
    let Some((wanted, pinned_accounts)) = wanted_pattern(check, read_text(&rule["Name"])) else {
        return check.require(false, id, "nothing is known of a rule of this name");
    };
    let is_pinned = accounts == json!(list_accounts(check.template, pinned_accounts));
    check.require(is_pinned, id, "`account` must be pinned to the accounts that are trusted");
    let means_the_same = Value::Object(pattern) == wanted;
    check.require(means_the_same, id, format_args!("`EventPattern` must be {wanted}"));
}

/// The pattern that a rule of this name must have, and the accounts whose events it takes.
fn wanted_pattern(check: &TemplateCheck<'_>, name: &str) -> Option<(Value, EventAccounts)> {
    let template = check.template;
    let short_name = template.unprefixed(name)?;
    let region_enabled = json!({
        "source": ["aws.account"], "detail-type": ["Region Opt-In Status Change"], "detail": {"status": ["ENABLED"]}
    });
    if template.is_forwarder() {
        let home_account = template.parameter("HomeAccount").unwrap_or(&template.site.account);
        let pattern = match short_name {
            "canary" => canary_pattern(template, home_account),
            "forward-alarm" => {
                let mut pattern = alarm_pattern(template);
                pattern["region"] = json!([template.site.region]);
                pattern
            }
            "forward-region-enabled" => region_enabled,
            _ => {
                let forward_id = short_name.strip_prefix("forward-")?;
                let forward =
                    forwarding_rules(check.rules).into_iter().find(|forward| forward.id == forward_id)?;
                Value::Object(parse_pattern(&forward.pattern)?)
            }
        };
        return Some((pattern, EventAccounts::Own));
    }
    Some(match short_name {
        "canary" => (canary_pattern(template, &template.site.account), EventAccounts::Own),
        "forwarder-alarm" => {
            let mut pattern = alarm_pattern(template);
            pattern["region"] = json!([{"anything-but": [template.site.region]}]);
            pattern["detail"]["state"] = json!({"value": ["ALARM"]});
            (pattern, EventAccounts::Trusted)
        }
        "region-enabled" => (region_enabled, EventAccounts::Trusted),
        _ => {
            let rule = deployed_rules(check.rules)
                .find(|rule| short_name == format!("{}-{}", rule.handler, rule.id))?;
            (Value::Object(parse_pattern(rule.pattern.minified())?), EventAccounts::for_handler(rule.handler))
        }
    })
}

/// The sweep's own `ListSecrets`, each minute: it shows that reads come as events.
fn canary_pattern(template: &ResolvedTemplate, sweeper_account: &str) -> Value {
    let partition = &template.site.partition;
    let role = format!("arn:{partition}:iam::{sweeper_account}:role/{}", template.prefixed("sweep"));
    json!({
        "region": [template.site.region],
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["secretsmanager.amazonaws.com"],
            "eventName": ["ListSecrets"],
            "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [role]}}},
        },
    })
}

/// Our own alarms, by their names.
fn alarm_pattern(template: &ResolvedTemplate) -> Value {
    json!({
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"prefix": template.prefixed("")}]},
    })
}

fn list_accounts(template: &ResolvedTemplate, accounts: EventAccounts) -> Vec<&str> {
    let mut listed = vec![template.site.account.as_str()];
    if let (EventAccounts::Trusted, Some(others)) = (accounts, template.parameter("TrustedAccounts")) {
        listed.extend(others.split(','));
    }
    listed
}

/// Requires that each target is the right one, is tried again, and keeps what it does not get.
fn check_targets(check: &mut TemplateCheck<'_>, id: &str, rule: &Value) {
    let template = check.template;
    let is_schedule = rule.get("ScheduleExpression").is_some();
    let dead_letter_queue = if is_schedule {
        "schedules-dlq"
    } else if template.is_forwarder() {
        "forward-dlq"
    } else {
        "rules-dlq"
    };
    let dead_letter_arn = template.prefixed_arn("sqs", dead_letter_queue);
    let name = read_text(&rule["Name"]);
    if !is_schedule {
        require_target_arns(check, id, rule, &wanted_target_arns(template, name));
    }
    require_permission_to_send(check, id, name, &dead_letter_arn);
    for target in list_items(&rule["Targets"]) {
        let arn = read_text(&target["Arn"]);
        check.require(target["Id"].is_string(), id, "a target needs an `Id`");
        check.require_value(id, target, "DeadLetterConfig", json!({"Arn": dead_letter_arn}));
        let (age, attempts) =
            if is_schedule || arn.ends_with("-canary") { HEARTBEAT_RETRY } else { EVENT_RETRY };
        let retry = &target["RetryPolicy"];
        let is_tried_again = retry["MaximumEventAgeInSeconds"].as_i64() >= Some(age)
            && retry["MaximumRetryAttempts"].as_i64() >= Some(attempts);
        let problem = format!("`RetryPolicy` must be explicit, for at least {age} s and {attempts} attempts");
        check.require(is_tried_again, id, problem);
        // EventBridge needs a role only for a bus of another Region or account.
        if arn.contains(":event-bus/") {
            let has_role = read_text(&target["RoleArn"]).ends_with("role/ForwarderRole");
            check.require(has_role, id, "a bus as a target needs the forwarder's role");
        } else {
            check.require(target.get("RoleArn").is_none(), id, "a queue or topic as a target needs no role");
        }
        if arn.contains(":sqs:") {
            require_permission_to_send(check, id, name, arn);
        }
        if arn.contains(":sns:") {
            let has_text = has_known_placeholders(&target["InputTransformer"]);
            check.require(has_text, id, "a page needs a text, made of values that it names");
        }
    }
}

fn require_target_arns(check: &mut TemplateCheck<'_>, id: &str, rule: &Value, wanted: &[String]) {
    let arns: Vec<&str> =
        list_items(&rule["Targets"]).iter().map(|target| read_text(&target["Arn"])).collect();
    check.require(arns == wanted, id, format_args!("its targets must be {wanted:?}"));
}

fn wanted_target_arns(template: &ResolvedTemplate, name: &str) -> Vec<String> {
    let short_name = template.unprefixed(name).unwrap_or_default();
    if template.is_forwarder() {
        let mut arns = Vec::new();
        if short_name == "canary" {
            arns.push(template.prefixed_arn("sqs", "canary"));
        }
        arns.push(home_bus_arn(template));
        return arns;
    }
    match short_name {
        "canary" => vec![template.prefixed_arn("sqs", "canary")],
        "forwarder-alarm" | "region-enabled" => vec![template.prefixed_arn("sns", "pages")],
        // A rule's name begins with its handler, whose queue gets its events.
        _ => vec![template.prefixed_arn("sqs", short_name.split('-').next().unwrap_or_default())],
    }
}

/// Whether a page's text consists of placeholders such as `<region>`, each with a path into the event.
fn has_known_placeholders(input: &Value) -> bool {
    let mut placeholders = 0;
    for rest in read_text(&input["InputTemplate"]).split('<').skip(1) {
        let name = rest.split('>').next().unwrap_or_default();
        if !input["InputPathsMap"][name].is_string() {
            return false;
        }
        placeholders += 1;
    }
    placeholders > 0
}

/// `EventBridge` does not try again what a queue's policy forbids.
fn require_permission_to_send(check: &mut TemplateCheck<'_>, id: &str, rule_name: &str, queue_arn: &str) {
    let queue = queue_arn.rsplit(':').next().unwrap_or_default();
    let rule_arn = check.template.arn("events", &format!("rule/{rule_name}"));
    let request = ServiceRequest {
        service: "events.amazonaws.com",
        action: "sqs:SendMessage",
        source_arn: Some(&rule_arn),
        source_account: None,
    };
    let may_send =
        find_queue_policy(check.template, queue).is_some_and(|policy| allows_request(policy, &request));
    check.require(may_send, id, format_args!("the policy of `{queue}` must allow this rule to send"));
}
