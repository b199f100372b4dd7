//! Patterns as a product ships them: on the source, the detail type, the API call and its outcome.

/// A pattern on one API call that succeeded: the shape of most rules on CloudTrail.
pub(crate) const ONE_CALL: &str = r#"{"source":["aws.secretsmanager"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["secretsmanager.amazonaws.com"],"eventName":["GetSecretValue"],"errorCode":[{"exists":false},null]}}"#;

/// Calls of services, each of which becomes a pattern of the shape of [`ONE_CALL`].
const CALLS: [(&str, &str); 16] = [
    ("secretsmanager", r#""GetSecretValue""#),
    ("secretsmanager", r#""BatchGetSecretValue""#),
    ("secretsmanager", r#""ListSecrets""#),
    ("secretsmanager", r#""DeleteSecret""#),
    ("secretsmanager", r#""CancelRotateSecret""#),
    ("secretsmanager", r#""RotateSecret""#),
    ("secretsmanager", r#""PutResourcePolicy","DeleteResourcePolicy""#),
    ("secretsmanager", r#""CreateSecret","UpdateSecret","ReplicateSecretToRegions""#),
    ("secretsmanager", r#""RemoveRegionsFromReplication","StopReplicationToReplica""#),
    ("lambda", r#"{"prefix":"UpdateFunctionCode"},{"prefix":"UpdateFunctionConfiguration"}"#),
    ("cloudtrail", r#""DeleteTrail","PutEventSelectors","StopLogging","UpdateTrail""#),
    ("events", r#""DeleteRule","DisableRule","PutRule","RemoveTargets""#),
    ("kms", r#"{"anything-but":["Decrypt","Encrypt","GenerateDataKey"]}"#),
    ("iam", r#"{"wildcard":"*AccessKey*"}"#),
    ("sns", r#""DeleteTopic","Unsubscribe""#),
    ("sqs", r#""DeleteQueue","PurgeQueue""#),
];

/// Patterns of other shapes: service events, `$or`, addresses, numbers, arrays of objects.
const OTHERS: [&str; 14] = [
    r#"{"source":["aws.secretsmanager"],"detail-type":["AWS Service Event via CloudTrail"],"detail":{"eventName":["RotationSucceeded"]}}"#,
    r#"{"source":["aws.secretsmanager"],"detail-type":["AWS Service Event via CloudTrail"],"detail":{"eventName":["RotationFailed","RotationAbandoned"]}}"#,
    r#"{"source":["aws.secretsmanager"],"detail-type":["Secret Label Updated"],"detail":{"labelUpdated":["AWSCURRENT"]}}"#,
    r#"{"source":["aws.ecs"],"detail-type":["ECS Deployment State Change"],"detail":{"eventName":["SERVICE_DEPLOYMENT_IN_PROGRESS","SERVICE_DEPLOYMENT_COMPLETED","SERVICE_DEPLOYMENT_FAILED"]}}"#,
    r#"{"source":["aws.events"],"detail-type":["Scheduled Event"]}"#,
    r#"{"source":["aws.secretsmanager"],"detail":{"errorCode":["AccessDenied","AccessDeniedException"]}}"#,
    r#"{"source":["aws.secretsmanager"],"detail":{"awsRegion":[{"anything-but":["eu-central-1","eu-west-1"]}]}}"#,
    r#"{"detail":{"eventName":["GetSecretValue"],"sourceIPAddress":[{"cidr":"203.0.113.0/24"},{"cidr":"2001:db8::/32"}]}}"#,
    r#"{"detail":{"requestParameters":{"rotationRules":{"automaticallyAfterDays":[{"numeric":[">",90]}]}}}}"#,
    r#"{"detail":{"requestParameters":{"filters":{"key":["name"],"values":[{"anything-but":{"wildcard":["!*",""]}}]}}},"source":["aws.secretsmanager"]}"#,
    r#"{"source":["aws.dynamodb","aws.events","aws.iam"],"detail":{"errorCode":[{"exists":false},null],"$or":[{"eventSource":["dynamodb.amazonaws.com"],"eventName":["DeleteTable"]},{"eventSource":["iam.amazonaws.com"],"eventName":[{"prefix":"Put"}]}]}}"#,
    r#"{"detail":{"requestParameters":{"secretId":[{"prefix":"prod/"},{"wildcard":"arn:aws:secretsmanager:*:secret:prod/*"}]},"eventName":["GetSecretValue"]}}"#,
    r#"{"detail":{"userIdentity":{"type":["IAMUser","Root"]},"eventSource":["secretsmanager.amazonaws.com"]}}"#,
    r#"{"source":[{"prefix":""}],"detail-type":[{"prefix":""}]}"#,
];

/// The given number of patterns. The first 30 have the size and shape of a shipped set; further ones differ in the call they name.
pub(crate) fn pattern_texts(count: usize) -> Vec<String> {
    let mut texts = Vec::with_capacity(count);
    for (service, calls) in CALLS {
        texts.push(format!(
            r#"{{"source":["aws.{service}"],"detail-type":["AWS API Call via CloudTrail"],"detail":{{"eventSource":["{service}.amazonaws.com"],"eventName":[{calls}],"errorCode":[{{"exists":false}},null]}}}}"#
        ));
    }
    for text in OTHERS {
        texts.push(text.to_owned());
    }
    for index in texts.len()..count {
        texts.push(ONE_CALL.replace("GetSecretValue", &format!("GetSecretValue{index}")));
    }
    texts.truncate(count);
    texts
}
