//! The trail records reads, nobody can change what it wrote unseen, and the queries find it.

use serde_json::json;

use super::super::Finding;
use super::super::view::{View, expect};
use super::{VERSION, count};

pub(super) fn check(view: &View, found: &mut Vec<Finding>) {
    count(
        view,
        &[
            ("AWS::KMS::Key", 1),
            ("AWS::S3::Bucket", 2),
            ("AWS::S3::BucketPolicy", 2),
            ("AWS::CloudTrail::Trail", 1),
            ("AWS::Athena::WorkGroup", 1),
            ("AWS::Athena::NamedQuery", 5),
            ("AWS::Glue::Database", 1),
            ("AWS::Glue::Table", 1),
        ],
        found,
    );
    let (region, account) = (&view.place.region, &view.place.account);
    let us = view.arn("cloudtrail", &format!("trail/{}", view.prefix));
    let from_us = json!({"StringEquals": {"aws:SourceArn": us}});
    let trail = json!({"Service": "cloudtrail.amazonaws.com"});
    let any_trail = format!("arn:{}:cloudtrail:*:{account}:trail/*", view.place.partition);
    let key = json!({"Version": VERSION, "Statement": [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": view.global("iam", "root")}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "TrailEncrypts", "Effect": "Allow", "Principal": trail, "Action": "kms:GenerateDataKey*", "Resource": "*", "Condition":
            {"StringEquals": {"aws:SourceArn": us}, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": any_trail}}},
        {"Sid": "TrailDescribes", "Effect": "Allow", "Principal": trail, "Action": "kms:DescribeKey", "Resource": "*", "Condition": from_us},
    ]});
    for (id, found_key) in view.of_type("AWS::KMS::Key") {
        expect(found_key["KeyPolicy"] == key, id, format_args!("`KeyPolicy` must be {key}"), found);
        let kept = view
            .all()
            .get(id)
            .is_some_and(|key| key["DeletionPolicy"] == "Retain" && key["UpdateReplacePolicy"] == "Retain");
        expect(kept, id, "what it encrypted cannot be read without it: keep it", found);
    }
    let of = |name: &str| format!("{}-{name}-{account}-{region}", view.prefix);
    for name in ["trail", "queries"] {
        let arn = format!("arn:{}:s3:::{}", view.place.partition, of(name));
        let mut statements = Vec::new();
        if name == "trail" {
            statements.push(json!({"Sid": "TrailLooks", "Effect": "Allow", "Principal": trail, "Action": "s3:GetBucketAcl", "Resource": arn, "Condition": from_us}));
            let written =
                json!({"StringEquals": {"aws:SourceArn": us, "s3:x-amz-acl": "bucket-owner-full-control"}});
            statements.push(
                json!({"Sid": "TrailWrites", "Effect": "Allow", "Principal": trail, "Action": "s3:PutObject",
                "Resource": format!("{arn}/AWSLogs/{account}/*"), "Condition": written}),
            );
        }
        statements.push(json!({"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}));
        let policy = view.find("AWS::S3::BucketPolicy", "Bucket", &of(name)).cloned().unwrap_or_default();
        let wanted = json!({"Version": VERSION, "Statement": statements});
        expect(
            policy["PolicyDocument"] == wanted,
            name,
            format_args!("the bucket's policy must be {wanted}"),
            found,
        );
        let bucket = view.find("AWS::S3::Bucket", "BucketName", &of(name)).cloned().unwrap_or_default();
        let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().cloned().unwrap_or_default();
        let ends = rules.iter().any(|rule| {
            rule["Status"] == "Enabled"
                && rule["ExpirationInDays"].as_i64() >= Some(30)
                && rule.pointer("/NoncurrentVersionExpiration/NoncurrentDays").is_some()
        });
        expect(ends, name, "what is in the bucket must end, and not too soon", found);
        let key = bucket.pointer("/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID");
        expect(
            key.is_some_and(|key| *key == view.arn("kms", "key/TrailKey")),
            name,
            "the bucket must use the trail's key",
            found,
        );
    }
    for (id, trail) in view.of_type("AWS::CloudTrail::Trail") {
        expect(trail["S3BucketName"] == of("trail"), id, "it must write to its bucket", found);
        expect(trail["KMSKeyId"] == view.arn("kms", "key/TrailKey"), id, "it must use its key", found);
    }
    for (id, query) in view.of_type("AWS::Athena::NamedQuery") {
        let text = query["QueryString"].as_str().unwrap_or_default();
        expect(
            text.contains("FROM cloudtrail") && text.contains("day BETWEEN"),
            id,
            "a query must name its days, or it reads everything",
            found,
        );
        expect(
            query["WorkGroup"] == "WorkGroup" && query["Database"] == "Database",
            id,
            "a query belongs to the work group",
            found,
        );
    }
    for (id, group) in view.of_type("AWS::Athena::WorkGroup") {
        let output = &group["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"];
        expect(
            *output == format!("s3://{}/", of("queries")),
            id,
            "answers must go to the bucket for them",
            found,
        );
    }
    for (id, table) in view.of_type("AWS::Glue::Table") {
        let (input, at) =
            (&table["TableInput"], format!("s3://{}/AWSLogs/{account}/CloudTrail/", of("trail")));
        let template = input["Parameters"]["storage.location.template"].as_str().unwrap_or_default();
        expect(
            template == format!("{at}${{region}}/${{day}}"),
            id,
            "partitions must be where the trail writes them",
            found,
        );
        expect(
            input["StorageDescriptor"]["Location"] == at,
            id,
            "the table must be where the trail writes",
            found,
        );
        expect(
            input["PartitionKeys"]
                == json!([{"Name": "region", "Type": "string"}, {"Name": "day", "Type": "string"}]),
            id,
            "partitions are Regions and days",
            found,
        );
        for kind in [
            "region.type",
            "region.values",
            "day.type",
            "day.format",
            "day.range",
            "day.interval",
            "day.interval.unit",
        ] {
            expect(
                input["Parameters"][format!("projection.{kind}")].is_string(),
                id,
                format_args!("no projection.{kind}"),
                found,
            );
        }
    }
}
