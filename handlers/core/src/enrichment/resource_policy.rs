//! The principals that a resource policy lets in. A policy that cannot be read counts as public: a human should look.

use std::slice;

use eventbridge_pattern::json::{find_duplicate_key, parse_value};
use serde_json::Value;

use super::policy_condition::{ConditionScope, OwnScope, find_condition_scope};
use crate::aws::arn::Arn;
use crate::event::Event;
use crate::settings::Settings;

/// The exposure of a secret by the policy of a `PutResourcePolicy`, which is JSON in a string (`API_PutResourcePolicy`):
/// `own`, `foreign` or `public`.
pub(super) fn find_policy_exposure(event: &Event, settings: &Settings) -> Option<&'static str> {
    if event.event_name().raw() != "PutResourcePolicy" {
        return None;
    }
    let own = OwnScope { owner_account: event.owner_account(), settings };
    let exposure = match event.find_value("/detail/requestParameters/resourcePolicy")? {
        Value::Null => return None,
        Value::String(text) => find_exposure_of_text(text, &own),
        policy => find_exposure(policy, &own),
    };
    Some(match exposure {
        PolicyExposure::OwnAccount => "own",
        PolicyExposure::ForeignAccount => "foreign",
        PolicyExposure::Public => "public",
    })
}

/// The principals to which a policy opens the secret; the widest exposure comes last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PolicyExposure {
    OwnAccount,
    ForeignAccount,
    Public,
}

fn find_exposure_of_text(text: &str, own: &OwnScope<'_>) -> PolicyExposure {
    // Readers disagree on which of two equal keys counts.
    if find_duplicate_key(text).is_some() {
        return PolicyExposure::Public;
    }
    match parse_value(text) {
        Ok(policy) => find_exposure(&policy, own),
        Err(_) => PolicyExposure::Public,
    }
}

/// The widest exposure of all statements. IAM takes a single statement without a list, too.
fn find_exposure(policy: &Value, own: &OwnScope<'_>) -> PolicyExposure {
    let statements = match find_element(policy, "Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => slice::from_ref(statement),
        _ => return PolicyExposure::Public,
    };
    let exposures = statements.iter().map(|statement| find_statement_exposure(statement, own));
    exposures.max().unwrap_or(PolicyExposure::Public)
}

/// The exposure by one statement. Checks run in this order:
///
/// 1. a statement without an effect cannot be understood: public;
/// 2. a denial lets nobody in;
/// 3. the principals, as far as the conditions let them in.
fn find_statement_exposure(statement: &Value, own: &OwnScope<'_>) -> PolicyExposure {
    // 1. No effect.
    let Some(effect) = find_element(statement, "Effect").and_then(Value::as_str) else {
        return PolicyExposure::Public;
    };
    // 2. A denial.
    if effect.eq_ignore_ascii_case("deny") {
        return PolicyExposure::OwnAccount;
    }
    // 3. The principals.
    let conditions = find_condition_scope(find_element(statement, "Condition"), own);
    narrow_exposure(find_principals_exposure(statement, own), conditions)
}

/// What the conditions leave of an exposure. Checks run in this order:
///
/// 1. conditions that name a foreign account or organisation let it in;
/// 2. a condition on the own organisation keeps all others out;
/// 3. a condition on own accounts keeps all others out of what is open to everybody; a principal of another account
///    that is named stays foreign whatever else is asked;
/// 4. without such a condition, the principals are let in.
fn narrow_exposure(principals: PolicyExposure, conditions: ConditionScope) -> PolicyExposure {
    // 1. A foreign name.
    if conditions.foreign {
        return PolicyExposure::ForeignAccount;
    }
    // 2. The own organisation.
    if conditions.own_organisation {
        return PolicyExposure::OwnAccount;
    }
    // 3. Own accounts.
    if conditions.own_accounts && principals == PolicyExposure::Public {
        return PolicyExposure::OwnAccount;
    }
    // 4. The principals.
    principals
}

/// The exposure to the principals of a statement. Checks run in this order:
///
/// 1. `NotPrincipal` lets everybody else in: public;
/// 2. a list of principals lets in the widest of them;
/// 3. any other principal can only be the star (IAM's reference of the element): public.
fn find_principals_exposure(statement: &Value, own: &OwnScope<'_>) -> PolicyExposure {
    // 1. Everybody but some.
    if find_element(statement, "NotPrincipal").is_some() {
        return PolicyExposure::Public;
    }
    match find_element(statement, "Principal") {
        // 2. A list of principals.
        Some(Value::Object(principals_by_kind)) => {
            let mut exposures = Vec::new();
            for (kind, names) in principals_by_kind {
                let names = match names {
                    Value::Array(names) => names.as_slice(),
                    name => slice::from_ref(name),
                };
                for name in names {
                    exposures.push(find_principal_exposure(kind, name, own));
                }
            }
            exposures.into_iter().max().unwrap_or(PolicyExposure::Public)
        }
        // 3. The star.
        _ => PolicyExposure::Public,
    }
}

/// The exposure to one principal. Checks run in this order:
///
/// 1. a star, or something that is no name: public;
/// 2. a service of AWS acts for the own account;
/// 3. an own account, or a principal in it;
/// 4. another account, or a federated identity: foreign;
/// 5. the unique id of a principal that is deleted lets nobody in.
fn find_principal_exposure(kind: &str, name: &Value, own: &OwnScope<'_>) -> PolicyExposure {
    // 1. A star.
    let Some(name) = name.as_str() else { return PolicyExposure::Public };
    if name.contains('*') {
        return PolicyExposure::Public;
    }
    // 2. A service.
    if kind.eq_ignore_ascii_case("service") {
        return PolicyExposure::OwnAccount;
    }
    // A principal is given by an ARN, by the id of an account, or by a unique id.
    let account = match Arn::parse(name) {
        Some(arn) => arn.account,
        None => name,
    };
    // 3. The own account.
    if own.contains_account(account) {
        return PolicyExposure::OwnAccount;
    }
    // 4. Another account, or a federated identity.
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if is_account || kind.eq_ignore_ascii_case("federated") {
        return PolicyExposure::ForeignAccount;
    }
    // 5. A deleted principal.
    PolicyExposure::OwnAccount
}

/// The element of a policy, in whatever case it is written.
fn find_element<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let (_, element) = value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(element)
}
