//! The conditions of a resource policy that keep strangers out: an allow-list of operators and keys, compared with the own
//! accounts and organisation. Every other condition is none: `aws:SecureTransport` keeps nobody out.

use std::slice;

use serde_json::Value;

use crate::aws::arn::Arn;
use crate::settings::Settings;

/// What a policy of the owner may trust.
pub(super) struct OwnScope<'s> {
    /// The account of the secret.
    pub(super) owner_account: &'s str,
    pub(super) settings: &'s Settings,
}

impl OwnScope<'_> {
    /// Whether an account is the owner's or one of production.
    pub(super) fn contains_account(&self, account: &str) -> bool {
        account == self.owner_account || self.settings.production.accounts.iter().any(|own| own == account)
    }

    /// Whether an organisation is the operator's; any organisation that is named, where the operator names none.
    fn contains_organisation(&self, organisation: &str) -> bool {
        match &self.settings.organization {
            Some(own) => own == organisation,
            None => organisation.starts_with("o-"),
        }
    }
}

/// The effect of all conditions of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ConditionScope {
    /// A condition lets in the own organisation only.
    pub(super) own_organisation: bool,
    /// A condition lets in own accounts only.
    pub(super) own_accounts: bool,
    /// A condition names a foreign account or organisation.
    pub(super) foreign: bool,
}

/// What the values of a condition are compared with.
#[derive(Clone, Copy)]
enum KeyKind {
    Account,
    Arn,
    Organisation,
    OrganisationPath,
}

/// The keys that say who calls or for whom, in lower case ("AWS global condition context keys", IAM user guide).
const KEYS: [(&str, KeyKind); 12] = [
    ("aws:principalaccount", KeyKind::Account),
    ("aws:sourceaccount", KeyKind::Account),
    ("aws:sourceowner", KeyKind::Account),
    ("aws:vpceaccount", KeyKind::Account),
    ("aws:principalarn", KeyKind::Arn),
    ("aws:sourcearn", KeyKind::Arn),
    ("aws:principalorgid", KeyKind::Organisation),
    ("aws:sourceorgid", KeyKind::Organisation),
    ("aws:vpceorgid", KeyKind::Organisation),
    ("aws:principalorgpaths", KeyKind::OrganisationPath),
    ("aws:sourceorgpaths", KeyKind::OrganisationPath),
    ("aws:vpceorgpaths", KeyKind::OrganisationPath),
];

/// The operators that let in what equals a value, in lower case. Their negations, `…IfExists` and `ForAllValues:` let in
/// requests that do not have the key at all.
const OPERATORS: [&str; 5] = ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"];

/// Finds the effect of the conditions of a statement. All of them must hold for a request to be let in.
pub(super) fn find_condition_scope(conditions: Option<&Value>, own: &OwnScope<'_>) -> ConditionScope {
    let mut scope = ConditionScope::default();
    let Some(conditions) = conditions.and_then(Value::as_object) else { return scope };
    for (operator, values_by_key) in conditions {
        let operator = operator.to_ascii_lowercase();
        let for_one_value = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        if !OPERATORS.contains(&for_one_value) {
            continue;
        }
        for (key, values) in values_by_key.as_object().into_iter().flatten() {
            let key = key.to_ascii_lowercase();
            let Some((_, kind)) = KEYS.iter().find(|(name, _)| *name == key) else { continue };
            scope.add_values(*kind, values, own);
        }
    }
    scope
}

/// What one value lets in.
enum ValueScope {
    Own,
    Foreign,
    /// Anybody: a wildcard, or something that is no name.
    Anybody,
}

impl ConditionScope {
    /// Adds one condition: one of its values is enough for a request, so the widest counts.
    fn add_values(&mut self, kind: KeyKind, values: &Value, own: &OwnScope<'_>) {
        let values = match values {
            Value::Array(values) => values.as_slice(),
            value => slice::from_ref(value),
        };
        let mut is_own = !values.is_empty();
        for value in values {
            match find_value_scope(kind, value, own) {
                ValueScope::Own => {}
                ValueScope::Foreign => {
                    self.foreign = true;
                    is_own = false;
                }
                ValueScope::Anybody => is_own = false,
            }
        }
        match kind {
            KeyKind::Account | KeyKind::Arn => self.own_accounts |= is_own,
            KeyKind::Organisation | KeyKind::OrganisationPath => self.own_organisation |= is_own,
        }
    }
}

fn find_value_scope(kind: KeyKind, value: &Value, own: &OwnScope<'_>) -> ValueScope {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return ValueScope::Anybody,
    };
    let (name, is_own) = match kind {
        KeyKind::Account => (text.as_str(), own.contains_account(&text)),
        KeyKind::Arn => match Arn::parse(&text) {
            // The ARN of a bucket has no account.
            Some(arn) if !arn.account.is_empty() => (arn.account, own.contains_account(arn.account)),
            _ => return ValueScope::Anybody,
        },
        KeyKind::Organisation => (text.as_str(), own.contains_organisation(&text)),
        KeyKind::OrganisationPath => {
            let organisation = text.split('/').next().unwrap_or_default();
            (organisation, own.contains_organisation(organisation))
        }
    };
    if name.contains(['*', '?', '$']) {
        ValueScope::Anybody
    } else if is_own {
        ValueScope::Own
    } else {
        ValueScope::Foreign
    }
}
