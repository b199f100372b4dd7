//! Links into the AWS console, in the partition of the Region. Values from outside are percent-encoded.

use std::fmt::Write as _;

use crate::aws::arn::find_partition;
use crate::time::Timestamp;

/// The console of a Region.
#[derive(Clone, Copy, Debug)]
pub(super) struct AwsConsole<'r> {
    region: &'r str,
    host: &'static str,
}

impl<'r> AwsConsole<'r> {
    /// The console of a Region; `None` in partitions whose consoles have no public address.
    pub(super) fn for_region(region: &'r str) -> Option<Self> {
        let host = match find_partition(region) {
            "aws" => "console.aws.amazon.com",
            "aws-cn" => "console.amazonaws.cn",
            "aws-us-gov" => "console.amazonaws-us-gov.com",
            _ => return None,
        };
        Some(Self { region, host })
    }

    /// `CloudTrail`'s event history, by one attribute and between two instants.
    pub(super) fn events_url(
        self,
        attribute: &str,
        value: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> String {
        let value = percent_encode(value);
        let from = percent_encode(&from.to_string());
        let to = percent_encode(&to.to_string());
        let path = format!("cloudtrailv2/home?region={}", self.region);
        self.regional_url(&format!("{path}#/events?{attribute}={value}&StartTime={from}&EndTime={to}"))
    }

    /// A secret, by name or ARN.
    pub(super) fn secret_url(self, name: &str) -> String {
        self.regional_url(&format!(
            "secretsmanager/secret?name={}&region={}",
            percent_encode(name),
            self.region
        ))
    }

    /// A log group. `CloudWatch`'s console wants its name encoded twice, with `$` for the second `%`.
    pub(super) fn logs_url(self, group: &str) -> String {
        let group = percent_encode(&percent_encode(group)).replace('%', "$");
        self.regional_url(&format!(
            "cloudwatch/home?region={}#logsV2:log-groups/log-group/{group}",
            self.region
        ))
    }

    /// A service of ECS.
    pub(super) fn service_url(self, cluster: &str, service: &str) -> String {
        let cluster = percent_encode(cluster);
        let service = percent_encode(service);
        self.regional_url(&format!(
            "ecs/v2/clusters/{cluster}/services/{service}/health?region={}",
            self.region
        ))
    }

    /// A role; IAM has no Region.
    pub(super) fn role_url(self, name: &str) -> String {
        format!("https://{}/iam/home#/roles/details/{}", self.host, percent_encode(name))
    }

    fn regional_url(self, path: &str) -> String {
        format!("https://{}.{}/{path}", self.region, self.host)
    }
}

/// How much of a value a link holds: a mail reader takes longer ones for text.
const LINK_VALUE_MAX_BYTES: usize = 600;

/// Writes everything but letters, digits, `-`, `.` and `_` as `%XX` (RFC 3986, which leaves `~`, too; in chats a `~` strikes
/// text out).
fn percent_encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes().take(LINK_VALUE_MAX_BYTES) {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_host() {
        let link = |region| AwsConsole::for_region(region).map(|console| console.secret_url("prod/db"));
        let path = "secretsmanager/secret?name=prod%2Fdb&region";
        assert_eq!(
            link("us-west-2").unwrap(),
            format!("https://us-west-2.console.aws.amazon.com/{path}=us-west-2")
        );
        assert_eq!(
            link("cn-north-1").unwrap(),
            format!("https://cn-north-1.console.amazonaws.cn/{path}=cn-north-1")
        );
        assert_eq!(
            link("us-gov-west-1").unwrap(),
            format!("https://us-gov-west-1.console.amazonaws-us-gov.com/{path}=us-gov-west-1")
        );
        assert_eq!(link("us-iso-east-1"), None);
    }

    #[test]
    fn names_are_encoded_as_each_page_of_the_console_wants_them() {
        let console = AwsConsole::for_region("us-west-2").unwrap();
        let logs = "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Frotate-db";
        assert!(
            console.logs_url("/aws/lambda/rotate-db").ends_with(logs),
            "{}",
            console.logs_url("/aws/lambda/rotate-db")
        );
        let hostile = console.secret_url("a b&x=<!channel>\u{202e}#'");
        assert!(hostile.contains("name=a%20b%26x%3D%3C%21channel%3E%E2%80%AE%23%27&region="), "{hostile}");
        let at = Timestamp::from_millis(0);
        let events = console.events_url("AccessKeyId", "ASIAX", (at, at));
        let times = "StartTime=1970-01-01T00%3A00%3A00Z&EndTime=1970-01-01T00%3A00%3A00Z";
        assert!(events.ends_with(&format!("#/events?AccessKeyId=ASIAX&{times}")), "{events}");
    }
}
