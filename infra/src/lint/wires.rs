//! From rule to function: patterns, states, targets, queues, their policies, and the timing that keeps a claim from outliving its message.

use eventbridge_pattern::Pattern;
use responder_core::rules::{Handler, RuleSet};
use serde_json::{Value, json};

use super::Finding;
use super::access::home_bus;
use super::view::{View, expect};
use crate::rules::{Accounts, MAX_PATTERN, State, deployed, forwards, meaning};
use crate::settings::{FIXED, SETTINGS};

pub(super) fn check(view: &View, rules: &RuleSet, found: &mut Vec<Finding>) {
    for (id, rule) in view.of_type("AWS::Events::Rule") {
        match rule["EventPattern"].as_str() {
            Some(pattern) => event_rule(view, rules, (id, rule), pattern, found),
            None => schedule(view, id, rule, found),
        }
        targets(view, id, rule, found);
    }
    for (id, queue) in view.of_type("AWS::SQS::Queue") {
        self::queue(view, id, queue, found);
    }
    for (id, function) in view.of_type("AWS::Lambda::Function") {
        self::function(view, id, function, found);
    }
}

fn schedule(view: &View, id: &str, rule: &Value, found: &mut Vec<Finding>) {
    let name = rule["Name"].as_str().unwrap_or_default();
    let (rate, handlers) = if name == view.named("sweep-schedule") {
        ("rate(1 minute)", vec![Handler::Sweep])
    } else {
        ("rate(5 minutes)", vec![Handler::Rotation, Handler::Access, Handler::Failure])
    };
    expect(
        rule["ScheduleExpression"] == rate,
        id,
        format_args!("`ScheduleExpression` must be {rate}, or there must be a pattern"),
        found,
    );
    expect(rule["State"] == "ENABLED", id, "`State` must be ENABLED", found);
    let reached = rule["Targets"].as_array().into_iter().flatten().map(|target| target["Arn"].clone());
    let wanted = handlers.iter().map(|handler| json!(view.arn("sqs", &view.named(handler.as_str()))));
    expect(reached.eq(wanted), id, format_args!("its targets must be the queues of {handlers:?}"), found);
}

/// Its pattern means what the file says, for the accounts that are trusted; its state lets through what the pattern asks for.
fn event_rule(
    view: &View,
    rules: &RuleSet,
    (id, rule): (&str, &Value),
    text: &str,
    found: &mut Vec<Finding>,
) {
    let Some(mut pattern) = meaning(text).filter(|_| Pattern::parse(text).is_ok()) else {
        expect(false, id, "`EventPattern` is no pattern", found);
        return;
    };
    expect(text.chars().count() <= MAX_PATTERN, id, "`EventPattern` is too long", found);
    expect(!text.contains(": ") && !text.contains('\n'), id, "`EventPattern` is not minified", found);
    let state = State::of(&Value::Object(pattern.clone())).name();
    expect(rule["State"] == state, id, format_args!("`State` must be {state}"), found);
    let wanted = wanted(view, rules, rule["Name"].as_str().unwrap_or_default());
    let accounts = pattern.remove("account").unwrap_or_default();
    match wanted {
        Some((wanted, pins)) => {
            expect(
                accounts == json!(accounts_of(view, pins)),
                id,
                "`account` must be pinned to those that are trusted",
                found,
            );
            expect(
                Value::Object(pattern) == wanted,
                id,
                format_args!("`EventPattern` must be {wanted}"),
                found,
            );
        }
        None => expect(false, id, "a rule that nothing is known of", found),
    }
}

/// What a rule's pattern must be, by its name, and whose events it takes.
fn wanted(view: &View, rules: &RuleSet, name: &str) -> Option<(Value, Accounts)> {
    let name = name.strip_prefix(&view.named(""))?;
    let is_forwarder = view.place.parameters.contains_key("HomeRegion");
    let region = &view.place.region;
    let sweeper = |account: &str| {
        let role = format!("arn:{}:iam::{account}:role/{}", view.place.partition, view.named("sweep"));
        json!({"region": [region], "source": ["aws.secretsmanager"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {
            "eventSource": ["secretsmanager.amazonaws.com"], "eventName": ["ListSecrets"],
            "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [role]}}}}})
    };
    let alarm = |more: &Value| {
        let mut pattern = json!({"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"prefix": view.named("")}]}});
        if more.is_null() {
            pattern["region"] = json!([region]);
        } else {
            pattern["region"] = json!([{"anything-but": [region]}]);
            pattern["detail"]["state"] = more.clone();
        }
        pattern
    };
    let enabled = json!({"source": ["aws.account"], "detail-type": ["Region Opt-In Status Change"], "detail": {"status": ["ENABLED"]}});
    if is_forwarder {
        let home = view.place.parameters.get("HomeAccount").unwrap_or(&view.place.account);
        let pattern = match name {
            "canary" => sweeper(home),
            "forward-alarm" => alarm(&Value::Null),
            "forward-region-enabled" => enabled,
            _ => {
                let id = name.strip_prefix("forward-")?;
                let forward = forwards(rules).into_iter().find(|forward| forward.id == id)?;
                Value::Object(meaning(&forward.pattern)?)
            }
        };
        return Some((pattern, Accounts::Own));
    }
    Some(match name {
        "canary" => (sweeper(&view.place.account), Accounts::Own),
        "forwarder-alarm" => (alarm(&json!({"value": ["ALARM"]})), Accounts::Trusted),
        "region-enabled" => (enabled, Accounts::Trusted),
        _ => {
            let rule = deployed(rules).find(|rule| name == format!("{}-{}", rule.handler, rule.id))?;
            (Value::Object(meaning(rule.pattern.minified())?), Accounts::of(rule.handler))
        }
    })
}

fn accounts_of(view: &View, accounts: Accounts) -> Vec<&str> {
    let others = view.place.parameters.get("TrustedAccounts").filter(|_| accounts == Accounts::Trusted);
    std::iter::once(view.place.account.as_str())
        .chain(others.into_iter().flat_map(|list| list.split(',')))
        .collect()
}

/// Each target exists, is tried again, and what it does not get is kept.
fn targets(view: &View, id: &str, rule: &Value, found: &mut Vec<Finding>) {
    let name = rule["Name"].as_str().unwrap_or_default();
    let is_schedule = rule.get("ScheduleExpression").is_some();
    let is_forwarder = view.place.parameters.contains_key("HomeRegion");
    let letters = if is_schedule {
        "schedules-dlq"
    } else if is_forwarder {
        "forward-dlq"
    } else {
        "rules-dlq"
    };
    let letters = view.arn("sqs", &view.named(letters));
    let targets = rule["Targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let arns: Vec<&str> = targets.iter().filter_map(|target| target["Arn"].as_str()).collect();
    if !is_schedule {
        let wanted = wanted_targets(view, name);
        expect(arns == wanted, id, format_args!("its targets must be {wanted:?}"), found);
    }
    for target in targets {
        let arn = target["Arn"].as_str().unwrap_or_default();
        expect(target["Id"].is_string(), id, "a target needs an `Id`", found);
        expect(
            target["DeadLetterConfig"] == json!({"Arn": letters}),
            id,
            "a target's dead letters must go to the rules' queue for them",
            found,
        );
        let retry = |field: &str| target["RetryPolicy"][field].as_i64();
        let (age, attempts) = if is_schedule || arn.ends_with("-canary") { (60, 5) } else { (86_400, 185) };
        expect(
            retry("MaximumEventAgeInSeconds") >= Some(age) && retry("MaximumRetryAttempts") >= Some(attempts),
            id,
            format_args!("`RetryPolicy` must be explicit, for {age} s and {attempts} attempts at least"),
            found,
        );
        let has_role = target["RoleArn"].as_str().map(|arn| arn.ends_with("role/ForwarderRole"));
        let needs_role = arn.contains(":event-bus/").then_some(true);
        expect(
            has_role == needs_role,
            id,
            "a bus needs the forwarder's role, a queue and a topic none",
            found,
        );
        if arn.contains(":sns:") {
            let input = &target["InputTransformer"];
            expect(
                input["InputTemplate"].is_string() && placeholders_are_known(input),
                id,
                "a page needs words",
                found,
            );
        }
    }
    for arn in arns.into_iter().filter(|arn| arn.contains(":sqs:")).chain([letters.as_str()]) {
        let queue = arn.rsplit(':').next().unwrap_or_default();
        let source = view.arn("events", &format!("rule/{name}"));
        expect(
            may_send(view, queue, &source),
            id,
            format_args!("the policy of `{queue}` must let this rule send"),
            found,
        );
    }
}

fn wanted_targets(view: &View, name: &str) -> Vec<String> {
    let name = name.strip_prefix(&view.named("")).unwrap_or_default();
    let queue = |queue: &str| view.arn("sqs", &view.named(queue));
    if view.place.parameters.contains_key("HomeRegion") {
        let canary = (name == "canary").then(|| queue("canary"));
        return canary.into_iter().chain([home_bus(view)]).collect();
    }
    match name {
        "canary" => vec![queue("canary")],
        "forwarder-alarm" | "region-enabled" => vec![view.arn("sns", &view.named("pages"))],
        _ => vec![queue(name.split('-').next().unwrap_or_default())],
    }
}

fn placeholders_are_known(input: &Value) -> bool {
    let template = input["InputTemplate"].as_str().unwrap_or_default();
    let named: Vec<&str> = template.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect();
    let paths = input["InputPathsMap"].as_object();
    let known = |name: &&str| paths.is_some_and(|paths| paths.get(*name).is_some_and(Value::is_string));
    !named.is_empty() && named.iter().all(known)
}

/// Whether a queue's policy lets a rule send. `EventBridge` does not retry what a policy forbids.
fn may_send(view: &View, queue: &str, rule: &str) -> bool {
    let Some(policy) = policy_of(view, queue) else { return false };
    let allowed = &policy["Statement"][0]["Condition"];
    let patterns =
        allowed.pointer("/ArnLike/aws:SourceArn").or_else(|| allowed.pointer("/ArnEquals/aws:SourceArn"));
    let Some(patterns) = patterns else { return false };
    let one = patterns.as_str().into_iter();
    let many = patterns.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many).any(|pattern| {
        pattern == rule || pattern.strip_suffix('*').is_some_and(|start| rule.starts_with(start))
    })
}

fn policy_of<'v>(view: &'v View, queue: &str) -> Option<&'v Value> {
    let url =
        json!([format!("https://sqs.{}.amazonaws.com/{}/{queue}", view.place.region, view.place.account)]);
    view.of_type("AWS::SQS::QueuePolicy")
        .find(|(_, policy)| policy["Queues"] == url)
        .map(|(_, policy)| &policy["PolicyDocument"])
}

fn queue(view: &View, id: &str, queue: &Value, found: &mut Vec<Finding>) {
    let name = queue["QueueName"].as_str().unwrap_or_default();
    let short = name.strip_prefix(&view.named("")).unwrap_or_default();
    let number = |field: &str| queue[field].as_i64();
    let handler = Handler::ALL.into_iter().find(|handler| handler.as_str() == short);
    let feeds = Handler::ALL.into_iter().find(|handler| short == format!("{handler}-dlq"));
    let days = |days: i64| Some(days * 86_400);
    if let Some(handler) = handler {
        let redrive = &queue["RedrivePolicy"];
        let letters = view.arn("sqs", &format!("{name}-dlq"));
        expect(
            redrive["deadLetterTargetArn"] == letters,
            id,
            format_args!("what is given up must go to {letters}"),
            found,
        );
        // At 5 no page is lost; above 20 nobody hears for an hour that a message fails.
        let receives = redrive["maxReceiveCount"].as_i64().unwrap_or_default();
        expect((5..=20).contains(&receives), id, "`maxReceiveCount` must be 5 to 20", found);
        expect(number("MessageRetentionPeriod") >= days(4), id, "messages must be kept for four days", found);
        let settle = view.place.parameters.get("SettleSeconds").map_or("15", String::as_str).parse().ok();
        let delay = if handler == Handler::Rotation { settle } else { Some(0) };
        expect(
            number("DelaySeconds") == delay,
            id,
            "`DelaySeconds` must be SettleSeconds for rotations, and 0 for the rest",
            found,
        );
    } else if short == "canary" {
        expect(
            number("MessageRetentionPeriod").is_some_and(|age| (60..=3_600).contains(&age)),
            id,
            "nobody reads it: keep little",
            found,
        );
    } else {
        expect(
            number("MessageRetentionPeriod") == days(14),
            id,
            "dead letters must be kept for 14 days",
            found,
        );
        if let Some(handler) = feeds {
            let wanted = json!({"redrivePermission": "byQueue", "sourceQueueArns": [view.arn("sqs", &view.named(handler.as_str()))]});
            expect(
                queue["RedriveAllowPolicy"] == wanted,
                id,
                format_args!("`RedriveAllowPolicy` must be {wanted}"),
                found,
            );
            return;
        }
    }
    // Lambda moves what is given up, by the queue's own right; everything else comes from rules.
    self::policy(view, id, name, found);
}

fn policy(view: &View, id: &str, queue: &str, found: &mut Vec<Finding>) {
    let arn = view.arn("sqs", queue);
    let document = policy_of(view, queue).cloned().unwrap_or_default();
    let mut statements = document["Statement"].as_array().cloned().unwrap_or_default();
    let sources = statements.first_mut().map(|statement| statement["Condition"].take()).unwrap_or_default();
    let wanted = json!([
        {"Sid": "Rules", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
         "Condition": null},
        {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn,
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]);
    let is_right = document["Version"] == "2012-10-17" && Value::Array(statements) == wanted;
    expect(is_right, id, "its policy must let EventBridge send and nobody else, over TLS only", found);
    let ours = view.arn("events", &format!("rule/{}", view.named("")));
    let text = sources.to_string();
    let arns: Vec<&str> = text.split('"').filter(|word| word.starts_with("arn:")).collect();
    let narrow = sources.as_object().is_some_and(|object| {
        object.len() == 1 && object.keys().all(|key| key == "ArnLike" || key == "ArnEquals")
    });
    expect(
        narrow && !arns.is_empty() && arns.iter().all(|arn| arn.starts_with(&ours)),
        id,
        "only our rules may send",
        found,
    );
}

/// `timeout <= lease` and `lease + timeout + window <= visibility`: a claim is free again when its message is seen again.
fn function(view: &View, id: &str, function: &Value, found: &mut Vec<Finding>) {
    let name = function["FunctionName"].as_str().unwrap_or_default();
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let environment = &function["Environment"]["Variables"];
    let queue = view.find("AWS::SQS::Queue", "QueueName", name).cloned().unwrap_or_default();
    let mapping =
        view.find("AWS::Lambda::EventSourceMapping", "FunctionName", name).cloned().unwrap_or_default();
    expect(mapping["EventSourceArn"] == view.arn("sqs", name), id, "its queue must feed it", found);
    let at_once = &function["ReservedConcurrentExecutions"];
    expect(
        mapping["ScalingConfig"]["MaximumConcurrency"] == *at_once,
        id,
        "its queue must call it as often at once as is reserved",
        found,
    );
    let times = (
        number(&function["Timeout"]),
        number(&environment["LEASE_SECONDS"]),
        number(&queue["VisibilityTimeout"]),
        number(&mapping["MaximumBatchingWindowInSeconds"]),
    );
    let in_step = matches!(times, (Some(timeout), Some(lease), Some(visibility), Some(window))
        if timeout <= lease && lease + timeout + window <= visibility && visibility <= 900);
    expect(in_step, id, "timeout <= lease, and lease + timeout + window <= visibility", found);
    let role = view.global("iam", &format!("role/{name}"));
    expect(function["Role"] == role, id, format_args!("`Role` must be {role}"), found);
    expect(
        function["LoggingConfig"]["LogGroup"] == format!("/aws/lambda/{name}"),
        id,
        "it must write to its log group",
        found,
    );
    expect(
        environment["LEDGER_TABLE"] == view.named("ledger"),
        id,
        "`LEDGER_TABLE` must be the ledger",
        found,
    );
    expect(
        environment["PAGE_TOPIC_ARN"] == view.arn("sns", &view.named("pages")),
        id,
        "`PAGE_TOPIC_ARN` must be the page topic",
        found,
    );
    for (variable, parameter) in SETTINGS {
        expect(
            environment.get(variable).is_some(),
            id,
            format_args!("`{variable}` must be the parameter {parameter}"),
            found,
        );
    }
    let given = environment.as_object().map(serde_json::Map::len);
    expect(
        given == Some(SETTINGS.len() + FIXED.len()),
        id,
        "a variable that the functions do not read",
        found,
    );
    let key = function["Code"]["S3Key"].as_str().unwrap_or_default();
    let handler = name.strip_prefix(&view.named("")).unwrap_or_default();
    expect(key.ends_with(&format!("/{handler}.zip")), id, "`S3Key` must be its own zip", found);
}
