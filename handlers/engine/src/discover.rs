//! Discovery: which ECS services there are in a Region and what they refer to.
//!
//! Pages of `ListServices` are at most 100, `DescribeServices` takes at most 10 services and reports what it could not
//! describe in `failures[]` (API reference of ECS). What one cluster or service hides becomes a gap and costs no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use responder_core::secret::SecretRef;
use responder_core::service::{Reference, ReferenceKind, Service};
use responder_core::settings::Settings;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

use crate::error::{Error, word};
use crate::ledger::Ledger;
use crate::parallel::parallel;
use crate::port::{Aws, Definition, Described, Region};

/// How many calls run at the same time: the account's other users of the API want to be served too.
const PARALLEL: usize = 4;
/// How many services `DescribeServices` takes.
const DESCRIBED_AT_ONCE: usize = 10;

/// The services of one account and Region, as far as they could be learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Landscape {
    /// The services; `None` if not even the clusters could be listed.
    pub(crate) services: Option<Vec<Service>>,
    /// What could not be learned.
    pub(crate) gaps: BTreeSet<String>,
    /// What can never be learned from here.
    pub(crate) limits: BTreeSet<String>,
}

/// One Region, looked at for one invocation.
#[derive(Debug)]
pub(crate) struct Discovery<'d, A> {
    pub(crate) aws: &'d A,
    pub(crate) region: &'d Region,
    pub(crate) cache: &'d Cache,
    pub(crate) ledger: &'d Ledger<'d, A>,
    pub(crate) settings: &'d Settings,
    pub(crate) until: Timestamp,
}

/// The references of task definitions, by ARN with revision. Revisions never change: kept as long as the process.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Definitions>);

type Definitions = BTreeMap<String, Arc<Definition>>;

/// What is to be looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) secrets: Vec<(SecretRef, Timestamp)>,
    pub(crate) services: Vec<(String, String)>,
}

impl Cache {
    /// Waits until a deployment may be asked for.
    pub(crate) async fn deploy_slot<A: Aws>(&self, _: &A, _: &Region, _: &str, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}

impl<A: Aws> Discovery<'_, A> {
    /// STUB: replaced by the branch `discover`.
    pub(crate) async fn look(&self, wanted: &Wanted) -> Landscape {
        let mut land = self.landscape().await;
        if let Some(services) = &mut land.services {
            services.retain(|service| {
                wanted.secrets.iter().any(|(secret, _)| responder_core::decide::uses(service, secret, self.settings))
                    || wanted.services.iter().any(|(_, arn)| *arn == service.arn)
            });
        }
        land
    }

    /// Every service with everything in it that may refer to a secret.
    pub(crate) async fn landscape(&self) -> Landscape {
        let mut land = Landscape::default();
        let (clusters, error) = self.clusters().await;
        if let Some(error) = error {
            land.gap(format!("not all clusters could be listed: {error}"));
            if clusters.is_empty() {
                return land;
            }
        }
        let clusters = clusters.iter().map(|cluster| self.describe_cluster(cluster));
        let mut described = Vec::new();
        for (services, gaps) in parallel(clusters, PARALLEL).await {
            described.extend(services);
            land.gaps.extend(gaps);
        }
        let wanted = described.iter().flat_map(|service| service.task_definitions.clone()).collect();
        let unread = self.read_task_definitions(wanted).await;
        for service in &described {
            for definition in service.task_definitions.intersection(&unread) {
                land.gap(format!("the task definition {definition} of {} could not be read", service.arn));
            }
        }
        let known = self.cache.lock();
        land.services = Some(described.into_iter().map(|service| complete(service, &known)).collect());
        land
    }

    async fn clusters(&self) -> (Vec<String>, Option<Error>) {
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            match self.aws.list_clusters(self.region, token.as_deref(), self.until).await {
                Ok(page) => {
                    arns.extend(page.arns);
                    token = page.next;
                }
                Err(error) => return (arns, Some(error)),
            }
            if token.is_none() {
                return (arns, None);
            }
        }
    }

    async fn describe_cluster(&self, cluster: &str) -> (Vec<Described>, Vec<String>) {
        let (mut described, mut gaps) = (Vec::new(), Vec::new());
        let arns = match self.services(cluster).await {
            Ok(arns) => arns,
            // It was deleted after it was listed.
            Err(Error::Call { failure, .. }) if failure.is("ClusterNotFoundException") => Vec::new(),
            Err(error) => {
                gaps.push(format!("the services of {cluster} could not be listed: {error}"));
                Vec::new()
            }
        };
        for arns in arns.chunks(DESCRIBED_AT_ONCE) {
            match self.aws.describe_services(self.region, cluster, arns, self.until).await {
                Ok(answer) => {
                    // MISSING: it was deleted after it was listed.
                    let failures = answer.failures.iter();
                    let failed = failures.filter(|failure| failure.reason.as_deref() != Some("MISSING"));
                    gaps.extend(failed.map(|failure| {
                        let arn = failure.arn.as_ref().filter(|arn| arns.contains(arn));
                        let reason = failure.reason.as_deref().unwrap_or("unknown");
                        let what = arn.map_or(cluster, String::as_str);
                        format!("{what} could not be described: {}", word(reason))
                    }));
                    described.extend(answer.services);
                }
                Err(error) => {
                    gaps.extend(arns.iter().map(|arn| format!("{arn} could not be described: {error}")));
                }
            }
        }
        (described, gaps)
    }

    async fn services(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let mut arns = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.aws.list_services(self.region, cluster, token.as_deref(), self.until).await?;
            arns.extend(page.arns);
            token = page.next;
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    /// Fills the cache; returns what could not be read.
    async fn read_task_definitions(&self, mut wanted: BTreeSet<String>) -> BTreeSet<String> {
        {
            let known = self.cache.lock();
            wanted.retain(|arn| !known.contains_key(arn));
        }
        let calls = wanted.iter().map(|arn| self.aws.task_definition(self.region, arn, self.until));
        let read = parallel(calls, PARALLEL).await;
        let mut known = self.cache.lock();
        let mut unread = BTreeSet::new();
        for (arn, references) in wanted.into_iter().zip(read) {
            match references {
                Ok(references) => {
                    known.insert(arn, references.into());
                }
                Err(_) => {
                    unread.insert(arn);
                }
            }
        }
        unread
    }
}

impl Landscape {
    fn gap(&mut self, what: String) {
        self.gaps.insert(what);
    }
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Definitions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service with what its task definitions refer to, as far as they are known; each reference once.
fn complete(service: Described, definitions: &Definitions) -> Service {
    let defined = || service.task_definitions.iter().filter_map(|arn| definitions.get(arn));
    let all = defined().flat_map(|known| known.references.iter()).chain(&service.references);
    let all: BTreeSet<(ReferenceKind, Untrusted)> =
        all.map(|reference| (reference.kind, reference.value.clone())).collect();
    Service {
        findings: defined().flat_map(|known| known.findings.clone()).chain(service.findings.clone()).collect(),
        roles: defined().filter_map(|known| known.role.clone()).collect(),
        references: all.into_iter().map(|(kind, value)| Reference { kind, value }).collect(),
        arn: service.arn,
        cluster: service.cluster,
        status: service.status,
        controller: service.controller,
        managed: service.managed,
        primary: service.primary,
        tags: service.tags,
    }
}

#[cfg(test)]
mod tests {
    use responder_core::service::ReferenceKind::{ContainerSecret, LogSecret, ServiceConnectSecret};

    use super::*;
    use crate::fake::{Fake, block_on};

    fn reference(kind: ReferenceKind, value: &str) -> Reference {
        Reference { kind, value: Untrusted::new(value) }
    }

    fn described(arn: &str, status: &str, definitions: &[&str]) -> Described {
        Described {
            arn: arn.to_owned(),
            cluster: "c".to_owned(),
            status: status.to_owned(),
            controller: "ECS".to_owned(),
            task_definitions: definitions.iter().map(|arn| (*arn).to_owned()).collect(),
            references: vec![reference(ServiceConnectSecret, "mesh")],
            ..Described::default()
        }
    }

    fn landscape(aws: &Fake, cache: &Cache) -> Landscape {
        let region = Region::of("us-west-2").unwrap();
        block_on(Discovery { aws, region: &region, cache, until: Timestamp::default() }.landscape())
    }

    #[test]
    fn a_service_refers_to_what_it_and_its_task_definitions_refer_to_each_once() {
        let services = vec![described("web", "ACTIVE", &["web:1", "web:2"])];
        let old = vec![reference(ContainerSecret, "b"), reference(LogSecret, "a")];
        let new = vec![reference(ContainerSecret, "b"), reference(ContainerSecret, "a")];
        let aws = Fake {
            clusters: BTreeMap::from([("c".to_owned(), services)]),
            definitions: BTreeMap::from([("web:1".to_owned(), old), ("web:2".to_owned(), new)]),
            ..Fake::default()
        };
        let cache = Cache::default();
        let land = landscape(&aws, &cache);
        let expected = [
            reference(ContainerSecret, "a"),
            reference(ContainerSecret, "b"),
            reference(LogSecret, "a"),
            reference(ServiceConnectSecret, "mesh"),
        ];
        assert_eq!(land.services.as_ref().unwrap()[0].references, expected);
        assert!(land.gaps.is_empty());
        // A process reads a revision once.
        let read = || aws.calls.borrow().iter().filter(|call| **call == "DescribeTaskDefinition").count();
        assert_eq!((landscape(&aws, &cache), read()), (land, 2));
    }

    #[test]
    fn every_page_and_every_ten_are_asked_for_and_what_is_hidden_is_a_gap() {
        let many = (0..23).map(|n| described(&format!("s{n:02}"), "ACTIVE", &[])).collect();
        let some = vec![
            described("here", "ACTIVE", &["here:1"]),
            described("deleted", "MISSING", &[]),
            described("hidden", "NOT <b>", &[]),
        ];
        let clusters = BTreeMap::from([("many".to_owned(), many), ("some".to_owned(), some)]);
        let aws = Fake { clusters, ..Fake::default() };
        let land = landscape(&aws, &Cache::default());
        let services = land.services.unwrap();
        let arns: Vec<&str> = services.iter().map(|service| service.arn.as_str()).collect();
        assert_eq!((arns.len(), arns[0], arns[22], arns[23]), (24, "s00", "s22", "here"));
        let gaps =
            ["hidden could not be described: NOTb", "the task definition here:1 of here could not be read"];
        assert_eq!(land.gaps.iter().map(String::as_str).collect::<Vec<_>>(), gaps);
        let calls = aws.calls.borrow();
        let count = |operation| calls.iter().filter(|call| **call == operation).count();
        assert_eq!((count("ListClusters"), count("ListServices"), count("DescribeServices")), (2, 2, 4));
    }
}
