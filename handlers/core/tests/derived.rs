//! The derived attributes: what each says, what is almost that, and what an attacker sends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use responder_core::enrichment::derive;
use responder_core::event::Event;
use responder_core::facts::Facts;
use serde_json::{Value, json};

const TASK: &str = "0123456789abcdef0123456789abcdef";
const ROLE: &str = "arn:aws:iam::111122223333:role/team/app-execution";

/// A read by an ECS execution role, with other fields of the detail in place of its own.
fn event(detail: &Value) -> Event {
    let mut root = json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "detail": {"eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-02T12:00:00Z", "eventID": "e",
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": "prod/db"}, "tlsDetails": {"tlsVersion": "TLSv1.3"},
            "sourceIPAddress": "198.51.100.7", "userAgent": "aws-sdk", "userIdentity": identity(ROLE, TASK)}});
    let fields = root["detail"].as_object_mut().unwrap();
    fields.extend(detail.as_object().unwrap().clone());
    Event::parse(&root.to_string()).unwrap()
}

fn identity(role: &str, session: &str) -> Value {
    let name = role.rsplit('/').next().unwrap();
    json!({"type": "AssumedRole", "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
        "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/{session}"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}})
}

fn facts(value: &Value) -> Facts {
    serde_json::from_value(value.clone()).unwrap()
}

fn settings(value: &Value) -> Facts {
    facts(&json!({ "settings": value }))
}

/// The attribute, or the empty word.
fn word(pointer: &str, detail: &Value, facts: &Facts) -> String {
    let derived = derive(&event(detail), facts);
    derived.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn plain(pointer: &str, detail: &Value) -> String {
    word(pointer, detail, &Facts::default())
}

fn secret(id: &str) -> Value {
    json!({"requestParameters": {"secretId": id}})
}

#[test]
fn production_is_what_the_names_say() {
    let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prd/db-a1B2c3";
    for (id, expected) in [
        ("prod/db", "production"),
        (arn, "production"),
        ("production/a/b", "production"),
        ("prod", "other"),
        ("preprod/db", "other"),
        ("Prod/db", "other"),
        ("product/db", "other"),
    ] {
        assert_eq!(plain("/secret/environment", &secret(id)), expected, "{id}");
    }
    assert_eq!(plain("/secret/environment", &json!({"requestParameters": null})), "", "nobody knows which");
    let batch = |ids: Value| json!({"eventName": "BatchGetSecretValue", "requestParameters": ids});
    assert_eq!(
        plain("/secret/environment", &batch(json!({"secretIdList": ["dev/a", "prd/b"]}))),
        "production"
    );
    assert_eq!(
        plain("/secret/environment", &batch(json!({"filters": [{"key": "all", "values": ["x"]}]}))),
        ""
    );
    let own = settings(&json!({"production": {"secrets": ["live-*-db"]}}));
    assert_eq!(word("/secret/environment", &secret("live-eu-db"), &own), "production");
    assert_eq!(word("/secret/environment", &secret("prod/db"), &own), "other");
}

#[test]
fn a_decoy_is_named_or_is_no_decoy() {
    let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:admin/root-zzZZ99";
    let decoys = settings(&json!({"decoys": ["admin/backup", arn]}));
    let full = "arn:aws:secretsmanager:us-west-2:111122223333:secret:admin/backup-a1B2c3";
    for id in ["admin/backup", full, "admin/root", arn] {
        assert_eq!(word("/secret/decoy", &secret(id), &decoys), "yes", "{id}");
    }
    let elsewhere = arn.replace("us-west-2", "eu-west-1");
    for id in ["admin/backup2", "admin", "admin/backup-a1B2c3", elsewhere.as_str()] {
        assert_eq!(word("/secret/decoy", &secret(id), &decoys), "", "{id}");
    }
    assert_eq!(plain("/secret/decoy", &secret("admin/backup")), "");
    // A refused call names its target in the error only.
    let refused = json!({"requestParameters": null, "errorCode": "AccessDenied",
        "errorMessage": "User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: admin/backup because"});
    assert_eq!(word("/secret/decoy", &refused, &decoys), "yes");
}

#[test]
fn a_service_calls_from_where_it_is_and_without_tls() {
    let call = |host: &str, from: &str, tls: Value| {
        let mut identity = identity(ROLE, "s");
        identity["invokedBy"] = json!(host);
        json!({"userIdentity": identity, "sourceIPAddress": from, "tlsDetails": tls})
    };
    let (host, secrets) = ("cloudformation.amazonaws.com", "secretsmanager.amazonaws.com");
    assert_eq!(plain("/caller/kind", &call(host, host, Value::Null)), "service");
    for near in [
        call(host, "198.51.100.7", Value::Null),
        call(host, host, json!({"tlsVersion": "TLSv1.3"})),
        // The children of a batch are the caller's reads.
        call(secrets, secrets, Value::Null),
        call("evil.example", "evil.example", Value::Null),
        call("amazonaws.com.evil.example", "amazonaws.com.evil.example", Value::Null),
        call("AWS Internal", "AWS Internal", Value::Null),
    ] {
        assert_eq!(plain("/caller/kind", &near), "workload", "{near}");
    }
    let itself = json!({"userIdentity": {"type": "AWSService", "invokedBy": host}});
    assert_eq!(plain("/caller/kind", &itself), "service");
    assert_eq!(
        plain("/caller/kind", &json!({"userIdentity": {"type": "AWSService", "invokedBy": secrets}})),
        ""
    );
}

#[test]
fn people_come_by_console_and_identity_center_and_in_roles_of_theirs() {
    let user =
        json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/c", "accountId": "111122223333"});
    let sso =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef";
    let people = settings(&json!({"humans": ["breakglass-*"]}));
    for human in [
        json!({"sessionCredentialFromConsole": "true"}),
        json!({"userIdentity": {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u"}}}),
        json!({"userIdentity": identity(sso, "alice")}),
        json!({"userIdentity": identity("arn:aws:iam::111122223333:role/x/breakglass-eu", "alice")}),
        json!({"userIdentity": user, "signInSessionArn": "arn:aws:signin:x"}),
    ] {
        assert_eq!(word("/caller/kind", &human, &people), "human", "{human}");
    }
    for workload in [
        json!({"userIdentity": user}),
        json!({"sessionCredentialFromConsole": "false"}),
        json!({"userIdentity": identity("arn:aws:iam::111122223333:role/breakglass/app", "s")}),
        json!({"userIdentity": identity("arn:aws:iam::111122223333:role/my-AWSReservedSSO_Admin", "s")}),
    ] {
        assert_eq!(word("/caller/kind", &workload, &people), "workload", "{workload}");
    }
    // The owner's copy of a cross-account call names nobody.
    let copy = json!({"userIdentity": {"type": "AWSAccount", "principalId": "AROAX:s", "accountId": "999988887777"}});
    assert_eq!(plain("/caller/kind", &copy), "");
}

#[test]
fn keys_accounts_and_environments_are_known_or_absent() {
    let with = |name: &str, value: &str| {
        let mut identity = identity(ROLE, "s");
        identity[name] = json!(value);
        json!({ "userIdentity": identity })
    };
    for (key, expected) in
        [("AKIAX", "long-term"), ("ASIAX", "temporary"), ("akiaX", ""), ("XAKIA", ""), ("", "")]
    {
        assert_eq!(plain("/caller/key", &with("accessKeyId", key)), expected, "{key}");
    }
    assert_eq!(plain("/caller/account", &json!({})), "own");
    assert_eq!(plain("/caller/account", &with("accountId", "999988887777")), "foreign");
    let theirs = secret("arn:aws:secretsmanager:us-west-2:999988887777:secret:prod/db-a1B2c3");
    assert_eq!(plain("/caller/account", &theirs), "foreign", "the caller's copy");
    let accounts = settings(&json!({"production": {"accounts": ["111122223333"]}}));
    assert_eq!(word("/caller/environment", &json!({}), &accounts), "production");
    assert_eq!(word("/caller/environment", &with("accountId", "999988887777"), &accounts), "other");
    assert_eq!(plain("/caller/environment", &json!({})), "");
}

#[test]
fn a_tool_is_what_the_caller_says_and_automation_also_what_the_operator_says() {
    let agent = |agent: &str| json!({ "userAgent": agent });
    let terraform =
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.70.0";
    for (text, expected) in [
        (terraform, "terraform"),
        ("secrets-store-csi-driver-provider-aws/1.0.1 aws-sdk-go/1.44", "csi"),
        ("aws-sdk-nodejs configure-aws-credentials-for-github-actions", "ci"),
        ("aws-cli/2.15 md/Botocore#1.34", ""),
        ("terra form", ""),
    ] {
        assert_eq!(plain("/caller/tool", &agent(text)), expected, "{text}");
    }
    let declared = settings(&json!({"automation": ["arn:aws:iam::111122223333:role/team/app-*"]}));
    assert_eq!(word("/caller/automation", &agent(terraform), &declared), "declared");
    assert_eq!(word("/caller/automation", &agent("aws-cli/2.15"), &declared), "");
    assert_eq!(plain("/caller/automation", &agent(terraform)), "");
    let other = json!({"userAgent": terraform, "userIdentity": identity("arn:aws:iam::999988887777:role/team/app-x", "s")});
    assert_eq!(word("/caller/automation", &other, &declared), "");
    // Nobody whom the record does not name is declared, not even by a star.
    let everybody = settings(&json!({"automation": ["*"]}));
    assert_eq!(
        word("/caller/automation", &json!({"userAgent": terraform, "userIdentity": {}}), &everybody),
        ""
    );
}

#[test]
fn a_launch_reads_what_its_role_is_known_to_read_in_a_session_of_a_task() {
    let known = facts(&json!({"launches": {ROLE: ["111122223333/us-west-2/prod/db"]}}));
    let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
    for launch in [json!({}), secret(arn)] {
        assert_eq!(word("/caller/launch", &launch, &known), "yes");
    }
    let other_role = ROLE.replace("app", "web");
    for near in [
        secret("prod/db2"),
        secret(&arn.replace("us-west-2", "eu-west-1")),
        json!({"userIdentity": identity(ROLE, "alice")}),
        json!({"userIdentity": identity(ROLE, &TASK[..31])}),
        json!({"userIdentity": identity(&other_role, TASK)}),
        json!({"eventName": "BatchGetSecretValue", "requestParameters": {"secretIdList": ["prod/db"]}}),
        json!({"requestParameters": null}),
    ] {
        assert_eq!(word("/caller/launch", &near, &known), "", "{near}");
    }
    assert_eq!(plain("/caller/launch", &json!({})), "", "nobody knows the role");
}

#[test]
fn hours_are_those_of_the_place() {
    let berlin = settings(&json!({"business_hours": "Mon-Fri 09:00-17:00 Europe/Berlin"}));
    for (at, expected) in [
        ("2026-03-02T08:00:00Z", "business"),
        ("2026-03-02T07:59:59Z", "off"),
        ("2026-03-07T12:00:00Z", "off"),
    ] {
        assert_eq!(word("/hours", &json!({ "eventTime": at }), &berlin), expected, "{at}");
    }
    assert_eq!(plain("/hours", &json!({})), "");
    assert_eq!(word("/hours", &json!({"eventTime": "then"}), &berlin), "", "nobody knows when");
}

fn policy(text: &str) -> String {
    plain(
        "/policy",
        &json!({"eventName": "PutResourcePolicy", "requestParameters": {"secretId": "prod/db", "resourcePolicy": text}}),
    )
}

fn statement(more: &Value) -> String {
    let mut statement =
        json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

#[test]
fn a_policy_is_public_foreign_or_own() {
    let limited = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    let (theirs, ours) = ("arn:aws:iam::999988887777:root", "arn:aws:iam::111122223333:role/app");
    for (expected, principal) in [
        ("public", json!({"Principal": "*"})),
        ("public", json!({"Principal": {"AWS": "*"}})),
        ("public", json!({"Principal": {"AWS": [ours, "*"]}})),
        ("public", json!({"NotPrincipal": {"AWS": theirs}})),
        ("public", json!({"Principal": "*", "Condition": {}})),
        ("public", json!({"principal": "*"})),
        ("public", json!({})),
        ("foreign", json!({"Principal": {"AWS": theirs}})),
        ("foreign", json!({"Principal": {"AWS": [ours, "999988887777"]}})),
        ("foreign", json!({"Principal": {"Federated": "cognito-identity.amazonaws.com"}})),
        ("own", json!({"Principal": {"AWS": ours}})),
        ("own", json!({"Principal": {"AWS": "111122223333"}})),
        ("own", json!({"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}})),
        ("own", json!({"Principal": {"Service": "ecs.amazonaws.com"}})),
        ("own", json!({"Principal": "*", "Condition": limited})),
        ("own", json!({"Principal": {"AWS": theirs}, "Condition": limited})),
        ("own", json!({"Principal": "*", "Effect": "Deny"})),
    ] {
        assert_eq!(policy(&statement(&principal)), expected, "{principal}");
    }
    let single = statement(&json!({"Principal": "*"})).replace(":[{", ":{").replace("}]", "}");
    assert_eq!(policy(&single), "public", "{single}");
    assert_eq!(plain("/policy", &json!({"requestParameters": {"resourcePolicy": "{}"}})), "", "another call");
    assert_eq!(plain("/policy", &json!({"eventName": "PutResourcePolicy", "requestParameters": null})), "");
}

#[test]
fn a_policy_that_nobody_can_read_counts_as_public() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = statement(&json!({"Principal": {"AWS": "111122223333"}})).replace("\"*\"", &deep);
    let twice = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Principal":{"AWS":"111122223333"}}]}"#;
    let hidden = r#"{"Statement":[{"Effect":"Allow","Principal":"*"}],"statement":[]}"#;
    for text in [
        "",
        "hello",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        r#"{"Statement":[]}"#,
        r#"{"Statement":[7]}"#,
        &deep,
        &nested,
        twice,
        hidden,
    ] {
        assert_eq!(policy(text), "public", "{}", &text[..text.len().min(80)]);
    }
    let own = json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}});
    let huge = json!({"Statement": vec![own; 20_000]}).to_string();
    assert_eq!(policy(&huge), "own", "{} bytes", huge.len());
}

#[test]
fn a_key_of_another_account_and_an_old_version_are_told() {
    let key = |parameters: Value| json!({"eventName": "UpdateSecret", "requestParameters": parameters});
    let arn = "arn:aws:kms:us-west-2:111122223333:key/k";
    let foreign = arn.replace("111122223333", "999988887777");
    for (expected, parameters) in [
        ("own", json!({"secretId": "a", "kmsKeyId": arn})),
        ("own", json!({"secretId": "a", "kmsKeyId": "alias/mine"})),
        ("foreign", json!({"secretId": "a", "kmsKeyId": foreign})),
        (
            "foreign",
            json!({"secretId": "a", "addReplicaRegions": [{"region": "r", "kmsKeyId": arn}, {"kmsKeyId": foreign}]}),
        ),
        ("", json!({"secretId": "a"})),
        ("", json!({"secretId": "a", "kmsKeyId": ""})),
    ] {
        assert_eq!(plain("/kms", &key(parameters.clone())), expected, "{parameters}");
    }
    for (expected, parameters) in [
        ("previous", json!({"versionStage": "AWSPREVIOUS"})),
        ("previous", json!({"versionStage": "AWSPREVIOUS", "versionId": "v"})),
        ("explicit", json!({"versionId": "v"})),
        ("explicit", json!({"versionId": "v", "versionStage": "mine"})),
        ("", json!({"versionId": "v", "versionStage": "AWSPENDING"})),
        ("", json!({"versionId": "v", "versionStage": "AWSCURRENT"})),
        ("", json!({"versionStage": "AWSCURRENT"})),
        ("", json!({})),
    ] {
        assert_eq!(plain("/version", &json!({"requestParameters": parameters})), expected, "{parameters}");
    }
    let label = json!({"eventName": "UpdateSecretVersionStage", "requestParameters": {"versionStage": "AWSPREVIOUS"}});
    assert_eq!(plain("/version", &label), "", "not a read");
}

#[test]
fn a_user_agent_of_ten_kilobytes_and_a_star_for_everything_are_only_words() {
    let stars = format!("{}z", "a*".repeat(200));
    let people = settings(&json!({"humans": [stars], "automation": ["*"], "production": {"secrets": ["*"]}}));
    let agent = format!("{} Terraform/1.9", "a".repeat(10_000));
    let hostile = json!({"userAgent": agent, "userIdentity": identity(&format!("{ROLE}{}b", "a".repeat(10_000)), TASK)});
    assert_eq!(word("/caller/automation", &hostile, &people), "declared");
    assert_eq!(word("/caller/kind", &hostile, &people), "workload");
    assert_eq!(word("/secret/environment", &hostile, &people), "production");
    for wrong in
        [json!({"humans": ["a**"]}), json!({"automation": ["a\\x"]}), json!({"business_hours": "always"})]
    {
        assert!(serde_json::from_value::<Facts>(json!({ "settings": wrong })).is_err(), "{wrong}");
    }
}

/// Whether it is a string, or an object of such.
fn words(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty() && fields.values().all(words),
        other => other.is_string(),
    }
}

proptest! {
    #[test]
    fn whatever_the_fields_hold_all_leaves_are_words(
        texts in proptest::collection::vec(prop_oneof![Just(json!("arn:aws:iam::*:role/x")), Just(json!({"a": [1, null]})),
            Just(Value::Null), any::<String>().prop_map(Value::from), any::<i64>().prop_map(Value::from)], 9),
    ) {
        let detail = json!({"eventName": "PutResourcePolicy", "userAgent": texts[0], "sourceIPAddress": texts[1], "tlsDetails": texts[2],
            "requestParameters": {"resourcePolicy": texts[3], "kmsKeyId": texts[4], "addReplicaRegions": texts[5], "secretId": texts[6]},
            "userIdentity": {"type": texts[7], "accessKeyId": texts[8], "arn": texts[0], "invokedBy": texts[1]}});
        let derived = derive(&event(&detail), &Facts::default());
        prop_assert!(derived.as_object().is_some_and(|fields| fields.values().all(words)), "{}", derived);
    }
}
