//! Who calls: a service, a person or a workload, from where, and with what.

use crate::aws::arn::Arn;
use crate::aws::principal::UNKNOWN;
use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::Facts;
use crate::settings::Settings;

pub(super) fn derive(event: &Event, facts: &Facts) -> [(&'static str, Option<&'static str>); 7] {
    let (settings, tool) = (&facts.settings, tool(event));
    let declared = tool.is_some() && is_declared(event, settings);
    [
        ("kind", kind(event, settings)),
        ("key", key(event)),
        ("account", account(event)),
        ("environment", environment(event, settings)),
        ("tool", tool),
        ("automation", declared.then_some("declared")),
        ("launch", is_launch(event, facts).then_some("yes")),
    ]
}

/// Whether the event may be the read of a secret by a task that starts: its role then tells whether it is.
pub fn may_launch(event: &Event) -> bool {
    event.principal.is_task() && event.name().raw() == "GetSecretValue" && !event.secrets.is_empty()
}

/// An execution role reads what its task definitions refer to, in a session that is named like a task.
fn is_launch(event: &Event, facts: &Facts) -> bool {
    let Some(referenced) = facts.launch_secrets.get(event.principal.id.raw()) else { return false };
    let refers = |secret: &SecretRef| {
        referenced.contains(&secret.key())
            || referenced.iter().filter_map(|key| SecretRef::from_key(key)).any(|known| known.may_be(secret))
    };
    may_launch(event) && event.secrets.iter().all(refers)
}

fn kind(event: &Event, settings: &Settings) -> Option<&'static str> {
    let text = |pointer: &str| event.text(&format!("/detail/{pointer}"));
    let is = |pointer: &str, word: &str| text(pointer).is_some_and(|text| text.raw() == word);
    if is_service(event) {
        return Some("service");
    }
    let identity = text("userIdentity/type");
    let identity = identity.as_ref().map_or("", |identity| identity.raw());
    let signed_in =
        ["signInSessionArn", "userIdentity/signInSessionArn", "userIdentity/sessionContext/signInSessionArn"];
    let named =
        matches!(identity, "IAMUser" | "Root") && signed_in.into_iter().any(|place| text(place).is_some());
    if is("sessionCredentialFromConsole", "true")
        || identity == "IdentityCenterUser"
        || named
        || is_human_role(event, settings)
    {
        return Some("human");
    }
    let known = ["AssumedRole", "Role", "IAMUser", "Root", "FederatedUser", "WebIdentityUser", "SAMLUser"];
    (known.contains(&identity) && event.principal.id.raw() != UNKNOWN).then_some("workload")
}

/// A service that calls by itself, or for somebody: then it is also where the call comes from, and there is no TLS of a
/// client (`CloudTrail`'s `userIdentity` reference). Secrets Manager itself calls for whoever reads a batch.
fn is_service(event: &Event) -> bool {
    let invoked_by = event.principal.invoked_by.as_ref().map_or("", |host| host.raw());
    if invoked_by == "secretsmanager.amazonaws.com" {
        return false;
    }
    let from = event.text("/detail/sourceIPAddress");
    let same = from.is_some_and(|from| from.raw() == invoked_by);
    let own_tls = event.value("/detail/tlsDetails").is_some_and(|details| !details.is_null());
    let itself = event.text("/detail/userIdentity/type").is_some_and(|kind| kind.raw() == "AWSService");
    itself || (is_aws_host(invoked_by) && same && !own_tls)
}

fn is_aws_host(host: &str) -> bool {
    let name = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(fits))
}

/// IAM Identity Center names the roles that it makes (`AWSReservedSSO_<permission set>_<suffix>`).
fn is_human_role(event: &Event, settings: &Settings) -> bool {
    let Some(role) = role(event.principal.id.raw()) else { return false };
    role.starts_with("AWSReservedSSO_") || settings.humans.iter().any(|name| name.meaning.matches(role))
}

/// The name of a role without its path, from the session issuer's ARN or, without one, the session's.
fn role(arn: &str) -> Option<&str> {
    let of = |service, prefix| Arn::of(service, arn)?.resource.strip_prefix(prefix);
    let path = of("iam", "role/").or_else(|| of("sts", "assumed-role/"))?;
    path.rsplit('/').next()
}

/// How access key ids begin (IAM's reference of unique identifiers).
fn key(event: &Event) -> Option<&'static str> {
    let id = event.principal.access_key.as_ref()?;
    let known = [("AKIA", "long-term"), ("ASIA", "temporary")];
    known.into_iter().find(|(prefix, _)| id.raw().starts_with(prefix)).map(|(_, word)| word)
}

/// The caller's account against that of the secrets, or of whoever got the record.
fn account(event: &Event) -> Option<&'static str> {
    let own = event.principal.account.as_deref()?;
    let foreign = |secret: &SecretRef| secret.account != own;
    let is_foreign =
        if event.secrets.is_empty() { event.account != own } else { event.secrets.iter().any(foreign) };
    Some(if is_foreign { "foreign" } else { "own" })
}

fn environment(event: &Event, settings: &Settings) -> Option<&'static str> {
    let accounts = &settings.production.accounts;
    let own = event.principal.account.as_ref().filter(|_| !accounts.is_empty())?;
    Some(if accounts.contains(own) { "production" } else { "other" })
}

/// What the caller says it is; anybody can say it.
fn tool(event: &Event) -> Option<&'static str> {
    const TOOLS: [(&str, &str); 11] = [
        ("secrets-store-csi-driver", "csi"),
        ("csi-secrets-store", "csi"),
        ("terraform", "terraform"),
        ("opentofu", "terraform"),
        ("github-actions", "ci"),
        ("configure-aws-credentials", "ci"),
        ("gitlab-runner", "ci"),
        ("jenkins", "ci"),
        ("buildkite", "ci"),
        ("circleci", "ci"),
        ("codebuild", "ci"),
    ];
    let agent = event.text("/detail/userAgent")?.raw().to_ascii_lowercase();
    TOOLS.into_iter().find(|(word, _)| agent.contains(word)).map(|(_, tool)| tool)
}

fn is_declared(event: &Event, settings: &Settings) -> bool {
    let id = event.principal.id.raw();
    id.starts_with("arn:") && settings.automation.iter().any(|pattern| pattern.meaning.matches(id))
}
