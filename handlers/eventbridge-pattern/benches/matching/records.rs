//! CloudTrail records as EventBridge delivers them, 1.8 KB each and all different.

/// How many records there are; together they exceed the first-level cache of a processor.
const RECORD_COUNT: usize = 256;

/// The calls of a busy account. Few of them are about a secret.
const CALLS: [(&str, &str); 8] = [
    ("ec2", "DescribeInstances"),
    ("sts", "AssumeRole"),
    ("s3", "GetBucketAcl"),
    ("kms", "Decrypt"),
    ("dynamodb", "DescribeTable"),
    ("logs", "CreateLogStream"),
    ("ecs", "DescribeServices"),
    ("secretsmanager", "GetSecretValue"),
];

/// The records, as JSON texts.
pub(crate) fn cloudtrail_records() -> Vec<String> {
    let mut records = Vec::with_capacity(RECORD_COUNT);
    for index in 0..RECORD_COUNT {
        records.push(cloudtrail_record(index));
    }
    records
}

/// One record. Its index decides which call it is, by whom, and whether the call failed.
fn cloudtrail_record(index: usize) -> String {
    let (service, call) = CALLS[index * 5 % CALLS.len()];
    let role = format!("app-{}", index % 17);
    let session = format!("{:032x}", index * 7_919);
    let error = if index.is_multiple_of(11) { r#""errorCode":"AccessDenied","# } else { "" };
    let id = format!("{:08x}-1111-4222-8333-{:012x}", index * 31, index * 104_729);
    format!(
        r#"{{"version":"0","id":"{id}","detail-type":"AWS API Call via CloudTrail","source":"aws.{service}","account":"111122223333","time":"2026-03-01T12:{:02}:{:02}Z","region":"eu-central-1","resources":[],"detail":{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE{index:03}:{session}","arn":"arn:aws:sts::111122223333:assumed-role/{role}/{session}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLEEXAMPLE{index:03}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE{index:03}","arn":"arn:aws:iam::111122223333:role/{role}","accountId":"111122223333","userName":"{role}"}},"attributes":{{"creationDate":"2026-03-01T11:58:02Z","mfaAuthenticated":"false"}}}},"inScopeOf":{{"issuerType":"AWS::ECS::Task","credentialsIssuedTo":"arn:aws:ecs:eu-central-1:111122223333:task/production/{session}"}}}},"eventTime":"2026-03-01T12:{:02}:{:02}Z","eventSource":"{service}.amazonaws.com","eventName":"{call}","awsRegion":"eu-central-1","sourceIPAddress":"10.{}.{}.17","userAgent":"aws-sdk-rust/1.3.9 ua/2.1 api/{service}#1.71.0 os/linux lang/rust#1.88.0 exec-env/AWS_ECS_FARGATE",{error}"requestParameters":{{"secretId":"prod/service-{}/database","filters":[{{"key":"name","values":["prod/","stage/"]}},{{"key":"tag-key","values":["team"]}}],"maxResults":100}},"responseElements":null,"requestID":"{id}","eventID":"{id}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.eu-central-1.amazonaws.com"}}}}}}"#,
        index / 60 % 60,
        index % 60,
        index / 60 % 60,
        index % 60,
        index % 200,
        index % 250,
        index % 40,
    )
}
