//! What ECS answers, as far as it matters here.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::service::{Deployment, Reference};

/// A page of ARNs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The ARNs.
    pub arns: Vec<String>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// An answer of `DescribeServices`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptions {
    /// What could be described.
    pub services: Vec<Described>,
    /// What could not.
    pub failures: Vec<Undescribed>,
}

/// A service as ECS describes it: what its task definitions refer to is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its ARN.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// The deployment controller: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: String,
    /// The PRIMARY deployment or task set.
    pub primary: Option<Deployment>,
    /// The service's tags.
    pub tags: BTreeMap<String, String>,
    /// The ARNs of the task definitions that its tasks may run now.
    pub task_definitions: BTreeSet<String>,
    /// What the service itself refers to.
    pub references: Vec<Reference>,
}

/// A service that could not be described (API reference of ECS: `Failure`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undescribed {
    /// Its ARN.
    pub arn: Option<String>,
    /// Why, such as `MISSING`.
    pub reason: Option<String>,
}
