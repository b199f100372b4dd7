//! Resource policies: whether one lets a principal do something. Only as much of IAM as the policies of our templates use;
//! what is not understood does not count as allowed.

use serde_json::Value;

/// Whether a statement allows `action` to the service `principal`, which says that it acts for `source` (an ARN) and `account`,
/// as far as it says so, and none denies it.
pub(super) fn allows(
    policy: &Value,
    principal: &str,
    action: &str,
    source: Option<&str>,
    account: Option<&str>,
) -> bool {
    let applies = |statement: &Value, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
            && names(statement.get("Principal"), principal)
            && texts(statement.get("Action")).iter().any(|pattern| wild(pattern, action))
    };
    let statements = statements(policy);
    let denied = statements.iter().any(|one| applies(one, "Deny") && holds(one, source, account));
    !denied && statements.iter().any(|one| applies(one, "Allow") && holds(one, source, account))
}

/// The statements of a policy: one or a list.
pub(super) fn statements(policy: &Value) -> Vec<&Value> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => Vec::new(),
    }
}

/// The keys of a statement's conditions, in lower case.
pub(super) fn condition_keys(statement: &Value) -> Vec<String> {
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let operands = conditions.into_iter().flat_map(|conditions| conditions.values());
    operands
        .filter_map(Value::as_object)
        .flat_map(|operands| operands.keys())
        .map(|key| key.to_lowercase())
        .collect()
}

/// Whether `Principal` names a service (or everybody).
pub(super) fn names(principal: Option<&Value>, service: &str) -> bool {
    match principal {
        Some(Value::String(everybody)) => everybody == "*",
        Some(Value::Object(kinds)) => {
            let services = texts(kinds.get("Service"));
            services.iter().any(|one| one == service) || texts(kinds.get("AWS")).iter().any(|one| one == "*")
        }
        _ => false,
    }
}

/// The strings of a list, or the one string.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether the conditions hold: only those on the source are understood.
fn holds(statement: &Value, source: Option<&str>, account: Option<&str>) -> bool {
    let Some(conditions) = statement.get("Condition").and_then(Value::as_object) else { return true };
    conditions.iter().all(|(operator, operands)| {
        let exact = matches!(operator.as_str(), "ArnEquals" | "StringEquals");
        let like = matches!(operator.as_str(), "ArnLike" | "StringLike") || operator == "ArnEquals";
        let Some(operands) = operands.as_object().filter(|_| exact || like) else { return false };
        operands.iter().all(|(key, values)| {
            let said = match key.to_lowercase().as_str() {
                "aws:sourcearn" => source,
                "aws:sourceaccount" => account,
                _ => None,
            };
            let Some(said) = said else { return false };
            texts(Some(values)).iter().any(|value| value == said || like && wild(value, said))
        })
    })
}

/// `*` and `?` as in IAM.
pub(super) fn wild(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t).is_some_and(|other| c.eq_ignore_ascii_case(other)) => {
                (p, t) = (p + 1, t + 1);
            }
            _ => match star {
                Some((at, seen)) => {
                    star = Some((at, seen + 1));
                    (p, t) = (at + 1, seen + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULE: &str = "arn:aws:events:us-west-2:111122223333:rule/secrets-responder-access-secret-read";

    fn policy(condition: &Value) -> Value {
        let mut statement = json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"});
        statement["Condition"] = condition.clone();
        json!({"Statement": [statement]})
    }

    #[test]
    fn a_policy_allows_what_it_names_and_nothing_else() {
        let send =
            |policy: &Value| allows(policy, "events.amazonaws.com", "sqs:SendMessage", Some(RULE), None);
        assert!(send(&policy(&json!({"ArnEquals": {"aws:SourceArn": RULE}}))));
        assert!(send(&policy(
            &json!({"ArnLike": {"AWS:SourceArn": ["x", "arn:aws:events:*:rule/secrets-*"]}})
        )));
        assert!(!send(&policy(&json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:x:y:rule/other"}}))));
        // What is not understood does not count.
        assert!(!send(&policy(&json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))));
        assert!(!allows(&policy(&json!({})), "sns.amazonaws.com", "sqs:SendMessage", Some(RULE), None));
        assert!(!send(&json!({})));
        let denied = json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"},
            {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["sqs:Send*"]}]});
        assert!(!send(&denied));
    }

    #[test]
    fn wildcards_are_those_of_iam() {
        assert!(wild("sqs:*", "sqs:SendMessage") && wild("sqs:SendMess?ge", "SQS:sendmessage"));
        assert!(wild("*", "") && !wild("a*b", "ac") && wild("a*b*", "aXbYb"));
    }
}
