//! The attributes of the caller: a service, a person or a workload, from where, and with what.

use serde::Serialize;

use super::calling_service::{find_service_between, is_service_itself};
use super::task_launch::is_task_launch;
use crate::aws::arn::Arn;
use crate::aws::principal::UNKNOWN_PRINCIPAL;
use crate::event::Event;
use crate::facts::Facts;
use crate::settings::Settings;

/// The attributes of the caller of an event (`derived.caller`).
#[derive(Default, PartialEq, Eq, Serialize)]
pub(super) struct CallerAttributes {
    /// `service`, `human` or `workload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// The service that calls for the caller, such as `ssm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<String>,
    /// `long-term` or `temporary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'static str>,
    /// `own` or `foreign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'static str>,
    /// `production` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'static str>,
    /// `csi`, `terraform` or `ci`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'static str>,
    /// `declared`, or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    automation: Option<&'static str>,
    /// `yes`, or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    launch: Option<&'static str>,
}

impl CallerAttributes {
    pub(super) fn from_event(event: &Event, facts: &Facts) -> Self {
        let settings = &facts.settings;
        let is_declared = is_declared_automation(event, settings);
        Self {
            kind: find_caller_kind(event, settings),
            through: find_service_between(event),
            key: find_key_kind(event),
            account: find_account_kind(event),
            environment: find_environment(event, settings),
            tool: find_tool(event),
            automation: is_declared.then_some("declared"),
            launch: is_task_launch(event, facts).then_some("yes"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The kinds of identity (`userIdentity.type`) that workloads use.
const WORKLOAD_IDENTITIES: [&str; 7] =
    ["AssumedRole", "Role", "IAMUser", "Root", "FederatedUser", "WebIdentityUser", "SAMLUser"];

/// The kind of the caller. Checks run in this order:
///
/// 1. an AWS service that calls for itself: `service`;
/// 2. a session of the console: `human`;
/// 3. a user of IAM Identity Center: `human`;
/// 4. an IAM user or the root user who signed in with a browser: `human`;
/// 5. a role that people work in: `human`;
/// 6. any other identity that the record names: `workload`.
///
/// Absent for every other caller: the owner's copy of a cross-account call has only its account.
fn find_caller_kind(event: &Event, settings: &Settings) -> Option<&'static str> {
    // 1. An AWS service.
    if is_service_itself(event) {
        return Some("service");
    }
    // 2. A session of the console.
    let from_console = event.find_text("/detail/sessionCredentialFromConsole");
    if from_console.is_some_and(|from_console| from_console.raw() == "true") {
        return Some("human");
    }
    let identity_type = event.find_text("/detail/userIdentity/type").unwrap_or_default();
    // 3. A user of IAM Identity Center.
    if identity_type.raw() == "IdentityCenterUser" {
        return Some("human");
    }
    // 4. A user who signed in with a browser.
    if matches!(identity_type.raw(), "IAMUser" | "Root") && has_sign_in_session(event) {
        return Some("human");
    }
    // 5. A role that people work in.
    if is_human_role(event, settings) {
        return Some("human");
    }
    // 6. Any other identity.
    let is_named = event.principal.id.raw() != UNKNOWN_PRINCIPAL;
    if is_named && WORKLOAD_IDENTITIES.contains(&identity_type.raw()) { Some("workload") } else { None }
}

/// The record of a user who signed in with a browser holds the session, in one of three fields.
fn has_sign_in_session(event: &Event) -> bool {
    const POINTERS: [&str; 3] = [
        "/detail/signInSessionArn",
        "/detail/userIdentity/signInSessionArn",
        "/detail/userIdentity/sessionContext/signInSessionArn",
    ];
    POINTERS.into_iter().any(|pointer| event.find_text(pointer).is_some())
}

/// Whether the caller is in a role that people work in: one that IAM Identity Center made
/// (`AWSReservedSSO_<permission set>_<suffix>`), or one that the operator names.
fn is_human_role(event: &Event, settings: &Settings) -> bool {
    let Some(role) = find_role_name(event.principal.id.raw()) else { return false };
    role.starts_with("AWSReservedSSO_")
        || settings.human_roles.iter().any(|pattern| pattern.value.matches(role))
}

/// The name of a role without its path, from the session issuer's ARN or, without one, the session's.
fn find_role_name(arn: &str) -> Option<&str> {
    let arn = Arn::parse(arn)?;
    let path = match arn.service {
        "iam" => arn.resource.strip_prefix("role/")?,
        "sts" => arn.resource.strip_prefix("assumed-role/")?,
        _ => return None,
    };
    path.rsplit('/').next()
}

/// Whether the access key lasts, by the beginning of its id (IAM's reference of unique identifiers).
fn find_key_kind(event: &Event) -> Option<&'static str> {
    let id = event.principal.access_key_id.as_ref()?.raw();
    if id.starts_with("AKIA") {
        Some("long-term")
    } else if id.starts_with("ASIA") {
        Some("temporary")
    } else {
        None
    }
}

/// Whether the caller's account owns the secrets; without secrets, whether it is the account that got the record.
fn find_account_kind(event: &Event) -> Option<&'static str> {
    let caller_account = event.principal.account.as_ref()?;
    let is_foreign = if event.secrets.is_empty() {
        event.account != *caller_account
    } else {
        event.secrets.iter().any(|secret| secret.account != *caller_account)
    };
    Some(if is_foreign { "foreign" } else { "own" })
}

/// Whether the caller's account is production; absent where the operator names no account.
fn find_environment(event: &Event, settings: &Settings) -> Option<&'static str> {
    let accounts = &settings.production.accounts;
    let caller_account = event.principal.account.as_ref()?;
    if accounts.is_empty() {
        return None;
    }
    Some(if accounts.contains(caller_account) { "production" } else { "other" })
}

/// The tool that the caller claims to be. Anybody can claim that.
fn find_tool(event: &Event) -> Option<&'static str> {
    const TOOLS_BY_WORD: [(&str, &str); 15] = [
        ("secrets-store-csi-driver", "csi"),
        ("csi-secrets-store", "csi"),
        ("terraform", "terraform"),
        ("opentofu", "terraform"),
        ("pulumi", "terraform"),
        ("ansible", "terraform"),
        ("crossplane", "terraform"),
        ("github-actions", "ci"),
        ("github-action/", "ci"),
        ("configure-aws-credentials", "ci"),
        ("gitlab-runner", "ci"),
        ("jenkins", "ci"),
        ("buildkite", "ci"),
        ("circleci", "ci"),
        ("codebuild", "ci"),
    ];
    let user_agent = event.find_text("/detail/userAgent")?.raw().to_ascii_lowercase();
    for (word, tool) in TOOLS_BY_WORD {
        if user_agent.contains(word) {
            return Some(tool);
        }
    }
    None
}

/// Whether the operator declares the caller as automation. A caller without an ARN cannot be declared, not even by `*`.
fn is_declared_automation(event: &Event, settings: &Settings) -> bool {
    let id = event.principal.id.raw();
    id.starts_with("arn:") && settings.automation_principals.iter().any(|pattern| pattern.value.matches(id))
}
