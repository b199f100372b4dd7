//! Everyday work: none of it may page.

use responder_core::time::Span;
use serde_json::{Value, json};

use super::caller::{CorpusCaller, TERRAFORM};
use super::class::BehaviourClass;
use super::secret::{CorpusSecret, choose_text};
use super::stage::CorpusStage;

const fn make_class(name: &'static str, about: &'static str, play: fn(&mut CorpusStage)) -> BehaviourClass {
    BehaviourClass { name, is_attack: false, about, play }
}

/// The classes.
pub(super) const CLASSES: [BehaviourClass; 15] = [
    make_class(
        "terraform-refresh",
        "a declared role's Terraform reads 40 secrets, twice",
        play_terraform_refresh,
    ),
    make_class("ci-jobs", "pipelines of one role read a few secrets each", play_ci_jobs),
    make_class("ecs-rollout", "200 tasks start, with 20 secrets each", play_ecs_rollout),
    make_class(
        "own-redeployments",
        "services that share a rotated secret start again",
        play_own_redeployments,
    ),
    make_class(
        "csi-driver",
        "a CSI driver asks for the secrets of its pods again and again",
        play_csi_driver,
    ),
    make_class("api-destinations", "EventBridge reads the secrets of its connections", play_api_destinations),
    make_class("caching-client", "an application reads 9 secrets every 5 minutes", play_caching_client),
    make_class("person-in-the-console", "a person looks at the list and reads three secrets", play_person),
    make_class(
        "rotation-lambda",
        "a rotation function reads and writes the secret that it rotates",
        play_rotation_lambda,
    ),
    make_class("backup-job", "a job lists and describes every secret", play_backup_job),
    make_class(
        "batch-at-start",
        "an application reads its 6 secrets in one batch as it starts",
        play_batch_at_start,
    ),
    make_class(
        "cross-account-reads",
        "an application reads two secrets of another account",
        play_cross_account_reads,
    ),
    make_class(
        "applications-behind-a-nat-gateway",
        "20 to 25 applications with a role each read one secret from one address",
        play_nat_gateway,
    ),
    make_class(
        "administrator-in-two-roles",
        "a person with a source identity reads 2 to 4 secrets with each of two roles",
        play_administrator,
    ),
    make_class("secrets-manager-events", "the events of Secrets Manager's own work", play_own_events),
];

fn open_role_session(stage: &mut CorpusStage, path: &str, name: &str) -> CorpusCaller {
    let account = stage.account.clone();
    let session = stage.random.hex(16);
    CorpusCaller::role(&mut stage.random, &account, path, name, &session)
}

fn describe_secret(stage: &mut CorpusStage, caller: &CorpusCaller, secret: &CorpusSecret) {
    call_about_secret(stage, caller, "DescribeSecret", secret, json!({}));
}

/// A call with a secret's ARN beside other parameters.
fn call_about_secret(
    stage: &mut CorpusStage,
    caller: &CorpusCaller,
    operation: &str,
    secret: &CorpusSecret,
    mut parameters: Value,
) {
    parameters["secretId"] = secret.arn().into();
    stage.record_call(caller, operation, secret.region(), &parameters);
}

fn play_terraform_refresh(stage: &mut CorpusStage) {
    let terraform = open_role_session(stage, "automation/", "terraform-apply").with_agent(TERRAFORM);
    let secrets = stage.make_secrets(40);
    for _ in 0..2 {
        let session = format!("run-{}", stage.random.hex(8));
        let run = terraform.open_session(&mut stage.random, &session);
        for secret in &secrets {
            describe_secret(stage, &run, secret);
            call_about_secret(stage, &run, "GetResourcePolicy", secret, json!({}));
            let current = json!({ "versionStage": "AWSCURRENT" });
            call_about_secret(stage, &run, "GetSecretValue", secret, current);
            stage.wait(50, 300);
        }
        stage.wait(120_000, 1_200_000);
    }
}

fn play_ci_jobs(stage: &mut CorpusStage) {
    let agent = "aws-cli/2.22.12 md/awscrt#0.23.4 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.6 exec-env/GitHubActions";
    let ci = open_role_session(stage, "ci/", "github-actions").with_agent(agent);
    let count = stage.draw_number(3, 8);
    let jobs = stage.draw_number(4, 12);
    let secrets = stage.make_secrets(count);
    for _ in 0..jobs {
        let session = format!("GitHubActions-{}", stage.random.digits(10));
        let job = ci.open_session(&mut stage.random, &session);
        stage.read_secrets(&job, &secrets, 200, 3_000);
        stage.wait(300_000, 2_400_000);
    }
}

fn play_ecs_rollout(stage: &mut CorpusStage) {
    let role = stage.make_execution_role();
    let secrets = stage.make_secrets(20);
    let service = stage.make_service("shop", &role, &secrets);
    for _ in 0..200 {
        stage.launch_task(&service);
        stage.wait(500, 3_000);
    }
}

fn play_own_redeployments(stage: &mut CorpusStage) {
    let role = stage.make_execution_role();
    let shared = stage.make_secrets(1);
    let mut services = Vec::new();
    for name in ["admin", "api", "cron", "jobs", "web", "worker"] {
        let own = stage.make_secrets(3);
        services.push(stage.make_service(name, &role, &[shared.clone(), own].concat()));
    }
    for secret in &shared {
        stage.send_service_event("RotationStarted", secret);
        stage.wait(3_000, 20_000);
        stage.send_label_event(secret);
        stage.wait(1_000, 3_000);
        stage.send_service_event("RotationSucceeded", secret);
    }
    stage.wait(15_000, 40_000);
    for _ in 0..4 {
        for service in &services {
            stage.launch_task(service);
            stage.wait(100, 4_000);
        }
    }
}

fn play_csi_driver(stage: &mut CorpusStage) {
    let agent = "aws-sdk-go/1.55.5 (go1.22.7; linux; amd64) secrets-store-csi-driver-provider-aws/1.0.r2-95";
    let driver = open_role_session(stage, "", "eks-secrets-reader").with_agent(agent);
    let count = stage.draw_number(3, 8);
    let pods = stage.draw_number(2, 5);
    let secrets = stage.make_secrets(count);
    for _ in 0..60 {
        for _ in 0..pods {
            let session = stage.random.digits(19);
            let pod = driver.open_session(&mut stage.random, &session);
            stage.read_secrets(&pod, &secrets, 20, 200);
        }
        stage.wait(100_000, 120_000);
    }
}

fn play_api_destinations(stage: &mut CorpusStage) {
    let events = CorpusCaller::service("apidestinations.events.amazonaws.com");
    let count = stage.draw_number(15, 70);
    for secret in stage.make_secrets(count) {
        call_about_secret(stage, &events, "GetSecretValue", &secret, json!({}));
        stage.wait(20, 2_000);
    }
}

fn play_caching_client(stage: &mut CorpusStage) {
    let app = open_role_session(stage, "apps/", "checkout");
    let secrets = stage.make_secrets(9);
    for _ in 0..72 {
        stage.read_secrets(&app, &secrets, 10, 500);
        stage.wait(295_000, 300_000);
    }
}

fn play_person(stage: &mut CorpusStage) {
    let name = format!("AWSReservedSSO_Operations_{}", stage.random.hex(16));
    let path = format!("aws-reserved/sso.amazonaws.com/{}/", stage.region);
    let account = stage.account.clone();
    let user = choose_text(&mut stage.random, &["ann", "ben", "cleo"]);
    let session = format!("{user}@example.com");
    let person = CorpusCaller::role(&mut stage.random, &account, &path, &name, &session).in_console();
    let secrets = stage.make_secrets(3);
    for secret in &secrets {
        stage.record_call(&person, "ListSecrets", stage.region, &json!({ "maxResults": 100 }));
        stage.wait(2_000, 20_000);
        describe_secret(stage, &person, secret);
        stage.wait(500, 10_000);
        call_about_secret(stage, &person, "GetSecretValue", secret, json!({}));
        stage.wait(5_000, 120_000);
    }
}

fn play_rotation_lambda(stage: &mut CorpusStage) {
    let function = open_role_session(stage, "service-role/", "rotate-db-role").with_agent(
        "Boto3/1.34.145 md/Botocore#1.34.145 ua/2.0 os/linux#5.10.228 lang/python#3.12.7 exec-env/AWS_Lambda_python3.12",
    );
    let count = stage.draw_number(1, 4);
    for secret in stage.make_secrets(count) {
        let version = stage.random.uuid();
        stage.send_service_event("RotationStarted", &secret);
        stage.wait(300, 1_000);
        for step in 0..4 {
            describe_secret(stage, &function, &secret);
            let current = json!({ "versionStage": "AWSCURRENT" });
            call_about_secret(stage, &function, "GetSecretValue", &secret, current);
            if step == 0 {
                let new = json!({ "clientRequestToken": version, "versionStages": ["AWSPENDING"] });
                call_about_secret(stage, &function, "PutSecretValue", &secret, new);
            } else {
                let pending = json!({ "versionId": version, "versionStage": "AWSPENDING" });
                call_about_secret(stage, &function, "GetSecretValue", &secret, pending);
            }
            stage.wait(500, 3_000);
        }
        let moved = json!({ "versionStage": "AWSCURRENT", "moveToVersionId": version });
        call_about_secret(stage, &function, "UpdateSecretVersionStage", &secret, moved);
        stage.send_label_event(&secret);
        stage.wait(500, 2_000);
        stage.send_service_event("RotationSucceeded", &secret);
        stage.wait(1_000, 60_000);
    }
}

fn play_backup_job(stage: &mut CorpusStage) {
    let job = open_role_session(stage, "", "inventory-backup");
    let count = stage.draw_number(40, 100);
    let secrets = stage.make_secrets(count);
    stage.record_call(&job, "ListSecrets", stage.region, &json!({ "maxResults": 100 }));
    for secret in &secrets {
        describe_secret(stage, &job, secret);
        call_about_secret(stage, &job, "ListSecretVersionIds", secret, json!({}));
        stage.wait(20, 300);
    }
}

fn play_batch_at_start(stage: &mut CorpusStage) {
    let app = open_role_session(stage, "apps/", "orders");
    let secrets = stage.make_secrets(6);
    for _ in 0..stage.draw_number(1, 2) {
        let session = stage.random.hex(32);
        let task = app.open_session(&mut stage.random, &session);
        stage.read_batch(&task, &secrets);
        stage.wait(1_000, 60_000);
    }
}

fn play_cross_account_reads(stage: &mut CorpusStage) {
    let app = open_role_session(stage, "apps/", "partner-sync");
    let owner = stage.add_account();
    let secrets = [stage.make_secret_in(&owner, stage.region), stage.make_secret_in(&owner, stage.region)];
    for _ in 0..stage.draw_number(3, 10) {
        for secret in &secrets {
            stage.read_across_accounts(&app, &owner, secret);
            stage.wait(100, 2_000);
        }
        stage.wait(60_000, 600_000);
    }
}

fn play_own_events(stage: &mut CorpusStage) {
    stage.repeated = 200;
    stage.longest_delay = Span::from_secs(600);
    for secret in stage.make_secrets(6) {
        for name in [
            "TestRotationStarted",
            "TestRotationSucceeded",
            "RotationStarted",
            "RotationSucceeded",
            "ReplicationStarted",
            "ReplicationSucceeded",
            "StartSecretVersionDelete",
            "EndSecretVersionDelete",
            "SecretVersionDeletion",
        ] {
            stage.send_service_event(name, &secret);
            stage.wait(500, 60_000);
        }
    }
}

fn play_nat_gateway(stage: &mut CorpusStage) {
    let count = stage.draw_number(20, 25);
    let address = format!("192.0.2.{}", stage.random.below(254) + 1);
    for number in 0..count {
        let mut application = open_role_session(stage, "apps/", &format!("service-{number}"));
        application.address.clone_from(&address);
        let secrets = stage.make_secrets(1);
        stage.read_secrets(&application, &secrets, 500, 10_000);
    }
}

fn play_administrator(stage: &mut CorpusStage) {
    let person = format!("{}@example.com", stage.random.hex(6));
    for role in ["operations", "support"] {
        let session = open_role_session(stage, "people/", role).with_source_identity(&person);
        let count = stage.draw_number(2, 4);
        let secrets = stage.make_secrets(count);
        stage.read_secrets(&session, &secrets, 2_000, 60_000);
    }
}
