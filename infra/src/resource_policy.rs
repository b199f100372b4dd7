//! Resource policies: whether one lets an AWS service do something.
//!
//! This is only as much of IAM as the policies of our templates use. A condition that is not understood does not hold, so that a
//! policy counts as forbidding too much rather than too little.

use serde_json::Value;

use crate::json::list_strings;

/// The version of the policy language that every policy here is written in.
pub const POLICY_VERSION: &str = "2012-10-17";

/// A call that a service makes on a resource.
#[derive(Clone, Copy, Debug)]
pub struct ServiceRequest<'r> {
    /// The service, such as `events.amazonaws.com`.
    pub service: &'r str,
    /// The action, such as `sqs:SendMessage`.
    pub action: &'r str,
    /// The ARN that the service says it acts for (`aws:SourceArn`), if it says one.
    pub source_arn: Option<&'r str>,
    /// The account that the service says it acts for (`aws:SourceAccount`), if it says one.
    pub source_account: Option<&'r str>,
}

/// Whether a statement of the policy allows the request, and no statement denies it.
pub fn allows_request(policy: &Value, request: &ServiceRequest<'_>) -> bool {
    let mut is_allowed = false;
    for statement in list_statements(policy) {
        let applies = names_service(statement, request.service)
            && covers_action(statement, request.action)
            && conditions_hold(statement, request);
        match statement["Effect"].as_str() {
            Some("Deny") if applies => return false,
            Some("Allow") => is_allowed |= applies,
            _ => {}
        }
    }
    is_allowed
}

/// The statements of a policy: a list, or one alone.
pub fn list_statements(policy: &Value) -> &[Value] {
    match &policy["Statement"] {
        Value::Null => &[],
        Value::Array(statements) => statements,
        statement => std::slice::from_ref(statement),
    }
}

/// The statements that allow something to a service.
pub fn list_allowing_statements<'p>(policy: &'p Value, service: &str) -> Vec<&'p Value> {
    let mut allowing = Vec::new();
    for statement in list_statements(policy) {
        if statement["Effect"] == "Allow" && names_service(statement, service) {
            allowing.push(statement);
        }
    }
    allowing
}

/// The keys of a statement's conditions, in lower case: `aws:sourcearn`.
pub fn list_condition_keys(statement: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for operands in statement["Condition"].as_object().into_iter().flat_map(|operators| operators.values()) {
        for key in operands.as_object().into_iter().flat_map(|operands| operands.keys()) {
            keys.push(key.to_lowercase());
        }
    }
    keys
}

/// Whether the `Principal` of a statement names everybody.
pub fn names_everybody(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    *principal == "*" || list_strings(&principal["AWS"]).contains(&"*")
}

/// Whether the `Principal` of a statement names a service, or everybody.
fn names_service(statement: &Value, service: &str) -> bool {
    names_everybody(statement) || list_strings(&statement["Principal"]["Service"]).contains(&service)
}

/// Whether an action is among those of a statement.
pub fn covers_action(statement: &Value, action: &str) -> bool {
    list_strings(&statement["Action"]).iter().any(|pattern| matches_wildcard(pattern, action))
}

/// Whether all conditions of a statement hold. Only comparisons with the source of a request are understood.
fn conditions_hold(statement: &Value, request: &ServiceRequest<'_>) -> bool {
    let Some(operators) = statement["Condition"].as_object() else { return true };
    for (operator, operands) in operators {
        // `ArnEquals` takes wildcards as `ArnLike` does (IAM: condition operators).
        let takes_wildcards = match operator.as_str() {
            "ArnLike" | "StringLike" | "ArnEquals" => true,
            "StringEquals" => false,
            _ => return false,
        };
        let Some(operands) = operands.as_object() else { return false };
        for (key, wanted) in operands {
            let stated = match key.to_lowercase().as_str() {
                "aws:sourcearn" => request.source_arn,
                "aws:sourceaccount" => request.source_account,
                _ => None,
            };
            let Some(stated) = stated else { return false };
            let mut is_met = false;
            for value in list_strings(wanted) {
                is_met |= value == stated || (takes_wildcards && matches_wildcard(value, stated));
            }
            if !is_met {
                return false;
            }
        }
    }
    true
}

/// Whether a text matches a pattern of IAM: `*` stands for any text, `?` for one character; case does not count.
///
/// When characters differ, the latest `*` takes one character more, and the comparison goes on behind it.
fn matches_wildcard(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut in_pattern = 0;
    let mut in_text = 0;
    // The position of the latest `*`, and up to where it has taken the text.
    let mut latest_star = None;
    while let Some(character) = text.get(in_text) {
        match pattern.get(in_pattern) {
            Some('*') => {
                latest_star = Some((in_pattern, in_text));
                in_pattern += 1;
            }
            Some(wanted) if *wanted == '?' || wanted.eq_ignore_ascii_case(character) => {
                in_pattern += 1;
                in_text += 1;
            }
            _ => {
                let Some((star, taken)) = latest_star else { return false };
                latest_star = Some((star, taken + 1));
                in_pattern = star + 1;
                in_text = taken + 1;
            }
        }
    }
    pattern.iter().skip(in_pattern).all(|rest| *rest == '*')
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

    fn request(service: &str) -> ServiceRequest<'_> {
        ServiceRequest { service, action: "sqs:SendMessage", source_arn: Some(RULE), source_account: None }
    }

    #[test]
    fn a_policy_allows_what_it_names_and_nothing_else() {
        let send = |policy: &Value| allows_request(policy, &request("events.amazonaws.com"));
        assert!(send(&policy(&json!({"ArnEquals": {"aws:SourceArn": RULE}}))));
        assert!(send(&policy(
            &json!({"ArnLike": {"AWS:SourceArn": ["x", "arn:aws:events:*:rule/secrets-*"]}})
        )));
        assert!(!send(&policy(&json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:x:y:rule/other"}}))));
        // A condition that is not understood does not hold.
        assert!(!send(&policy(&json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))));
        assert!(!allows_request(&policy(&json!({})), &request("sns.amazonaws.com")));
        assert!(!send(&json!({})));
        let denied = json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"},
            {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["sqs:Send*"]}]});
        assert!(!send(&denied));
    }

    #[test]
    fn wildcards_are_those_of_iam() {
        assert!(matches_wildcard("sqs:*", "sqs:SendMessage"));
        assert!(matches_wildcard("sqs:SendMess?ge", "SQS:sendmessage"));
        assert!(matches_wildcard("*", "") && !matches_wildcard("a*b", "ac"));
        assert!(matches_wildcard("a*b*", "aXbYb"));
    }
}
