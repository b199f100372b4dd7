//! Everyday work: none of it may page.

use responder_core::time::Span;
use serde_json::json;

use super::Class;
use super::caller::{Caller, TERRAFORM};
use super::scene::Scene;
use super::secret::{Secret, one_of};

const fn class(name: &'static str, about: &'static str, play: fn(&mut Scene)) -> Class {
    Class { name, is_attack: false, about, play }
}

/// The classes.
pub(super) const CLASSES: [Class; 13] = [
    class("terraform-refresh", "a declared role's Terraform reads 40 secrets, twice", terraform_refresh),
    class("ci-jobs", "pipelines of one role read a few secrets each", ci_jobs),
    class("ecs-rollout", "200 tasks start, with 20 secrets each", ecs_rollout),
    class("own-redeployments", "services that share a rotated secret start again", own_redeployments),
    class("csi-driver", "a CSI driver asks for the secrets of its pods again and again", csi_driver),
    class("api-destinations", "EventBridge reads the secrets of its connections", api_destinations),
    class("caching-client", "an application reads 9 secrets every 5 minutes", caching_client),
    class("person-in-the-console", "a person looks at the list and reads three secrets", person),
    class(
        "rotation-lambda",
        "a rotation function reads and writes the secret that it rotates",
        rotation_lambda,
    ),
    class("backup-job", "a job lists and describes every secret", backup_job),
    class("batch-at-start", "an application reads its 6 secrets in one batch as it starts", batch_at_start),
    class("cross-account-reads", "an application reads two secrets of another account", cross_account_reads),
    class("secrets-manager-events", "what Secrets Manager tells of its own work", own_events),
];

fn role(scene: &mut Scene, path: &str, name: &str) -> Caller {
    let (account, session) = (scene.account.clone(), scene.random.hex(16));
    Caller::role(&mut scene.random, &account, path, name, &session)
}

fn describe(scene: &mut Scene, caller: &Caller, secret: &Secret) {
    scene.call(caller, "DescribeSecret", secret.region(), &json!({ "secretId": secret.arn() }));
}

fn terraform_refresh(scene: &mut Scene) {
    let terraform = role(scene, "automation/", "terraform-apply").with_agent(TERRAFORM);
    let secrets = scene.secrets(40);
    for _ in 0..2 {
        let session = format!("run-{}", scene.random.hex(8));
        let terraform = terraform.session(&mut scene.random, &session);
        for secret in &secrets {
            describe(scene, &terraform, secret);
            scene.call(
                &terraform,
                "GetResourcePolicy",
                secret.region(),
                &json!({ "secretId": secret.arn() }),
            );
            let parameters = json!({ "secretId": secret.arn(), "versionStage": "AWSCURRENT" });
            scene.call(&terraform, "GetSecretValue", secret.region(), &parameters);
            scene.wait(50, 300);
        }
        scene.wait(120_000, 1_200_000);
    }
}

fn ci_jobs(scene: &mut Scene) {
    let agent = "aws-cli/2.22.12 md/awscrt#0.23.4 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.6 exec-env/GitHubActions";
    let ci = role(scene, "ci/", "github-actions").with_agent(agent);
    let (count, jobs) = (scene.number(3, 8), scene.number(4, 12));
    let secrets = scene.secrets(count);
    for _ in 0..jobs {
        let session = format!("GitHubActions-{}", scene.random.digits(10));
        let job = ci.session(&mut scene.random, &session);
        scene.read_each(&job, &secrets, 200, 3_000);
        scene.wait(300_000, 2_400_000);
    }
}

fn ecs_rollout(scene: &mut Scene) {
    let (role, secrets) = (scene.execution_role(), scene.secrets(20));
    let service = scene.service("shop", &role, &secrets);
    for _ in 0..200 {
        scene.launch(&service);
        scene.wait(500, 3_000);
    }
}

fn own_redeployments(scene: &mut Scene) {
    let (role, shared) = (scene.execution_role(), scene.secrets(1));
    let mut services = Vec::new();
    for name in ["admin", "api", "cron", "jobs", "web", "worker"] {
        let own = scene.secrets(3);
        services.push(scene.service(name, &role, &[shared.clone(), own].concat()));
    }
    for secret in &shared {
        scene.service_event("RotationStarted", secret);
        scene.wait(3_000, 20_000);
        scene.label_updated(secret);
        scene.wait(1_000, 3_000);
        scene.service_event("RotationSucceeded", secret);
    }
    scene.wait(15_000, 40_000);
    for _ in 0..4 {
        for service in &services {
            scene.launch(service);
            scene.wait(100, 4_000);
        }
    }
}

fn csi_driver(scene: &mut Scene) {
    let agent = "aws-sdk-go/1.55.5 (go1.22.7; linux; amd64) secrets-store-csi-driver-provider-aws/1.0.r2-95";
    let driver = role(scene, "", "eks-secrets-reader").with_agent(agent);
    let (count, pods) = (scene.number(3, 8), scene.number(2, 5));
    let secrets = scene.secrets(count);
    for _ in 0..60 {
        for _ in 0..pods {
            let session = scene.random.digits(19);
            let pod = driver.session(&mut scene.random, &session);
            scene.read_each(&pod, &secrets, 20, 200);
        }
        scene.wait(100_000, 120_000);
    }
}

fn api_destinations(scene: &mut Scene) {
    let (events, count) = (Caller::service("apidestinations.events.amazonaws.com"), scene.number(15, 70));
    for secret in scene.secrets(count) {
        let parameters = json!({ "secretId": secret.arn() });
        scene.call(&events, "GetSecretValue", secret.region(), &parameters);
        scene.wait(20, 2_000);
    }
}

fn caching_client(scene: &mut Scene) {
    let (app, secrets) = (role(scene, "apps/", "checkout"), scene.secrets(9));
    for _ in 0..72 {
        scene.read_each(&app, &secrets, 10, 500);
        scene.wait(295_000, 300_000);
    }
}

fn person(scene: &mut Scene) {
    let name = format!("AWSReservedSSO_Operations_{}", scene.random.hex(16));
    let path = format!("aws-reserved/sso.amazonaws.com/{}/", scene.region);
    let (account, who) = (scene.account.clone(), one_of(&mut scene.random, &["ann", "ben", "cleo"]));
    let session = format!("{who}@example.com");
    let person = Caller::role(&mut scene.random, &account, &path, &name, &session).in_console();
    let secrets = scene.secrets(3);
    for secret in &secrets {
        scene.call(&person, "ListSecrets", scene.region, &json!({ "maxResults": 100 }));
        scene.wait(2_000, 20_000);
        describe(scene, &person, secret);
        scene.wait(500, 10_000);
        let parameters = json!({ "secretId": secret.arn() });
        scene.call(&person, "GetSecretValue", secret.region(), &parameters);
        scene.wait(5_000, 120_000);
    }
}

fn rotation_lambda(scene: &mut Scene) {
    let function = role(scene, "service-role/", "rotate-db-role").with_agent(
        "Boto3/1.34.145 md/Botocore#1.34.145 ua/2.0 os/linux#5.10.228 lang/python#3.12.7 exec-env/AWS_Lambda_python3.12",
    );
    let count = scene.number(1, 4);
    for secret in scene.secrets(count) {
        let (arn, version) = (secret.arn(), scene.random.uuid());
        let with = |more: serde_json::Value| {
            let mut parameters = json!({ "secretId": arn });
            if let (Some(all), Some(more)) = (parameters.as_object_mut(), more.as_object()) {
                all.extend(more.clone());
            }
            parameters
        };
        scene.service_event("RotationStarted", &secret);
        scene.wait(300, 1_000);
        for step in 0..4 {
            describe(scene, &function, &secret);
            let current = with(json!({ "versionStage": "AWSCURRENT" }));
            scene.call(&function, "GetSecretValue", secret.region(), &current);
            let pending = with(json!({ "versionId": version, "versionStage": "AWSPENDING" }));
            if step == 0 {
                let parameters =
                    with(json!({ "clientRequestToken": version, "versionStages": ["AWSPENDING"] }));
                scene.call(&function, "PutSecretValue", secret.region(), &parameters);
            } else {
                scene.call(&function, "GetSecretValue", secret.region(), &pending);
            }
            scene.wait(500, 3_000);
        }
        let moved = with(json!({ "versionStage": "AWSCURRENT", "moveToVersionId": version }));
        scene.call(&function, "UpdateSecretVersionStage", secret.region(), &moved);
        scene.label_updated(&secret);
        scene.wait(500, 2_000);
        scene.service_event("RotationSucceeded", &secret);
        scene.wait(1_000, 60_000);
    }
}

fn backup_job(scene: &mut Scene) {
    let (job, count) = (role(scene, "", "inventory-backup"), scene.number(40, 100));
    let secrets = scene.secrets(count);
    scene.call(&job, "ListSecrets", scene.region, &json!({ "maxResults": 100 }));
    for secret in &secrets {
        describe(scene, &job, secret);
        scene.call(&job, "ListSecretVersionIds", secret.region(), &json!({ "secretId": secret.arn() }));
        scene.wait(20, 300);
    }
}

fn batch_at_start(scene: &mut Scene) {
    let (app, secrets) = (role(scene, "apps/", "orders"), scene.secrets(6));
    for _ in 0..scene.number(1, 2) {
        let session = scene.random.hex(32);
        let task = app.session(&mut scene.random, &session);
        scene.batch(&task, &secrets);
        scene.wait(1_000, 60_000);
    }
}

fn cross_account_reads(scene: &mut Scene) {
    let (app, owner) = (role(scene, "apps/", "partner-sync"), scene.other_account());
    let secrets = [scene.secret_in(&owner, scene.region), scene.secret_in(&owner, scene.region)];
    for _ in 0..scene.number(3, 10) {
        for secret in &secrets {
            scene.read_across(&app, &owner, secret);
            scene.wait(100, 2_000);
        }
        scene.wait(60_000, 600_000);
    }
}

fn own_events(scene: &mut Scene) {
    scene.twice = 200;
    scene.slowest = Span::from_secs(600);
    for secret in scene.secrets(6) {
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
            scene.service_event(name, &secret);
            scene.wait(500, 60_000);
        }
    }
}
