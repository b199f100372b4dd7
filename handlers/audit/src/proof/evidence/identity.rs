//! Services, roles and task definitions, whatever spelling names them.

use responder_core::aws::arn::Arn;
use responder_core::event::Event;
use responder_core::text::Untrusted;

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceIdentity {
    pub(crate) account: String,
    pub(crate) region: String,
    /// Empty where neither the ARN nor anything beside it names the cluster.
    pub(crate) cluster: String,
    pub(crate) name: String,
}

impl ServiceIdentity {
    /// Reads the ARN of a service. The form from before 2018 lacks the cluster, which `cluster` then names.
    pub(crate) fn from_arn(arn: &str, cluster: Option<&str>) -> Option<Self> {
        let arn = Arn::parse_for_service("ecs", arn)?;
        let path = arn.resource.strip_prefix("service/")?;
        let (cluster, name) = match path.split_once('/') {
            Some(parts) => parts,
            None => (last_segment(cluster?), path),
        };
        Some(Self {
            account: arn.account.to_owned(),
            region: arn.region.to_owned(),
            cluster: cluster.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// A role. Its path is no part of its identity, because the ARN of a session lacks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoleIdentity {
    account: String,
    name: String,
}

impl RoleIdentity {
    /// Parses the ARN of a role or of one of its sessions, or the name of a role in `account`.
    pub(crate) fn parse(text: &str, account: &str) -> Option<Self> {
        let (account, name) = match Arn::parse(text) {
            Some(arn) if arn.service == "sts" => {
                let path = arn.resource.strip_prefix("assumed-role/")?;
                (arn.account, path.split('/').next()?)
            }
            Some(arn) => (arn.account, last_segment(arn.resource.strip_prefix("role/")?)),
            None => (account, last_segment(text)),
        };
        (!name.is_empty()).then(|| Self { account: account.to_owned(), name: name.to_owned() })
    }

    /// Its account and its name: `111122223333:role/app`.
    pub(crate) fn text(&self) -> Untrusted {
        Untrusted::new(format!("{}:role/{}", self.account, self.name))
    }
}

/// Returns `account/region/family:revision` of a task definition, from its ARN or the text that a caller typed.
pub(super) fn identify_definition(text: &str, event: &Event) -> String {
    let (account, region) = Arn::parse_for_service("ecs", text)
        .map_or((&*event.account, &*event.region), |arn| (arn.account, arn.region));
    format!("{account}/{region}/{}", last_segment(text))
}

/// Returns the part after the last slash of an ARN or a name.
pub(super) fn last_segment(text: &str) -> &str {
    text.rsplit_once('/').map_or(text, |(_, last)| last)
}
