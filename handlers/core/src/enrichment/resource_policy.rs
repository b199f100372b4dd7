//! Whom a resource policy lets in. What cannot be read counts as open: a human should look.

use eventbridge_pattern::json::{find_duplicate_key, parse_value};
use serde_json::Value;

use super::owner;
use crate::aws::arn::Arn;
use crate::event::Event;

/// Of `PutResourcePolicy`, whose policy is JSON in a string (`API_PutResourcePolicy`).
pub(super) fn derive(event: &Event) -> Option<&'static str> {
    if event.name().raw() != "PutResourcePolicy" {
        return None;
    }
    let opened = match event.value("/detail/requestParameters/resourcePolicy")? {
        Value::Null => return None,
        Value::String(text) if find_duplicate_key(text).is_none() => {
            parse_value(text).map_or(PolicyExposure::Public, |policy| opened(&policy, owner(event)))
        }
        Value::String(_) => PolicyExposure::Public,
        policy => opened(policy, owner(event)),
    };
    Some(match opened {
        PolicyExposure::OwnAccount => "own",
        PolicyExposure::ForeignAccount => "foreign",
        PolicyExposure::Public => "public",
    })
}

/// To whom a policy opens the secret without a condition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PolicyExposure {
    OwnAccount,
    ForeignAccount,
    Public,
}

fn opened(policy: &Value, owner: &str) -> PolicyExposure {
    match get(policy, "Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => {
            let all = statements.iter().map(|statement| by_statement(statement, owner));
            all.max().unwrap_or(PolicyExposure::Public)
        }
        Some(statement @ Value::Object(_)) => by_statement(statement, owner),
        _ => PolicyExposure::Public,
    }
}

fn by_statement(statement: &Value, owner: &str) -> PolicyExposure {
    let Some(effect) = get(statement, "Effect").and_then(Value::as_str) else {
        return PolicyExposure::Public;
    };
    let limited = get(statement, "Condition")
        .is_some_and(|condition| condition.as_object().is_none_or(|condition| !condition.is_empty()));
    if effect.eq_ignore_ascii_case("deny") || limited {
        return PolicyExposure::OwnAccount;
    }
    if get(statement, "NotPrincipal").is_some() {
        return PolicyExposure::Public;
    }
    match get(statement, "Principal") {
        Some(Value::Object(kinds)) => {
            let all = kinds.iter().flat_map(|(kind, names)| {
                let names = names.as_array().map_or(std::slice::from_ref(names), Vec::as_slice);
                names.iter().map(move |name| by_name(kind, name, owner))
            });
            all.max().unwrap_or(PolicyExposure::Public)
        }
        // A string can be the star only (IAM's reference of the element).
        _ => PolicyExposure::Public,
    }
}

fn by_name(kind: &str, name: &Value, owner: &str) -> PolicyExposure {
    let Some(name) = name.as_str().filter(|name| !name.contains('*')) else {
        return PolicyExposure::Public;
    };
    if kind.eq_ignore_ascii_case("service") {
        return PolicyExposure::OwnAccount;
    }
    // An account's id, an ARN that holds one, or the id of a principal that is gone.
    let account = Arn::parse(name).map_or(name, |arn| arn.account);
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let federated = kind.eq_ignore_ascii_case("federated");
    let own = account == owner || (!is_account && !federated);
    if own { PolicyExposure::OwnAccount } else { PolicyExposure::ForeignAccount }
}

/// The element of a policy, in whatever case it is written.
fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
