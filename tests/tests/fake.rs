//! The fake over plain HTTP, in all that the emulator does not do. Needs no emulator and no function.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use acceptance::aws::EmulatorClient;
use acceptance::{ConnectionFault, FakeAws, wait_until};
use responder_core::aws::ecs_service::DeploymentController;
use responder_core::time::Span;
use serde_json::{Value, json};
use simulation::ecs::{
    CircuitBreaker, EcsOperation, NewService, RegisteredTaskDefinition, RolloutOutcome, TaskContainer,
};
use simulation::service_calls::ServiceFault;

const ACCOUNT: &str = "111122223333";
const HOME: &str = "us-east-1";
const ECS: &str = "AmazonEC2ContainerServiceV20141113";

fn connect(fake: &FakeAws) -> EmulatorClient {
    EmulatorClient::new(&fake.endpoint(), ACCOUNT, HOME)
}

fn call_ecs(client: &EmulatorClient, operation: &str, body: &Value) -> Result<Value, (u16, String)> {
    client.try_json("ecs", &format!("{ECS}.{operation}"), body).map_err(|refused| {
        let body: Value = serde_json::from_str(&refused.body).expect("an error is JSON");
        (refused.status, body["__type"].as_str().expect("an error has a type").to_owned())
    })
}

/// Creates a service with a circuit breaker, and returns its ARN.
fn create_service(fake: &FakeAws) -> String {
    fake.with_ecs(|ecs, now| {
        let task_definition = ecs.register_task_definition(RegisteredTaskDefinition {
            family: "web".to_owned(),
            execution_role: Some("arn:aws:iam::111122223333:role/execution".to_owned()),
            containers: vec![TaskContainer {
                name: "app".to_owned(),
                secrets: vec!["arn:aws:secretsmanager:us-east-1:111122223333:secret:a-AbCdEf".to_owned()],
                log_secrets: vec!["log".to_owned()],
                repository_credentials: Some("registry".to_owned()),
                ..TaskContainer::default()
            }],
            fsx_credentials: vec!["share".to_owned()],
            ..RegisteredTaskDefinition::default()
        });
        let service = NewService {
            cluster: "prod".to_owned(),
            name: "web".to_owned(),
            task_definition,
            desired: 2,
            circuit_breaker: Some(CircuitBreaker { rollback: true }),
            tags: [("team".to_owned(), "shop".to_owned())].into(),
            connect_secrets: vec!["mesh".to_owned()],
            ..NewService::default()
        };
        ecs.create_service(service, now.minus(Span::from_secs(100)))
    })
}

#[test]
fn a_service_is_described_as_the_api_does() {
    let fake = FakeAws::start(ACCOUNT, HOME);
    let arn = create_service(&fake);
    let client = connect(&fake);
    let described = client.describe_service("prod", "web");
    assert_eq!(described["serviceArn"], json!(arn));
    assert!(described.get("tags").is_none(), "only with `include`");
    let created =
        fake.with_ecs(|ecs, _| ecs.service(&arn).map(|service| service.created_at)).expect("it is there");
    let deployment = &described["deployments"][0];
    // In seconds, with a fraction.
    let seconds = deployment["createdAt"].as_f64().expect("a number");
    assert_eq!(
        format!("{seconds:.3}"),
        format!("{}.{:03}", created.millis() / 1_000, created.millis() % 1_000)
    );
    assert_eq!(
        (&deployment["status"], &deployment["rolloutState"]),
        (&json!("PRIMARY"), &json!("COMPLETED"))
    );
    let connect = &deployment["serviceConnectConfiguration"]["logConfiguration"]["secretOptions"][0];
    assert_eq!(connect["valueFrom"], "mesh");
    let request = json!({"cluster": "prod", "services": ["web"], "include": ["TAGS"]});
    let with_tags = call_ecs(&client, "DescribeServices", &request).expect("it is described");
    assert_eq!(with_tags["services"][0]["tags"], json!([{"key": "team", "value": "shop"}]));

    let request = json!({"taskDefinition": described["taskDefinition"]});
    let definition =
        &call_ecs(&client, "DescribeTaskDefinition", &request).expect("it is described")["taskDefinition"];
    let container = &definition["containerDefinitions"][0];
    assert_eq!(container["logConfiguration"]["secretOptions"][0]["valueFrom"], "log");
    assert_eq!(container["repositoryCredentials"]["credentialsParameter"], "registry");
    let share = &definition["volumes"][0]["fsxWindowsFileServerVolumeConfiguration"];
    assert_eq!(share["authorizationConfig"]["credentialsParameter"], "share");
}

#[test]
fn a_rollout_takes_its_time_and_has_its_events_and_launches() {
    let fake = FakeAws::start(ACCOUNT, HOME);
    fake.freeze();
    let arn = create_service(&fake);
    let client = connect(&fake);
    fake.with_ecs(|ecs, _| ecs.plan_outcomes(&arn, [RolloutOutcome::Fails(Span::from_secs(60))]));
    let request = json!({"cluster": "prod", "service": "web", "forceNewDeployment": true});
    let updated = call_ecs(&client, "UpdateService", &request).expect("it is updated");
    let states = |service: &Value| {
        let deployments = service["deployments"].as_array().cloned().unwrap_or_default();
        deployments.iter().map(|one| format!("{} {}", one["status"], one["rolloutState"])).collect::<Vec<_>>()
    };
    assert_eq!(states(&updated["service"]), [r#""PRIMARY" "IN_PROGRESS""#, r#""ACTIVE" "COMPLETED""#]);
    assert_eq!(fake.take_events().len(), 1);
    fake.skip(Span::from_secs(60));
    let described = client.describe_service("prod", "web");
    assert_eq!(states(&described), [r#""PRIMARY" "IN_PROGRESS""#, r#""ACTIVE" "FAILED""#]);
    let names: Vec<Value> =
        fake.take_events().iter().map(|event| event["detail"]["eventName"].clone()).collect();
    assert_eq!(names, ["SERVICE_DEPLOYMENT_FAILED", "SERVICE_DEPLOYMENT_IN_PROGRESS"]);
    assert_eq!(fake.take_launches().len(), 3);
    assert!(fake.take_events().is_empty() && fake.take_launches().is_empty(), "taken once");
}

#[test]
fn an_estate_is_listed_in_pages_and_described_by_tens() {
    let fake = FakeAws::estate(ACCOUNT, HOME, 8, 400, 250);
    let client = connect(&fake);
    let mut services = BTreeSet::new();
    let mut definitions = BTreeSet::new();
    let clusters = call_ecs(&client, "ListClusters", &json!({})).expect("clusters are listed");
    for cluster in clusters["clusterArns"].as_array().expect("a list") {
        let mut request = json!({"cluster": cluster, "maxResults": 100});
        loop {
            let page = call_ecs(&client, "ListServices", &request).expect("services are listed");
            let arns = page["serviceArns"].as_array().expect("a list").clone();
            for ten in arns.chunks(10) {
                let request = json!({"cluster": cluster, "services": ten});
                let described =
                    call_ecs(&client, "DescribeServices", &request).expect("services are described");
                assert_eq!(described["services"].as_array().map(Vec::len), Some(ten.len()));
                definitions.extend(described["services"].as_array().into_iter().flatten().map(|service| {
                    service["taskDefinition"].as_str().expect("a service has one").to_owned()
                }));
            }
            services.extend(arns.iter().map(Value::to_string));
            let Some(token) = page.get("nextToken") else { break };
            request["nextToken"] = token.clone();
        }
    }
    assert_eq!((services.len(), definitions.len()), (400, 250));
    assert!(fake.count_requests("ListServices") > 8, "more than a page in some cluster");
    let made = fake.with_ecs(|ecs, _| ecs.calls.count(EcsOperation::DescribeServices));
    assert_eq!(made, fake.count_requests("DescribeServices"));
}

#[test]
fn refusals_come_as_aws_words_them() {
    let fake = FakeAws::start(ACCOUNT, HOME);
    let client = connect(&fake);
    create_service(&fake);
    fake.with_ecs(|ecs, now| {
        let service = NewService {
            cluster: "prod".to_owned(),
            name: "blue".to_owned(),
            controller: DeploymentController::CodeDeploy,
            ..NewService::default()
        };
        ecs.create_service(service, now);
        ecs.calls.plant(
            EcsOperation::ListClusters,
            [Some(ServiceFault::Throttled), Some(ServiceFault::Internal("ServerException"))],
        );
    });
    let update = json!({"cluster": "prod", "service": "blue", "forceNewDeployment": true});
    let revision = json!({"cluster": "prod", "service": "web", "taskDefinition": "web"});
    for (operation, body, status, code) in [
        ("ListClusters", json!({}), 400, "ThrottlingException"),
        ("ListClusters", json!({}), 500, "ServerException"),
        ("ListServices", json!({"cluster": "none"}), 400, "ClusterNotFoundException"),
        ("UpdateService", update, 400, "InvalidParameterException"),
        ("UpdateService", revision, 400, "ValidationException"),
        ("CreateService", json!({}), 400, "UnknownOperationException"),
    ] {
        let refusal = call_ecs(&client, operation, &body);
        assert_eq!(refusal, Err((status, code.to_owned())), "{operation} {body}");
    }
    assert!(call_ecs(&client, "ListClusters", &json!({})).is_ok());
    let blue = client.describe_service("prod", "blue");
    assert_eq!((&blue["deployments"], &blue["taskSets"][0]["status"]), (&json!([]), &json!("PRIMARY")));
    let elsewhere = EmulatorClient::new(&fake.endpoint(), ACCOUNT, "eu-west-1");
    assert_eq!(call_ecs(&elsewhere, "ListClusters", &json!({})), Ok(json!({"clusterArns": []})));
}

/// Sends a request on a connection of its own, which the answer comes on.
fn send_request(fake: &FakeAws, operation: &str, body: &Value) -> TcpStream {
    let address = fake.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(address).expect("the fake listens");
    let body = body.to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nX-Amz-Target: {ECS}.{operation}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).expect("the fake reads");
    stream
}

/// Waits for the first bytes of an answer, or for the end of the connection: then there are none.
fn read_answer(mut stream: &TcpStream) -> String {
    let mut answer = vec![0; 65_536];
    let read = stream.read(&mut answer).expect("the connection is there");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Whether the connection is open and nothing came on it so far.
fn is_silent(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket can be asked without waiting");
    let read = stream.read(&mut [0; 1]);
    stream.set_nonblocking(false).expect("a socket can be waited for");
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn a_lost_reply_has_its_effect_and_a_hanging_call_has_none() {
    let fake = FakeAws::start(ACCOUNT, HOME);
    create_service(&fake);
    let update = json!({"cluster": "prod", "service": "web", "forceNewDeployment": true});
    let send = || send_request(&fake, "UpdateService", &update);
    let count_deployments = || fake.with_ecs(|ecs, _| ecs.log.deployments().len());

    fake.plant_faults("UpdateService", [ConnectionFault::Hangs, ConnectionFault::ReplyLost]);
    let hanging = send();
    wait_until("the call arrives", || (fake.count_requests("UpdateService") == 1).then_some(()));
    assert!(is_silent(&hanging) && count_deployments() == 0);
    assert_eq!((read_answer(&send()).as_str(), count_deployments()), ("", 1), "the reply is lost");
    let answer = read_answer(&send());
    assert!(answer.starts_with("HTTP/1.1 200 ") && count_deployments() == 2, "{answer}");
    assert_eq!(fake.count_requests("UpdateService"), 3);

    // Late: the effect is there before the answer.
    fake.plant_faults("UpdateService", [ConnectionFault::Late(Duration::from_hours(1))]);
    let late = send();
    wait_until("the call has its effect", || (count_deployments() == 3).then_some(()));
    assert!(is_silent(&late));
    fake.plant_faults("UpdateService", [ConnectionFault::Late(Duration::from_millis(1))]);
    assert!(read_answer(&send()).starts_with("HTTP/1.1 200 "));

    // Nothing came on the hanging connection when the fake ends.
    drop(fake);
    assert_eq!(read_answer(&hanging), "");
}

#[test]
fn secrets_have_metadata_and_no_values() {
    let fake = FakeAws::start(ACCOUNT, HOME);
    let client = connect(&fake);
    let arn = fake.with_secrets(|secrets, now| {
        let arn = secrets.create(HOME, "prod/app", now);
        secrets.replicate(&arn, "eu-west-1", now);
        arn
    });
    let version = fake.with_secrets(|secrets, now| secrets.put_value(&arn, now)).expect("a new version");
    let call = |operation: &str, body: &Value| {
        client.try_json("secretsmanager", &format!("secretsmanager.{operation}"), body)
    };
    let described = call("DescribeSecret", &json!({"SecretId": "prod/app"})).expect("it is described");
    assert_eq!((&described["ARN"], &described["RotationEnabled"]), (&json!(arn), &json!(false)));
    assert_eq!(described["VersionIdsToStages"][&version], json!(["AWSCURRENT"]));
    assert_eq!(described["ReplicationStatus"], json!([{"Region": "eu-west-1", "Status": "InSync"}]));
    assert!(described.get("LastRotatedDate").is_none());
    let listed = call("ListSecrets", &json!({"MaxResults": 1})).expect("it is listed");
    assert_eq!(listed["SecretList"][0]["SecretVersionsToStages"][&version], json!(["AWSCURRENT"]));
    let versions = call("ListSecretVersionIds", &json!({"SecretId": arn})).expect("they are listed");
    assert_eq!(versions["Versions"].as_array().map(Vec::len), Some(2));
    assert_eq!(fake.take_events()[0]["detail"]["versionId"], json!(version));
    let refused = call(concat!("GetSecret", "Value"), &json!({"SecretId": arn})).expect_err("there is none");
    assert!(refused.body.contains("UnknownOperationException"));
}
