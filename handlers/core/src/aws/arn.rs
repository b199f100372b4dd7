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
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        let is_partition = arn.partition == "aws" || arn.partition.starts_with("aws-");
        let is_account = arn.account == "aws" || arn.account.bytes().all(|b| b.is_ascii_digit());
        let is_arn = is_partition && is_account && !arn.service.is_empty() && !arn.resource.is_empty();
        if is_arn { Some(arn) } else { None }
    }

    /// Splits an ARN of one service; `None` for an ARN of another service, too.
    pub fn parse_for_service(service: &str, text: &'a str) -> Option<Self> {
        let arn = Self::parse(text)?;
        if arn.service == service { Some(arn) } else { None }
    }
}

/// The partition of a Region, by the beginning of its name (the SDKs' `partitions.json`).
pub(crate) fn find_partition(region: &str) -> &'static str {
    const PARTITIONS_BY_PREFIX: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    for (prefix, partition) in PARTITIONS_BY_PREFIX {
        if region.starts_with(prefix) {
            return partition;
        }
    }
    "aws"
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn an_arn_of_every_partition_parses() {
        for partition in ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"] {
            let text = format!("arn:{partition}:ecs:us-west-2:111122223333:service/a/b");
            assert_eq!(Arn::parse(&text).unwrap().partition, partition);
        }
    }

    #[test]
    fn a_text_that_is_no_arn_is_refused() {
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
        assert_eq!(Arn::parse_for_service("secretsmanager", "arn:aws:ecs:r:1:x"), None);
    }
}
