//! The subject of an incident: the secret, the principal and the services that it is about, parsed.

use super::phrases::parse_region_name;
use crate::aws::arn::Arn;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::ecs_service::DeploymentController;
use crate::aws::principal::UNKNOWN_PRINCIPAL;
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::incident::Incident;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// How much time before and after an incident is worth a look.
const INCIDENT_LOOKAROUND: Span = Span::from_secs(900);

/// The beginning of the names of roles that IAM Identity Center made. IAM refuses to change them.
const IDENTITY_CENTER_ROLE_PREFIX: &str = "AWSReservedSSO_";

/// The parties of an incident, raw; absent where the incident does not name one.
pub(super) struct IncidentSubject<'i> {
    /// The first secret.
    pub(super) secret: Option<&'i SecretRef>,
    pub(super) principal: Option<&'i str>,
    /// The name of the principal's role, if it is one of the incident's account that IAM can change.
    pub(super) role: Option<&'i str>,
    /// The session's name in a role of IAM Identity Center, which is the user's name there.
    pub(super) identity_center_user: Option<&'i str>,
    /// The name of the principal's user, if it is one of the incident's account, with a key that can be switched off.
    pub(super) user: Option<&'i str>,
    /// The same for a user with a temporary key, which cannot be switched off.
    pub(super) session_user: Option<&'i str>,
    pub(super) access_key_id: Option<&'i str>,
    pub(super) session_name: Option<&'i str>,
    pub(super) rotation_function: Option<LocatedFunction<'i>>,
    /// The first service.
    pub(super) service: Option<LocatedService<'i>>,
    /// The first service of which ECS takes a forced deployment.
    pub(super) forced_service: Option<LocatedService<'i>>,
    /// The first service that `CodeDeploy` deploys.
    pub(super) code_deploy_service: Option<LocatedService<'i>>,
    /// The Region of the secret, else the first of the incident.
    pub(super) region: Option<&'i str>,
    /// The period that is worth a look.
    pub(super) start: Timestamp,
    /// Its end.
    pub(super) end: Timestamp,
}

/// A Lambda function, from its ARN.
#[derive(Clone, Copy)]
pub(super) struct LocatedFunction<'i> {
    pub(super) region: &'i str,
    /// The name, without a version or an alias: the name of a log group holds no colon.
    pub(super) name: &'i str,
}

/// An ECS service, from its ARN.
#[derive(Clone, Copy)]
pub(super) struct LocatedService<'i> {
    pub(super) region: &'i str,
    pub(super) cluster: &'i str,
    pub(super) name: &'i str,
}

impl<'i> IncidentSubject<'i> {
    pub(super) fn from_incident(incident: &'i Incident) -> Self {
        let secret = incident.secret_refs.first();
        let principal = find_principal(incident);
        let region = find_region(incident, secret);
        // Nothing can be done about a principal of another account.
        let own_principal = principal.and_then(Arn::parse).filter(|arn| arn.account == incident.account);
        let role = own_principal.and_then(find_role_name);
        let user = own_principal.and_then(find_user_name);
        let access_key_id = incident.detail(DetailKind::AccessKeyId).map(Untrusted::raw);
        let session_name = incident.detail(DetailKind::SessionName).map(Untrusted::raw);
        let is_identity_center_role = role.is_some_and(|role| role.starts_with(IDENTITY_CENTER_ROLE_PREFIX));
        let is_temporary_key = access_key_id.is_some_and(|key| key.starts_with("ASIA"));
        Self {
            secret,
            principal,
            role: if is_identity_center_role { None } else { role },
            identity_center_user: if is_identity_center_role { session_name } else { None },
            user: if is_temporary_key { None } else { user },
            session_user: if is_temporary_key { user } else { None },
            access_key_id,
            session_name,
            rotation_function: find_rotation_function(incident, region),
            service: find_service(incident, |_| true),
            forced_service: find_service(incident, |controller| controller.is_none()),
            code_deploy_service: find_service(incident, |controller| {
                controller == Some(&DeploymentController::CodeDeploy)
            }),
            region,
            start: incident.first.minus(INCIDENT_LOOKAROUND),
            end: incident.last.plus(INCIDENT_LOOKAROUND),
        }
    }
}

fn find_principal(incident: &Incident) -> Option<&str> {
    let principal = incident.principal.as_ref()?.raw();
    if principal == UNKNOWN_PRINCIPAL { None } else { Some(principal) }
}

fn find_region<'i>(incident: &'i Incident, secret: Option<&'i SecretRef>) -> Option<&'i str> {
    // A command about a secret needs the Region of that secret.
    if let Some(region) = secret.and_then(|secret| parse_region_name(&secret.region)) {
        return Some(region);
    }
    incident.regions.iter().find_map(|region| parse_region_name(region))
}

/// A function of another account has its log there, and one of another Region needs another command.
fn find_rotation_function<'i>(incident: &'i Incident, region: Option<&str>) -> Option<LocatedFunction<'i>> {
    let arn = Arn::parse_for_service("lambda", incident.detail(DetailKind::RotationFunction)?.raw())?;
    if arn.account != incident.account || Some(arn.region) != region {
        return None;
    }
    let name = arn.resource.strip_prefix("function:")?.split(':').next()?;
    Some(LocatedFunction { region: arn.region, name })
}

/// The first service whose other controller is as asked for. ARNs of the old format have no cluster ("ARNs and IDs", ECS developer
/// guide).
fn find_service(
    incident: &Incident,
    is_wanted: impl Fn(Option<&DeploymentController>) -> bool,
) -> Option<LocatedService<'_>> {
    for service in &incident.services {
        let located = locate_service(service);
        if located.is_some() && is_wanted(incident.deployed_elsewhere.get(service)) {
            return located;
        }
    }
    None
}

/// A service by its ARN; `None` for a managed daemon, which has commands of its own.
fn locate_service(service: &ServiceArn) -> Option<LocatedService<'_>> {
    let arn = Arn::parse_for_service("ecs", service)?;
    let (cluster, name) = arn.resource.strip_prefix("service/")?.split_once('/')?;
    Some(LocatedService { region: arn.region, cluster, name })
}

/// The name of a role without its path, which is what IAM's commands take, from its ARN or a session's.
fn find_role_name(principal: Arn<'_>) -> Option<&str> {
    let path = match principal.service {
        "iam" => principal.resource.strip_prefix("role/")?,
        "sts" => principal.resource.strip_prefix("assumed-role/")?,
        _ => return None,
    };
    find_last_part(path)
}

/// The name of a user without its path.
fn find_user_name(principal: Arn<'_>) -> Option<&str> {
    if principal.service == "iam" { find_last_part(principal.resource.strip_prefix("user/")?) } else { None }
}

fn find_last_part(path: &str) -> Option<&str> {
    match path.rsplit('/').next() {
        None | Some("") => None,
        Some(name) => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_users_are_named_as_iam_names_them() {
        let role = |arn| Arn::parse(arn).and_then(find_role_name);
        let user = |arn| Arn::parse(arn).and_then(find_user_name);
        assert_eq!(role("arn:aws:iam::111122223333:role/team/app"), Some("app"));
        assert_eq!(role("arn:aws:sts::111122223333:assumed-role/app"), Some("app"));
        assert_eq!(user("arn:aws-cn:iam::111122223333:user/a/b"), Some("b"));
        for other in ["arn:aws:iam::111122223333:root", "ecs.amazonaws.com", "111122223333:AROAX"] {
            assert_eq!((role(other), user(other)), (None, None));
        }
    }
}
