//! The API: pages, limits and refusals as ECS has them.

use std::ops::Bound;

use responder_core::aws::ecs_service::{DeploymentController, ServiceStatus};
use responder_core::time::Timestamp;

use super::model::SimulatedEcs;
use super::operation::EcsOperation;
use super::service::SimulatedService;
use super::task_definition::RegisteredTaskDefinition;
use crate::service_calls::{ApiRefusal, ServiceFault};

/// A page of ARNs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EcsArnPage {
    /// The ARNs, in their order.
    pub arns: Vec<String>,
    /// The token of the next page.
    pub next_token: Option<String>,
}

/// An answer of `DescribeServices`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceDescriptions {
    /// The services that were found.
    pub services: Vec<SimulatedService>,
    /// The others.
    pub failures: Vec<DescribeFailure>,
}

/// A service that could not be described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeFailure {
    /// The ARN.
    pub arn: String,
    /// The reason, such as `MISSING`.
    pub reason: String,
}

/// `maxResults` of a page at most, and of `ListClusters` by default.
const MAX_PAGE_ARNS: usize = 100;
/// `maxResults` of `ListServices` by default.
const DEFAULT_PAGE_SERVICES: usize = 10;
/// How many services `DescribeServices` takes.
const MAX_DESCRIBED_SERVICES: usize = 10;

impl SimulatedEcs {
    /// `ListClusters`.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn list_clusters(
        &mut self,
        max: Option<usize>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<EcsArnPage, ApiRefusal> {
        self.enter(EcsOperation::ListClusters, now)?;
        let max = check_page_size(max, MAX_PAGE_ARNS)?;
        let after = self.parse_token(token, "cluster/")?;
        Ok(make_page(self.clusters.range::<str, _>((after, Bound::Unbounded)), max))
    }

    /// `ListServices`: the ACTIVE ones of a cluster (an ARN or a name; `default` if there is none).
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn list_services(
        &mut self,
        cluster: Option<&str>,
        max: Option<usize>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<EcsArnPage, ApiRefusal> {
        self.enter(EcsOperation::ListServices, now)?;
        let max = check_page_size(max, DEFAULT_PAGE_SERVICES)?;
        let name = self.find_cluster(cluster)?;
        if self.hidden.contains(&self.cluster_arn(&name)) {
            return Err(ServiceFault::Denied.refusal());
        }
        let prefix = self.location.arn("ecs", &format!("service/{name}/"));
        let after = match self.parse_token(token, &format!("service/{name}/"))? {
            Bound::Unbounded => Bound::Included(prefix.as_str()),
            after => after,
        };
        let mut active = Vec::new();
        for (arn, service) in self.services.range::<str, _>((after, Bound::Unbounded)) {
            // One more than fit says that there is another page.
            if !arn.starts_with(&prefix) || active.len() > max {
                break;
            }
            if service.status == ServiceStatus::Active {
                active.push(arn);
            }
        }
        Ok(make_page(active.into_iter(), max))
    }

    /// `DescribeServices`, by ARN or name; of every status.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_services(
        &mut self,
        cluster: Option<&str>,
        services: &[String],
        now: Timestamp,
    ) -> Result<ServiceDescriptions, ApiRefusal> {
        self.enter(EcsOperation::DescribeServices, now)?;
        if services.is_empty() || services.len() > MAX_DESCRIBED_SERVICES {
            return Err(invalid_parameter("Services must have between 1 and 10 entries."));
        }
        let name = self.find_cluster(cluster)?;
        let shown = self.outdated_services.as_ref().unwrap_or(&self.services);
        let mut answer = ServiceDescriptions::default();
        for service in services {
            let arn = self.service_arn(&name, service);
            if let Some(reason) = self.undescribed.get(&arn) {
                answer.failures.push(DescribeFailure { arn, reason: reason.clone() });
                continue;
            }
            match shown.get(&arn) {
                Some(found) if is_in_cluster(found, &name) => answer.services.push(found.clone()),
                _ => answer.failures.push(DescribeFailure { arn, reason: "MISSING".to_owned() }),
            }
        }
        Ok(answer)
    }

    /// `DescribeTaskDefinition`, by ARN, `family:revision`, or family, which means its last revision.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_task_definition(
        &mut self,
        name: &str,
        now: Timestamp,
    ) -> Result<RegisteredTaskDefinition, ApiRefusal> {
        self.enter(EcsOperation::DescribeTaskDefinition, now)?;
        let arn = match self.last_revisions.get(name) {
            _ if name.starts_with("arn:") => name.to_owned(),
            Some(last) => self.location.arn("ecs", &format!("task-definition/{name}:{last}")),
            None => self.location.arn("ecs", &format!("task-definition/{name}")),
        };
        if self.hidden.contains(&arn) {
            return Err(ServiceFault::Denied.refusal());
        }
        match self.definitions.get(&arn) {
            Some(found) => Ok(found.clone()),
            None => Err(ApiRefusal::new("ClientException", "Unable to describe task definition.")),
        }
    }

    /// `UpdateService` with nothing but `forceNewDeployment`.
    ///
    /// # Errors
    ///
    /// As AWS answers them, in this order:
    ///
    /// 1. The caller may not update the service: it learns nothing else.
    /// 2. There is no such cluster.
    /// 3. There is no such service in it.
    /// 4. The service was deleted and drains.
    /// 5. The service's controller is not ECS.
    /// 6. Five of its deployments are ACTIVE already.
    pub fn update_service(
        &mut self,
        cluster: Option<&str>,
        service: &str,
        force: bool,
        now: Timestamp,
    ) -> Result<SimulatedService, ApiRefusal> {
        self.enter(EcsOperation::UpdateService, now)?;
        let arn = self.service_arn(name_cluster(cluster), service);
        // 1.
        if self.update_denied.contains(&arn) {
            let message = format!(
                "User is not authorized to perform: ecs:UpdateService on resource: {arn} because no \
                 identity-based policy allows the ecs:UpdateService action"
            );
            return Err(ApiRefusal::new("AccessDeniedException", message));
        }
        // 2.
        let cluster_name = self.find_cluster(cluster)?;
        // 3.
        let not_found = || ApiRefusal::new("ServiceNotFoundException", "Service not found.");
        let found = self.services.get(&arn).ok_or_else(not_found)?;
        let is_lost = self.update_lost.contains(&arn) || !is_in_cluster(found, &cluster_name);
        if is_lost || found.status == ServiceStatus::Inactive {
            return Err(not_found());
        }
        // 4.
        if found.status == ServiceStatus::Draining {
            return Err(ApiRefusal::new("ServiceNotActiveException", "Service was not ACTIVE."));
        }
        if force {
            // 5.
            match &found.controller {
                DeploymentController::Ecs => {}
                DeploymentController::CodeDeploy => return Err(invalid_parameter(CODE_DEPLOY_MESSAGE)),
                DeploymentController::External | DeploymentController::Other(_) => {
                    return Err(invalid_parameter(EXTERNAL_MESSAGE));
                }
            }
            // 6.
            if self.protected_until.get(&arn).is_some_and(|until| now < *until) {
                return Err(invalid_parameter(ACTIVE_DEPLOYMENTS_MESSAGE));
            }
            self.start_deployment(&arn, now, true);
        }
        self.services.get(&arn).cloned().ok_or_else(not_found)
    }

    /// Begins every call: time passes, the call is counted, planted faults happen, and a token is taken.
    pub(super) fn enter(&mut self, operation: EcsOperation, now: Timestamp) -> Result<(), ApiRefusal> {
        self.run_until(now);
        self.calls.enter(operation, &mut self.random)?;
        if self.take_token(operation, now) { Ok(()) } else { Err(ServiceFault::Throttled.refusal()) }
    }

    /// The name of a cluster that is there.
    pub(super) fn find_cluster(&self, cluster: Option<&str>) -> Result<String, ApiRefusal> {
        let name = name_cluster(cluster);
        let arn = self.cluster_arn(name);
        let is_given = match cluster {
            Some(given) => given == arn || !given.starts_with("arn:"),
            None => true,
        };
        if is_given && self.clusters.contains(&arn) {
            Ok(name.to_owned())
        } else {
            Err(ApiRefusal::new("ClusterNotFoundException", "Cluster not found."))
        }
    }

    fn cluster_arn(&self, name: &str) -> String {
        self.location.arn("ecs", &format!("cluster/{name}"))
    }

    fn service_arn(&self, cluster: &str, service: &str) -> String {
        if service.starts_with("arn:") {
            return service.to_owned();
        }
        self.location.arn("ecs", &format!("service/{cluster}/{service}"))
    }

    /// Where a page begins. Our tokens are the last ARN of the page before: those of AWS say nothing, and nobody may look into them.
    fn parse_token<'a>(&self, token: Option<&'a str>, kind: &str) -> Result<Bound<&'a str>, ApiRefusal> {
        match token {
            None => Ok(Bound::Unbounded),
            Some(token) if token.starts_with(&self.location.arn("ecs", kind)) => Ok(Bound::Excluded(token)),
            Some(_) => Err(invalid_parameter("Invalid token.")),
        }
    }
}

/// The words of AWS (quoted in several public issue threads).
const CODE_DEPLOY_MESSAGE: &str = "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.";
/// Our words: the API reference says only that such a service's deployments are task sets.
const EXTERNAL_MESSAGE: &str =
    "Cannot force a new deployment on services with an EXTERNAL deployment controller. Use CreateTaskSet.";
/// The words of AWS (aws/containers-roadmap issue 2836): it is over when the old tasks have stopped.
const ACTIVE_DEPLOYMENTS_MESSAGE: &str = "5 active deployments exist, unable to create new deployment.";

fn invalid_parameter(message: &str) -> ApiRefusal {
    ApiRefusal::new("InvalidParameterException", message)
}

fn check_page_size(max: Option<usize>, default: usize) -> Result<usize, ApiRefusal> {
    let max = max.unwrap_or(default);
    if (1..=MAX_PAGE_ARNS).contains(&max) {
        Ok(max)
    } else {
        Err(invalid_parameter("maxResults must be between 1 and 100."))
    }
}

/// The first `max` ARNs, with a token if there are more.
fn make_page<'a>(mut arns: impl Iterator<Item = &'a String>, max: usize) -> EcsArnPage {
    let mut page = EcsArnPage { arns: arns.by_ref().take(max).cloned().collect(), next_token: None };
    if arns.next().is_some() {
        page.next_token = page.arns.last().cloned();
    }
    page
}

fn name_cluster(cluster: Option<&str>) -> &str {
    let cluster = cluster.unwrap_or("default");
    cluster.rsplit('/').next().unwrap_or(cluster)
}

fn is_in_cluster(service: &SimulatedService, cluster: &str) -> bool {
    service.cluster.rsplit('/').next() == Some(cluster)
}
