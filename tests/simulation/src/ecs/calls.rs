//! The API: pages, limits and errors as ECS has them.

use std::ops::Bound;

use responder_core::time::Timestamp;

use super::{Controller, Ecs, Operation, Service, Status, TaskDefinition};
use crate::Refusal;

/// A page of ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The ARNs, in their order.
    pub arns: Vec<String>,
    /// What gives the next page.
    pub next_token: Option<String>,
}

/// What `DescribeServices` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The services that were found.
    pub services: Vec<Service>,
    /// The others.
    pub failures: Vec<Failure>,
}

/// What could not be described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The ARN.
    pub arn: String,
    /// Such as `MISSING`.
    pub reason: String,
}

/// `maxResults` of a page at most, and of `ListClusters` by default; `ListServices` gives 10 by default.
const PAGE: usize = 100;
const SERVICES_BY_DEFAULT: usize = 10;
/// How many services `DescribeServices` takes.
const DESCRIBED_AT_ONCE: usize = 10;

impl Ecs {
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
    ) -> Result<Page, Refusal> {
        self.enter(Operation::ListClusters, now)?;
        let max = page_size(max, PAGE)?;
        let after = self.start_after(token, "cluster/")?;
        Ok(page(self.clusters.range::<str, _>((after, Bound::Unbounded)), max))
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
    ) -> Result<Page, Refusal> {
        self.enter(Operation::ListServices, now)?;
        let max = page_size(max, SERVICES_BY_DEFAULT)?;
        let name = self.cluster(cluster)?;
        let prefix = self.place.arn("ecs", &format!("service/{name}/"));
        let after = match self.start_after(token, &format!("service/{name}/"))? {
            Bound::Unbounded => Bound::Included(prefix.as_str()),
            after => after,
        };
        let services = self.services.range::<str, _>((after, Bound::Unbounded));
        let here = services.take_while(|(arn, _)| arn.starts_with(&prefix));
        Ok(page(here.filter(|(_, service)| service.status == Status::Active).map(|(arn, _)| arn), max))
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
    ) -> Result<Described, Refusal> {
        self.enter(Operation::DescribeServices, now)?;
        if services.is_empty() || services.len() > DESCRIBED_AT_ONCE {
            return Err(invalid("Services must have between 1 and 10 entries."));
        }
        let name = self.cluster(cluster)?;
        let mut described = Described { services: Vec::new(), failures: Vec::new() };
        for service in services {
            let arn = self.service_arn(&name, service);
            let found = self.services.get(&arn).filter(|found| in_cluster(found, &name));
            match (self.undescribed.get(&arn), found) {
                (Some(reason), _) => described.failures.push(Failure { arn, reason: reason.clone() }),
                (None, Some(found)) => described.services.push(found.clone()),
                (None, None) => described.failures.push(Failure { arn, reason: "MISSING".to_owned() }),
            }
        }
        Ok(described)
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
    ) -> Result<TaskDefinition, Refusal> {
        self.enter(Operation::DescribeTaskDefinition, now)?;
        let arn = if name.starts_with("arn:") {
            name.to_owned()
        } else {
            let name = match self.revisions.get(name) {
                Some(last) => format!("{name}:{last}"),
                None => name.to_owned(),
            };
            self.place.arn("ecs", &format!("task-definition/{name}"))
        };
        let found = self.definitions.get(&arn).cloned();
        found.ok_or_else(|| Refusal::new("ClientException", "Unable to describe task definition."))
    }

    /// `UpdateService` with nothing but `forceNewDeployment`.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn update_service(
        &mut self,
        cluster: Option<&str>,
        service: &str,
        force: bool,
        now: Timestamp,
    ) -> Result<Service, Refusal> {
        self.enter(Operation::UpdateService, now)?;
        let given = self.service_arn(name_of(cluster), service);
        // Permissions come before everything else: who may not, learns nothing.
        if self.denied.contains(&given) {
            let message = format!(
                "User is not authorized to perform: ecs:UpdateService on resource: {given} because no \
                 identity-based policy allows the ecs:UpdateService action"
            );
            return Err(Refusal::new("AccessDeniedException", message));
        }
        let name = self.cluster(cluster)?;
        let found = self.services.get(&given).filter(|found| in_cluster(found, &name));
        let is_found = |found: &&Service| found.status != Status::Inactive && !self.lost.contains(&given);
        let Some(found) = found.filter(is_found) else {
            return Err(Refusal::new("ServiceNotFoundException", "Service not found."));
        };
        if found.status != Status::Active {
            return Err(Refusal::new("ServiceNotActiveException", "Service was not ACTIVE."));
        }
        if force {
            match found.controller {
                Controller::Ecs => {}
                Controller::CodeDeploy => return Err(invalid(CODE_DEPLOY)),
                Controller::External => return Err(invalid(EXTERNAL)),
            }
            self.start(&given, now, true);
        }
        let updated = self.services.get(&given).cloned();
        updated.ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))
    }

    /// What every call does first: time passes, the call is counted, planted faults happen, and a token is taken.
    fn enter(&mut self, operation: Operation, now: Timestamp) -> Result<(), Refusal> {
        self.run_until(now);
        self.calls.enter(operation, &mut self.random)?;
        let bucket = self.buckets.as_mut().and_then(|buckets| buckets.get_mut(&operation.bucketed()));
        if bucket.is_none_or(|bucket| bucket.take(now)) {
            Ok(())
        } else {
            Err(Refusal::new("ThrottlingException", "Rate exceeded"))
        }
    }

    /// The name of a cluster that is there.
    fn cluster(&self, cluster: Option<&str>) -> Result<String, Refusal> {
        let arn = self.place.arn("ecs", &format!("cluster/{}", name_of(cluster)));
        let known = self.clusters.contains(&arn) && cluster.is_none_or(|given| is_arn_or_name(given, &arn));
        let name = known.then(|| name_of(cluster).to_owned());
        name.ok_or_else(|| Refusal::new("ClusterNotFoundException", "Cluster not found."))
    }

    fn service_arn(&self, cluster: &str, service: &str) -> String {
        if service.starts_with("arn:") {
            return service.to_owned();
        }
        self.place.arn("ecs", &format!("service/{cluster}/{service}"))
    }

    /// Where a page begins. Our tokens are the last ARN of the page before: AWS's tell nothing, and nobody may look into them.
    fn start_after<'a>(&self, token: Option<&'a str>, kind: &str) -> Result<Bound<&'a str>, Refusal> {
        let Some(token) = token else { return Ok(Bound::Unbounded) };
        if token.starts_with(&self.place.arn("ecs", kind)) {
            Ok(Bound::Excluded(token))
        } else {
            Err(invalid("Invalid token."))
        }
    }
}

/// What AWS says (quoted in several public issue threads).
const CODE_DEPLOY: &str = "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.";
/// Our words: the API reference says only that such a service's deployments are task sets.
const EXTERNAL: &str =
    "Cannot force a new deployment on services with an EXTERNAL deployment controller. Use CreateTaskSet.";

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

fn page_size(max: Option<usize>, default: usize) -> Result<usize, Refusal> {
    let max = max.unwrap_or(default);
    if (1..=PAGE).contains(&max) { Ok(max) } else { Err(invalid("maxResults must be between 1 and 100.")) }
}

fn page<'a>(arns: impl Iterator<Item = &'a String>, max: usize) -> Page {
    let mut arns = arns.peekable();
    let page: Vec<String> = arns.by_ref().take(max).cloned().collect();
    let more = arns.peek().is_some();
    Page { next_token: page.last().filter(|_| more).cloned(), arns: page }
}

fn name_of(cluster: Option<&str>) -> &str {
    let cluster = cluster.unwrap_or("default");
    cluster.rsplit('/').next().unwrap_or(cluster)
}

fn is_arn_or_name(given: &str, arn: &str) -> bool {
    given == arn || !given.starts_with("arn:")
}

fn in_cluster(service: &Service, cluster: &str) -> bool {
    service.cluster.rsplit('/').next() == Some(cluster)
}

#[cfg(test)]
mod tests;
