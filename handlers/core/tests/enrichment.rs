//! The attributes of an enriched event: cases that have each attribute, near misses, and hostile fields.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use responder_core::enrichment::enrich_event;
use responder_core::event::Event;
use responder_core::facts::Facts;
use serde_json::{Value, json};

const TASK: &str = "0123456789abcdef0123456789abcdef";
const ROLE: &str = "arn:aws:iam::111122223333:role/team/app-execution";

/// A read by an ECS execution role, with other fields of the detail in place of its own.
fn event_with(detail: &Value) -> Event {
    let mut root = json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "detail": {"eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-02T12:00:00Z", "eventID": "e",
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": "prod/db"}, "tlsDetails": {"tlsVersion": "TLSv1.3"},
            "sourceIPAddress": "198.51.100.7", "userAgent": "aws-sdk", "userIdentity": role_session(ROLE, TASK)}});
    let fields = root["detail"].as_object_mut().unwrap();
    fields.extend(detail.as_object().unwrap().clone());
    Event::parse(&root.to_string()).unwrap()
}

fn role_session(role: &str, session: &str) -> Value {
    let name = role.rsplit('/').next().unwrap();
    json!({"type": "AssumedRole", "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
        "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/{session}"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}})
}

fn parse_facts(value: &Value) -> Facts {
    serde_json::from_value(value.clone()).unwrap()
}

fn facts_with_settings(value: &Value) -> Facts {
    parse_facts(&json!({ "settings": value }))
}

/// The attribute, or the empty word.
fn find_word(pointer: &str, detail: &Value, facts: &Facts) -> String {
    let derived = enrich_event(&event_with(detail), facts);
    derived.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn find_word_without_facts(pointer: &str, detail: &Value) -> String {
    find_word(pointer, detail, &Facts::default())
}

fn read_of(id: &str) -> Value {
    json!({"requestParameters": {"secretId": id}})
}

#[test]
fn the_names_of_secrets_decide_what_is_production() {
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
        assert_eq!(find_word_without_facts("/secret/environment", &read_of(id)), expected, "{id}");
    }
    assert_eq!(
        find_word_without_facts("/secret/environment", &json!({"requestParameters": null})),
        "",
        "nobody knows which"
    );
    let batch = |ids: Value| json!({"eventName": "BatchGetSecretValue", "requestParameters": ids});
    assert_eq!(
        find_word_without_facts("/secret/environment", &batch(json!({"secretIdList": ["dev/a", "prd/b"]}))),
        "production"
    );
    assert_eq!(
        find_word_without_facts(
            "/secret/environment",
            &batch(json!({"filters": [{"key": "all", "values": ["x"]}]}))
        ),
        ""
    );
    let own = facts_with_settings(&json!({"production": {"secrets": ["live-*-db"]}}));
    assert_eq!(find_word("/secret/environment", &read_of("live-eu-db"), &own), "production");
    assert_eq!(find_word("/secret/environment", &read_of("prod/db"), &own), "other");
}

#[test]
fn a_secret_is_a_decoy_only_if_the_settings_name_it() {
    let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:admin/root-zzZZ99";
    let decoys = facts_with_settings(&json!({"decoys": ["admin/backup", arn]}));
    let full = "arn:aws:secretsmanager:us-west-2:111122223333:secret:admin/backup-a1B2c3";
    for id in ["admin/backup", full, "admin/root", arn] {
        assert_eq!(find_word("/secret/decoy", &read_of(id), &decoys), "yes", "{id}");
    }
    let elsewhere = arn.replace("us-west-2", "eu-west-1");
    for id in ["admin/backup2", "admin", "admin/backup-a1B2c3", elsewhere.as_str()] {
        assert_eq!(find_word("/secret/decoy", &read_of(id), &decoys), "", "{id}");
    }
    assert_eq!(find_word_without_facts("/secret/decoy", &read_of("admin/backup")), "");
    // A refused call names its target in the error only.
    let refused = json!({"requestParameters": null, "errorCode": "AccessDenied",
        "errorMessage": "User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: admin/backup because"});
    assert_eq!(find_word("/secret/decoy", &refused, &decoys), "yes");
}

#[test]
fn a_service_calls_from_its_own_host_and_without_tls() {
    let call = |host: &str, from: &str, tls: Value| {
        let mut identity = role_session(ROLE, "s");
        identity["invokedBy"] = json!(host);
        json!({"userIdentity": identity, "sourceIPAddress": from, "tlsDetails": tls})
    };
    let (host, secrets) = ("cloudformation.amazonaws.com", "secretsmanager.amazonaws.com");
    let mut without_key = call(host, host, Value::Null);
    without_key["userIdentity"].as_object_mut().unwrap().remove("accessKeyId");
    let linked = "arn:aws:iam::111122223333:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka";
    let linked = json!({"userIdentity": role_session(linked, "s"), "sourceIPAddress": "kafka.amazonaws.com", "tlsDetails": null});
    for service in [without_key, linked] {
        assert_eq!(find_word_without_facts("/caller/kind", &service), "service", "{service}");
        assert_eq!(find_word_without_facts("/caller/through", &service), "", "{service}");
    }
    for (name, host) in [("cloudformation", host), ("ssm", "ssm.amazonaws.com")] {
        assert_eq!(find_word_without_facts("/caller/through", &call(host, host, Value::Null)), name);
    }
    for near in [
        // A call for a caller, who has a key.
        call(host, host, Value::Null),
        call(host, "198.51.100.7", Value::Null),
        call(host, host, json!({"tlsVersion": "TLSv1.3"})),
        // The children of a batch are the caller's reads.
        call(secrets, secrets, Value::Null),
        call("evil.example", "evil.example", Value::Null),
        call("amazonaws.com.evil.example", "amazonaws.com.evil.example", Value::Null),
        call("AWS Internal", "AWS Internal", Value::Null),
    ] {
        assert_eq!(find_word_without_facts("/caller/kind", &near), "workload", "{near}");
    }
    let itself = json!({"userIdentity": {"type": "AWSService", "invokedBy": host}});
    assert_eq!(find_word_without_facts("/caller/kind", &itself), "service");
    assert_eq!(
        find_word_without_facts(
            "/caller/kind",
            &json!({"userIdentity": {"type": "AWSService", "invokedBy": secrets}})
        ),
        ""
    );
}

#[test]
fn people_use_the_console_identity_center_and_roles_for_people() {
    let user =
        json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/c", "accountId": "111122223333"});
    let sso =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef";
    let people = facts_with_settings(&json!({"humans": ["breakglass-*"]}));
    for human in [
        json!({"sessionCredentialFromConsole": "true"}),
        json!({"userIdentity": {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u"}}}),
        json!({"userIdentity": role_session(sso, "alice")}),
        json!({"userIdentity": role_session("arn:aws:iam::111122223333:role/x/breakglass-eu", "alice")}),
        json!({"userIdentity": user, "signInSessionArn": "arn:aws:signin:x"}),
    ] {
        assert_eq!(find_word("/caller/kind", &human, &people), "human", "{human}");
    }
    for workload in [
        json!({"userIdentity": user}),
        json!({"sessionCredentialFromConsole": "false"}),
        json!({"userIdentity": role_session("arn:aws:iam::111122223333:role/breakglass/app", "s")}),
        json!({"userIdentity": role_session("arn:aws:iam::111122223333:role/my-AWSReservedSSO_Admin", "s")}),
    ] {
        assert_eq!(find_word("/caller/kind", &workload, &people), "workload", "{workload}");
    }
    // The owner's copy of a cross-account call names nobody.
    let copy = json!({"userIdentity": {"type": "AWSAccount", "principalId": "AROAX:s", "accountId": "999988887777"}});
    assert_eq!(find_word_without_facts("/caller/kind", &copy), "");
}

#[test]
fn an_unknown_key_account_or_environment_is_absent() {
    let with = |name: &str, value: &str| {
        let mut identity = role_session(ROLE, "s");
        identity[name] = json!(value);
        json!({ "userIdentity": identity })
    };
    for (key, expected) in
        [("AKIAX", "long-term"), ("ASIAX", "temporary"), ("akiaX", ""), ("XAKIA", ""), ("", "")]
    {
        assert_eq!(find_word_without_facts("/caller/key", &with("accessKeyId", key)), expected, "{key}");
    }
    assert_eq!(find_word_without_facts("/caller/account", &json!({})), "own");
    assert_eq!(find_word_without_facts("/caller/account", &with("accountId", "999988887777")), "foreign");
    let theirs = read_of("arn:aws:secretsmanager:us-west-2:999988887777:secret:prod/db-a1B2c3");
    assert_eq!(find_word_without_facts("/caller/account", &theirs), "foreign", "the caller's copy");
    let accounts = facts_with_settings(&json!({"production": {"accounts": ["111122223333"]}}));
    assert_eq!(find_word("/caller/environment", &json!({}), &accounts), "production");
    assert_eq!(find_word("/caller/environment", &with("accountId", "999988887777"), &accounts), "other");
    assert_eq!(find_word_without_facts("/caller/environment", &json!({})), "");
}

#[test]
fn the_caller_claims_a_tool_and_the_operator_declares_automation() {
    let agent = |agent: &str| json!({ "userAgent": agent });
    let terraform =
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.70.0";
    for (text, expected) in [
        (terraform, "terraform"),
        ("secrets-store-csi-driver-provider-aws/1.0.1 aws-sdk-go/1.44", "csi"),
        ("aws-sdk-nodejs configure-aws-credentials-for-github-actions", "ci"),
        ("aws-cli/2.15 md/Botocore#1.34", ""),
        ("pulumi-aws/6.0", "terraform"),
        ("aws-sdk-js github-action/v2", "ci"),
        ("terra form", ""),
    ] {
        assert_eq!(find_word_without_facts("/caller/tool", &agent(text)), expected, "{text}");
    }
    let declared = facts_with_settings(&json!({"automation": ["arn:aws:iam::111122223333:role/team/app-*"]}));
    assert_eq!(find_word("/caller/automation", &agent(terraform), &declared), "declared");
    assert_eq!(
        find_word("/caller/automation", &agent("external-secrets"), &declared),
        "declared",
        "whatever its agent"
    );
    assert_eq!(find_word_without_facts("/caller/automation", &agent(terraform)), "");
    let other = json!({"userAgent": terraform, "userIdentity": role_session("arn:aws:iam::999988887777:role/team/app-x", "s")});
    assert_eq!(find_word("/caller/automation", &other, &declared), "");
    // Nobody whom the record does not name is declared, not even by a star.
    let everybody = facts_with_settings(&json!({"automation": ["*"]}));
    assert_eq!(
        find_word("/caller/automation", &json!({"userAgent": terraform, "userIdentity": {}}), &everybody),
        ""
    );
}

#[test]
fn a_launch_reads_a_known_secret_of_its_role_in_the_session_of_a_task() {
    let known = parse_facts(&json!({"launches": {ROLE: ["111122223333/us-west-2/prod/db"]}}));
    let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
    for launch in [json!({}), read_of(arn)] {
        assert_eq!(find_word("/caller/launch", &launch, &known), "yes");
    }
    let other_role = ROLE.replace("app", "web");
    for near in [
        read_of("prod/db2"),
        read_of(&arn.replace("us-west-2", "eu-west-1")),
        json!({"userIdentity": role_session(ROLE, "alice")}),
        json!({"userIdentity": role_session(ROLE, &TASK[..31])}),
        json!({"userIdentity": role_session(&other_role, TASK)}),
        json!({"eventName": "BatchGetSecretValue", "requestParameters": {"secretIdList": ["prod/db"]}}),
        json!({"requestParameters": null}),
    ] {
        assert_eq!(find_word("/caller/launch", &near, &known), "", "{near}");
    }
    assert_eq!(find_word_without_facts("/caller/launch", &json!({})), "", "nobody knows the role");
}

#[test]
fn business_hours_follow_the_clocks_of_their_time_zone() {
    let berlin = facts_with_settings(&json!({"business_hours": "Mon-Fri 09:00-17:00 Europe/Berlin"}));
    for (at, expected) in [
        ("2026-03-02T08:00:00Z", "business"),
        ("2026-03-02T07:59:59Z", "off"),
        ("2026-03-07T12:00:00Z", "off"),
    ] {
        assert_eq!(find_word("/hours", &json!({ "eventTime": at }), &berlin), expected, "{at}");
    }
    assert_eq!(find_word_without_facts("/hours", &json!({})), "");
    assert_eq!(find_word("/hours", &json!({"eventTime": "then"}), &berlin), "", "nobody knows when");
}

#[test]
fn a_kms_key_of_another_account_is_foreign() {
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
        assert_eq!(find_word_without_facts("/kms", &key(parameters.clone())), expected, "{parameters}");
    }
}

#[test]
fn a_read_of_an_unusual_version_is_previous_or_explicit() {
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
        assert_eq!(
            find_word_without_facts("/version", &json!({"requestParameters": parameters})),
            expected,
            "{parameters}"
        );
    }
    let label = json!({"eventName": "UpdateSecretVersionStage", "requestParameters": {"versionStage": "AWSPREVIOUS"}});
    assert_eq!(find_word_without_facts("/version", &label), "", "not a read");
}

#[test]
fn a_huge_user_agent_and_a_star_for_everything_are_harmless() {
    let stars = format!("{}z", "a*".repeat(200));
    let people = facts_with_settings(
        &json!({"humans": [stars], "automation": ["*"], "production": {"secrets": ["*"]}}),
    );
    let agent = format!("{} Terraform/1.9", "a".repeat(10_000));
    let hostile = json!({"userAgent": agent, "userIdentity": role_session(&format!("{ROLE}{}b", "a".repeat(10_000)), TASK)});
    assert_eq!(find_word("/caller/automation", &hostile, &people), "declared");
    assert_eq!(find_word("/caller/kind", &hostile, &people), "workload");
    assert_eq!(find_word("/secret/environment", &hostile, &people), "production");
    for wrong in
        [json!({"humans": ["a**"]}), json!({"automation": ["a\\x"]}), json!({"business_hours": "always"})]
    {
        assert!(serde_json::from_value::<Facts>(json!({ "settings": wrong })).is_err(), "{wrong}");
    }
}

/// Whether it is a string, or an object of such.
fn has_string_leaves(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty() && fields.values().all(has_string_leaves),
        other => other.is_string(),
    }
}

proptest! {
    #[test]
    fn all_leaves_are_strings_whatever_the_fields_hold(
        texts in proptest::collection::vec(prop_oneof![Just(json!("arn:aws:iam::*:role/x")), Just(json!({"a": [1, null]})),
            Just(Value::Null), any::<String>().prop_map(Value::from), any::<i64>().prop_map(Value::from)], 9),
    ) {
        let detail = json!({"eventName": "PutResourcePolicy", "userAgent": texts[0], "sourceIPAddress": texts[1], "tlsDetails": texts[2],
            "requestParameters": {"resourcePolicy": texts[3], "kmsKeyId": texts[4], "addReplicaRegions": texts[5], "secretId": texts[6]},
            "userIdentity": {"type": texts[7], "accessKeyId": texts[8], "arn": texts[0], "invokedBy": texts[1]}});
        let derived = enrich_event(&event_with(&detail), &Facts::default());
        prop_assert!(derived.as_object().is_some_and(|fields| fields.values().all(has_string_leaves)), "{}", derived);
    }
}
