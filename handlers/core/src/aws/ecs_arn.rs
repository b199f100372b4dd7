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

    /// The ARN in the form that names the cluster, which the form from before 2018 lacks ("ARNs and IDs", ECS developer
    /// guide). A text that is no service's ARN is returned as it is.
    #[must_use]
    pub fn with_cluster(&self, cluster: &ClusterArn) -> Self {
        let arn = Arn::parse_for_service("ecs", self);
        let Some(path) = arn.and_then(|arn| arn.resource.strip_prefix("service/")) else {
            return self.clone();
        };
        let cluster_name = cluster.rsplit('/').next().unwrap_or_default();
        if path.contains('/') || cluster_name.is_empty() {
            return self.clone();
        }
        let prefix = self.strip_suffix(path).unwrap_or(self);
        Self::from(format!("{prefix}{cluster_name}/{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_arn_of_the_old_form_is_completed_by_the_cluster() {
        let short = "arn:aws:ecs:us-west-2:111122223333:service/web";
        let long = "arn:aws:ecs:us-west-2:111122223333:service/shop/web";
        for (arn, cluster, expected) in [
            (short, "arn:aws:ecs:us-west-2:111122223333:cluster/shop", long),
            (short, "shop", long),
            (short, "", short),
            (long, "arn:aws:ecs:us-west-2:111122223333:cluster/other", long),
            ("web", "shop", "web"),
        ] {
            assert_eq!(
                ServiceArn::from(arn).with_cluster(&ClusterArn::from(cluster)),
                ServiceArn::from(expected)
            );
        }
    }
}
