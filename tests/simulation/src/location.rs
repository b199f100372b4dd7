//! An account and a Region, and the ARNs of what is in them.

/// A Region of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsLocation {
    /// The account: twelve digits.
    pub account: String,
    /// The Region's name, such as `us-east-1`.
    pub region: String,
}

impl AwsLocation {
    /// A Region of an account.
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned() }
    }

    /// The ARN of a resource of a service in this location.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

/// The account in which everything is, unless a test says otherwise.
pub const HOME_ACCOUNT: &str = "111122223333";
/// The Region in which everything is, unless a test says otherwise.
pub const HOME_REGION: &str = "us-west-2";
