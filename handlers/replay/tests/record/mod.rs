//! Made-up records of CloudTrail.

use serde_json::{Value, json};

/// A record in the shape that CloudTrail gives a read by a user.
pub(crate) fn read(second: usize, secret: usize) -> Value {
    json!({
        "eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
        "awsRegion": "us-west-2", "eventTime": format!("2026-03-01T12:00:{second:02}Z"), "eventID": format!("e-{secret}"),
        "eventType": "AwsApiCall", "managementEvent": true, "readOnly": true, "recipientAccountId": "111122223333",
        "requestParameters": {"secretId": format!("arn:aws:secretsmanager:us-west-2:111122223333:secret:s{secret}-a1B2c3")},
        "responseElements": null, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/c", "accountId": "111122223333"},
    })
}
