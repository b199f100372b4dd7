//! What stands between the braces of a line of `first`: the values that an incident has.

use super::console_links::AwsConsole;
use super::phrases::{account_id, listed, region_name, several};
use crate::aws::arn::Arn;
use crate::aws::secret_ref::SecretRef;
use crate::incident::Incident;
use crate::rules::PLACEHOLDERS;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// A piece of a line of `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplatePiece<'t> {
    /// Our own words.
    Text(&'t str),
    /// A placeholder's name.
    Name(&'t str),
}

/// A line in pieces. Braces around anything else are text.
pub(super) fn pieces(line: &str) -> Vec<TemplatePiece<'_>> {
    let (mut pieces, mut text, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = line.get(at..).and_then(|rest| rest.find('{')).map(|found| at + found) {
        at = open + 1;
        let rest = line.get(at..).unwrap_or_default();
        let name = rest.split_once('}').map(|(name, _)| name).filter(|name| PLACEHOLDERS.contains(name));
        if let Some(name) = name {
            pieces.extend(line.get(text..open).filter(|text| !text.is_empty()).map(TemplatePiece::Text));
            pieces.push(TemplatePiece::Name(name));
            at += name.len() + 1;
            text = at;
        }
    }
    pieces.extend(line.get(text..).filter(|text| !text.is_empty()).map(TemplatePiece::Text));
    pieces
}

/// The values of an incident, raw; absent where it has none.
#[derive(Debug, Default)]
pub(super) struct PlaceholderValues {
    account: Option<String>,
    region: Option<String>,
    secret: Option<String>,
    principal: Option<String>,
    role: Option<String>,
    user: Option<String>,
    access_key: Option<String>,
    start: Option<String>,
    end: Option<String>,
    function: Option<String>,
    service: Option<String>,
    cluster: Option<String>,
    version: Option<String>,
    /// The Regions beside the one, and how many secrets and services beside the one.
    regions: Vec<String>,
    secrets: usize,
    services: usize,
    /// The console's pages, by the name after `link:`, with what they show.
    pub(super) links: Vec<(&'static str, &'static str, String)>,
}

/// How much before and after an incident is worth a look.
const AROUND: Span = Span::from_secs(900);

impl PlaceholderValues {
    pub(super) fn of(incident: &Incident) -> Self {
        let secret = incident.secret_refs.first();
        let principal = incident.principal.as_ref().map(Untrusted::raw);
        let principal = principal.filter(|id| *id != crate::aws::principal::UNKNOWN);
        let detail = |label| incident.detail(label).map(|value| value.raw().to_owned());
        let function = incident.detail("rotation function").and_then(|arn| Arn::of("lambda", arn.raw()));
        let service = incident.services.first().and_then(|arn| Arn::of("ecs", arn));
        let (cluster, service_name) = service.and_then(|arn| service_of(&arn)).unzip();
        // Beside a secret its own Region is meant.
        let region = secret.and_then(|secret| region_name(&secret.region));
        let region = region.or_else(|| incident.regions.iter().find_map(|region| region_name(region)));
        // Nothing can be done about another account's.
        let own = principal.filter(|id| Arn::parse(id).is_some_and(|arn| arn.account == incident.account));
        let (role, user) = (own.and_then(role_of), own.and_then(user_of));
        let mut values = Self {
            account: account_id(&incident.account).map(str::to_owned),
            region: region.map(str::to_owned),
            secret: secret.map(|secret| secret_id(secret, &incident.account)),
            principal: principal.map(str::to_owned),
            role: role.map(str::to_owned),
            user: user.map(str::to_owned),
            access_key: detail("access key id"),
            start: Some(shown(incident.first.minus(AROUND))),
            end: Some(shown(incident.last.plus(AROUND))),
            function: function.and_then(|arn| arn.resource.strip_prefix("function:")).map(str::to_owned),
            service: service_name.map(str::to_owned),
            cluster: cluster.map(str::to_owned),
            version: detail("version"),
            regions: incident
                .regions
                .iter()
                .filter_map(|name| region_name(name))
                .filter(|name| Some(*name) != region)
                .map(str::to_owned)
                .collect(),
            secrets: incident.secret_refs.len().saturating_sub(1),
            services: incident.services.len().saturating_sub(1),
            links: Vec::new(),
        };
        let who = values.access_key.as_deref().map(|key| ("AccessKeyId", key));
        let name = detail("session").or_else(|| values.user.clone());
        let who = who.or_else(|| name.as_deref().map(|name| ("Username", name)));
        let mut links = Vec::new();
        if let Some(console) = region.and_then(AwsConsole::of) {
            let times = (incident.first.minus(AROUND), incident.last.plus(AROUND));
            let mut add =
                |name, what, link: Option<String>| links.extend(link.map(|link| (name, what, link)));
            add(
                "cloudtrail",
                "What it did (CloudTrail)",
                who.map(|(key, value)| console.events(key, value, times)),
            );
            let key = values.access_key.as_deref();
            add(
                "key",
                "What the key did (CloudTrail)",
                key.map(|key| console.events("AccessKeyId", key, times)),
            );
            add("secret", "Secret", secret.map(|secret| console.secret(secret.name().raw())));
            add("role", "Role", role.map(|role| console.role(role)));
            let logs = function.and_then(|arn| {
                let name = arn.resource.strip_prefix("function:")?.split(':').next()?;
                Some(AwsConsole::of(region_name(arn.region)?)?.logs(&format!("/aws/lambda/{name}")))
            });
            add("logs", "Log of the rotation function", logs);
            let service = service.and_then(|arn| {
                let (cluster, name) = service_of(&arn)?;
                Some(AwsConsole::of(region_name(arn.region)?)?.service(cluster, name))
            });
            add("service", "Service", service);
        }
        values.links = links;
        values
    }

    /// With what else a line is to be done, that names one of several.
    pub(super) fn likewise(&self, line: &[TemplatePiece<'_>]) -> Option<String> {
        let names = |name| line.contains(&TemplatePiece::Name(name));
        if names("secret") {
            (self.secrets > 0)
                .then(|| format!("and likewise for the other {}", several(self.secrets, "secret")))
        } else if names("service") {
            (self.services > 0)
                .then(|| format!("and likewise for the other {}", several(self.services, "service")))
        } else if names("region") && self.regions.len() <= 20 {
            (!self.regions.is_empty()).then(|| format!("and likewise in {}", listed(&self.regions)))
        } else {
            None
        }
    }

    /// The value of a placeholder.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = match name {
            "account" => &self.account,
            "region" => &self.region,
            "secret" => &self.secret,
            "principal" => &self.principal,
            "role" => &self.role,
            "user" => &self.user,
            "access-key" => &self.access_key,
            "start" => &self.start,
            "end" => &self.end,
            "function" => &self.function,
            "service" => &self.service,
            "cluster" => &self.cluster,
            "version" => &self.version,
            _ => return self.link(name.strip_prefix("link:")?),
        };
        value.as_deref()
    }

    /// The address of a page of the console.
    pub(super) fn link(&self, name: &str) -> Option<&str> {
        self.links.iter().find(|(known, ..)| *known == name).map(|(.., link)| link.as_str())
    }
}

/// To the second: the CLI and the console want no more.
fn shown(at: Timestamp) -> String {
    at.whole_second().to_string()
}

/// By name in its own account, by ARN in another one.
fn secret_id(secret: &SecretRef, account: &str) -> String {
    if secret.account == account {
        secret.name().raw().to_owned()
    } else {
        SecretRef { from_arn: true, ..secret.clone() }.id()
    }
}

/// The name of a role, which is what IAM's commands take, from its ARN or a session's.
fn role_of(principal: &str) -> Option<&str> {
    let arn = Arn::parse(principal)?;
    let path = match arn.service {
        "iam" => arn.resource.strip_prefix("role/")?,
        "sts" => arn.resource.strip_prefix("assumed-role/")?,
        _ => return None,
    };
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

fn user_of(principal: &str) -> Option<&str> {
    let arn = Arn::of("iam", principal)?;
    arn.resource.strip_prefix("user/")?.rsplit('/').next().filter(|name| !name.is_empty())
}

/// Cluster and name; ARNs of the old format have no cluster ("ARNs and IDs", ECS developer guide).
fn service_of<'a>(arn: &Arn<'a>) -> Option<(&'a str, &'a str)> {
    arn.resource.strip_prefix("service/")?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_text_and_names() {
        let line = r"a {role} {x} --query '{f:A}' {link:key}{region}";
        let expected = [
            TemplatePiece::Text("a "),
            TemplatePiece::Name("role"),
            TemplatePiece::Text(" {x} --query '{f:A}' "),
            TemplatePiece::Name("link:key"),
            TemplatePiece::Name("region"),
        ];
        assert_eq!(pieces(line), expected);
        assert_eq!(pieces("{ {role"), [TemplatePiece::Text("{ {role")]);
    }

    #[test]
    fn roles_and_users_are_named_as_iam_names_them() {
        assert_eq!(role_of("arn:aws:iam::111122223333:role/team/app"), Some("app"));
        assert_eq!(role_of("arn:aws:sts::111122223333:assumed-role/app"), Some("app"));
        assert_eq!(user_of("arn:aws-cn:iam::111122223333:user/a/b"), Some("b"));
        for other in ["arn:aws:iam::111122223333:root", "ecs.amazonaws.com", "111122223333:AROAX"] {
            assert_eq!((role_of(other), user_of(other)), (None, None));
        }
    }
}
