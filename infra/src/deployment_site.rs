//! Where a template is deployed, and with which parameters.

use std::collections::BTreeMap;

/// An account and a Region in which a template is deployed, and the parameters that it is given there.
#[derive(Clone, Debug)]
pub struct DeploymentSite {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The account's id.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The parameters that are given; the others keep their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl DeploymentSite {
    /// A site in the partition `aws` where all parameters keep their defaults.
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            partition: "aws".to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            parameters: BTreeMap::new(),
        }
    }

    /// The same site with a parameter given.
    #[must_use]
    pub fn with_parameter(mut self, parameter: &str, value: &str) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }

    /// The ARN of a resource in this account and Region: `arn("sqs", "my-queue")`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        let Self { partition, region, account, .. } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of a resource that belongs to the account and to no Region, such as a role.
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition, self.account)
    }
}
