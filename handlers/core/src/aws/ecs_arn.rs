//! The ARNs of ECS services and clusters, as types.

use super::arn::Arn;
use crate::string_type::string_types;

string_types! {
    /// The ARN of an ECS service, as AWS or an event says it: not checked.
    ServiceArn;
    /// The ARN of an ECS cluster, as AWS or an event says it: not checked.
    ClusterArn;
}

impl ServiceArn {
    /// The Region and the account of the service; empty if this is no ARN of ECS.
    pub fn region_and_account(&self) -> (&str, &str) {
        match Arn::parse_for_service("ecs", self) {
            Some(arn) => (arn.region, arn.account),
            None => ("", ""),
        }
    }
}
