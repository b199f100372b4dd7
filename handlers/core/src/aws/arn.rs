//! Amazon Resource Names of every partition.

/// The six parts of an ARN, borrowed from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-iso` and whatever comes next.
    pub partition: &'a str,
    /// The service's namespace, such as `secretsmanager`.
    pub service: &'a str,
    /// The Region; empty for global services.
    pub region: &'a str,
    /// The account id; empty for some resources.
    pub account: &'a str,
    /// Everything after the fifth colon.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` unless it has all six parts, an `aws` partition, and an account that is empty or digits
    /// (or `aws`, which owns managed policies).
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let (partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (account, resource) = (parts.next()?, parts.next()?);
        let fits = (partition == "aws" || partition.starts_with("aws-"))
            && !service.is_empty()
            && !resource.is_empty()
            && (account == "aws" || account.bytes().all(|b| b.is_ascii_digit()));
        fits.then_some(Self { partition, service, region, account, resource })
    }

    /// Parses an ARN and demands its service.
    pub fn of(service: &str, text: &'a str) -> Option<Self> {
        Self::parse(text).filter(|arn| arn.service == service)
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn every_partition_parses() {
        for partition in ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"] {
            let text = format!("arn:{partition}:ecs:us-west-2:111122223333:service/a/b");
            assert_eq!(Arn::parse(&text).unwrap().partition, partition);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in [
            "",
            "arn:",
            "arn:aws:ecs:us-west-2:1",
            "arn:gcp:ecs:r:1:x",
            "arn:aws::r:1:x",
            "arn:aws:ecs:r:one:x",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
        assert_eq!(Arn::of("secretsmanager", "arn:aws:ecs:r:1:x"), None);
    }
}
