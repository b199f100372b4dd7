//! The trail: it records reads, its records cannot be changed unseen, and the queries find them.

use serde_json::{Value, json};

use super::access::{account_key_statement, require_key_to_be_kept};
use super::template_check::TemplateCheck;
use crate::json::{list_items, read_text};
use crate::resource_policy::POLICY_VERSION;

/// How Athena finds the partitions of the table: properties of the projection, after `projection.`.
const PROJECTION_PROPERTIES: [&str; 7] = [
    "region.type",
    "region.values",
    "day.type",
    "day.format",
    "day.range",
    "day.interval",
    "day.interval.unit",
];

/// Checks the trail with its key, buckets and queries.
pub(super) fn check_trail(check: &mut TemplateCheck<'_>) {
    for (kind, count) in [
        ("AWS::KMS::Key", 1),
        ("AWS::S3::Bucket", 2),
        ("AWS::S3::BucketPolicy", 2),
        ("AWS::CloudTrail::Trail", 1),
        ("AWS::Athena::WorkGroup", 1),
        ("AWS::Athena::NamedQuery", 5),
        ("AWS::Glue::Database", 1),
        ("AWS::Glue::Table", 1),
    ] {
        check.require_count(kind, count);
    }
    check_key(check);
    check_bucket(check, "trail");
    check_bucket(check, "queries");
    let template = check.template;
    for (id, trail) in template.resources_of_type("AWS::CloudTrail::Trail") {
        check.require_value(id, trail, "S3BucketName", bucket_name(check, "trail"));
        check.require_value(id, trail, "KMSKeyId", template.arn("kms", "key/TrailKey"));
    }
    check_queries(check);
}

fn bucket_name(check: &TemplateCheck<'_>, name: &str) -> String {
    let site = &check.template.site;
    format!("{}-{}-{}", check.template.prefixed(name), site.account, site.region)
}

fn trail_arn(check: &TemplateCheck<'_>) -> String {
    check.template.arn("cloudtrail", &format!("trail/{}", check.template.prefix))
}

fn check_key(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    let trail = trail_arn(check);
    let any_trail = format!("arn:{}:cloudtrail:*:{}:trail/*", template.site.partition, template.site.account);
    let wanted = json!({"Version": POLICY_VERSION, "Statement": [
        account_key_statement(template),
        {"Sid": "TrailEncrypts", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
         "Action": "kms:GenerateDataKey*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:SourceArn": trail},
            "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": any_trail}}},
        {"Sid": "TrailDescribes", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
         "Action": "kms:DescribeKey", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceArn": trail}}},
    ]});
    for (id, key) in template.resources_of_type("AWS::KMS::Key") {
        check.require_value(id, key, "KeyPolicy", wanted.clone());
        require_key_to_be_kept(check, id);
    }
}

fn check_bucket(check: &mut TemplateCheck<'_>, short_name: &str) {
    let template = check.template;
    let name = bucket_name(check, short_name);
    let arn = format!("arn:{}:s3:::{name}", template.site.partition);
    let mut statements = Vec::new();
    if short_name == "trail" {
        let trail = trail_arn(check);
        statements.push(json!({
            "Sid": "TrailLooks", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:GetBucketAcl", "Resource": arn, "Condition": {"StringEquals": {"aws:SourceArn": trail}}
        }));
        statements.push(json!({
            "Sid": "TrailWrites", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": format!("{arn}/AWSLogs/{}/*", template.site.account),
            "Condition": {"StringEquals": {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}}
        }));
    }
    statements.push(json!({
        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, format!("{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    }));
    let policy = template.find_resource("AWS::S3::BucketPolicy", "Bucket", &name).unwrap_or(&Value::Null);
    let wanted = json!({"Version": POLICY_VERSION, "Statement": statements});
    check.require_value(short_name, policy, "PolicyDocument", wanted);
    let bucket = template.find_resource("AWS::S3::Bucket", "BucketName", &name).unwrap_or(&Value::Null);
    let mut expires = false;
    for rule in list_items(&bucket["LifecycleConfiguration"]["Rules"]) {
        expires |= rule["Status"] == "Enabled"
            && rule["ExpirationInDays"].as_i64() >= Some(30)
            && rule.pointer("/NoncurrentVersionExpiration/NoncurrentDays").is_some();
    }
    check.require(expires, short_name, "the bucket's objects must expire, after 30 days at the earliest");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    let key = &encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"];
    let uses_key = *key == template.arn("kms", "key/TrailKey");
    check.require(uses_key, short_name, "the bucket must use the trail's key");
}

fn check_queries(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    for (id, query) in template.resources_of_type("AWS::Athena::NamedQuery") {
        let text = read_text(&query["QueryString"]);
        let names_days = text.contains("FROM cloudtrail") && text.contains("day BETWEEN");
        check.require(names_days, id, "a query must name its days, or it reads everything");
        check.require_value(id, query, "WorkGroup", "WorkGroup");
        check.require_value(id, query, "Database", "Database");
    }
    for (id, group) in template.resources_of_type("AWS::Athena::WorkGroup") {
        let output = format!("s3://{}/", bucket_name(check, "queries"));
        let path = "WorkGroupConfiguration/ResultConfiguration/OutputLocation";
        check.require_value(id, group, path, output);
    }
    let records =
        format!("s3://{}/AWSLogs/{}/CloudTrail/", bucket_name(check, "trail"), template.site.account);
    for (id, table) in template.resources_of_type("AWS::Glue::Table") {
        let input = &table["TableInput"];
        let partitions = format!("{records}${{region}}/${{day}}");
        check.require_value(id, input, "Parameters/storage.location.template", partitions);
        check.require_value(id, input, "StorageDescriptor/Location", records.as_str());
        let keys = json!([{"Name": "region", "Type": "string"}, {"Name": "day", "Type": "string"}]);
        check.require_value(id, input, "PartitionKeys", keys);
        for property in PROJECTION_PROPERTIES {
            let is_set = input["Parameters"][format!("projection.{property}")].is_string();
            check.require(is_set, id, format_args!("`projection.{property}` must be set"));
        }
    }
}
