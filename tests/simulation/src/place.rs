//! An account and a Region, and the ARNs in them.

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// Such as `us-east-1`.
    pub region: String,
}

impl Place {
    /// A Region of an account.
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned() }
    }

    /// The ARN of a resource here.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}
