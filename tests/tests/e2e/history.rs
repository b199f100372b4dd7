//! `doctor events` and `doctor services` into the replay: every event once and every service, whatever goes wrong on the way.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use acceptance::{ConnectionFault, Emulator, FakeAws, events, now, paths, wait_until};
use jiff::ToSpan as _;
use serde_json::Value;

use super::doctor::{doctor, text};

#[test]
fn recorded_reads_are_fetched_and_replayed() {
    let aws = Emulator::shared().new_account();
    let secret = aws.create_secret("prod/app-db");
    for _ in 0..3 {
        let read = serde_json::json!({"SecretId": secret});
        aws.json("secretsmanager", "secretsmanager.GetSecretValue", &read);
    }
    let file = leftover(&format!("events-{}.jsonl", aws.account()));
    let name = file.to_str().expect("a path of ours is UTF-8");
    let fetched =
        output(doctor(&aws).args(["events", "--regions", "us-east-1", "--since", "1h", "--out", name]));
    assert_eq!(fetched.status.code(), Some(0), "{}", text(&fetched.stderr));
    let replayed = output(Command::new(replay()).args(["run", "--format", "json", name]));
    let told = text(&replayed.stdout);
    assert_eq!(told.lines().filter(|line| line.contains(r#""name":"GetSecretValue""#)).count(), 3, "{told}");
    fs::remove_file(&file).expect("the target directory can be written");
}

/// Pages, throttled calls, a death in the middle, credentials that expire: no event is lost, and none is there twice.
#[test]
fn a_lookup_that_dies_goes_on_and_has_every_event_once() {
    let aws = Emulator::shared().new_account();
    let fake = FakeAws::start(aws.account(), aws.region());
    // Seven in each second, so that pages end in the middle of one.
    let latest = now() - 10.minutes();
    let read = |number: i64| {
        events::secret_read(
            &aws,
            "app",
            &format!("dev/secret-{}", number % 3),
            latest - (number / 7).seconds(),
        )
    };
    let history: Vec<Value> = (0..320).map(read).collect();
    fake.record_events(&history);
    let file = leftover(&format!("history-{}.jsonl", aws.account()));
    let beside = PathBuf::from(format!("{}.state", file.display()));
    let command = || {
        let mut command = doctor(&aws);
        command.args(["events", "--regions", "us-east-1", "--since", "1d", "--out"]).arg(&file);
        command
            .env("AWS_ENDPOINT_URL_CLOUDTRAIL", fake.endpoint())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    };

    fake.plan_lookups([None, Some("ThrottlingException"), Some("ThrottlingException")]);
    // Three pages are read, and the fourth never comes: the doctor dies in the middle, however fast it is.
    let hang = [Some(ConnectionFault::Hangs); 100];
    fake.plant_faults("LookupEvents", [None; 5].into_iter().chain(hang));
    let mut dies = command().spawn().expect("it starts");
    wait_until("the fourth page is asked for", || (fake.count_requests("LookupEvents") > 5).then_some(()));
    dies.kill().expect("it still runs");
    dies.wait().expect("it ends");
    fake.clear_faults("LookupEvents");
    assert!(beside.exists(), "what is to be gone on with is beside the file");

    fake.plan_lookups([None, Some("ThrottlingException"), None, Some("ExpiredTokenException")]);
    let expired = output(&mut command());
    assert_eq!(expired.status.code(), Some(3), "{}", text(&expired.stderr));
    assert!(text(&expired.stderr).contains("ExpiredTokenException"), "{}", text(&expired.stderr));

    let done = output(&mut command());
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(!beside.exists());
    let id = |record: &Value| record["eventID"].as_str().unwrap_or_default().to_owned();
    let written = fs::read_to_string(&file).expect("it was written");
    let records = written.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record a line"));
    let mut written: Vec<String> = records.map(|record| id(&record)).collect();
    written.sort();
    let mut expected: Vec<String> = history.iter().map(|event| id(&event["detail"])).collect();
    expected.sort();
    assert_eq!(written, expected);

    let replayed = output(Command::new(replay()).args(["run", "--format", "json"]).arg(&file));
    let told = text(&replayed.stdout);
    let decided = told.lines().filter(|line| line.contains(r#""name":"GetSecretValue""#)).count();
    assert_eq!(decided, history.len(), "{told}");
    fs::remove_file(&file).expect("the target directory can be written");
}

/// `doctor services` of an estate whose ECS pages and throttles, and `doctor events … | replay run --facts FILE -`.
#[test]
fn a_rotation_that_is_piped_into_the_replay_with_the_services_redeploys_its_consumers() {
    let aws = Emulator::shared().new_account();
    let fake = FakeAws::estate(aws.account(), aws.region(), 3, 330, 40);
    let secret = fake.with_secrets(|secrets, _| secrets.arns().next().map(str::to_owned)).expect("a secret");
    let (all, consumers) = fake.with_ecs(|ecs, now| {
        let arns: Vec<String> = ecs.service_arns().map(str::to_owned).collect();
        let uses = |arn: &&String| {
            let service = ecs.service(arn).expect("it is there").clone();
            let definition = service.task_definition.clone();
            service.connect_secrets.iter().any(|reference| reference.contains(&secret))
                || ecs.describe_task_definition(&definition, now).is_ok_and(|definition| {
                    definition.references().iter().any(|reference| reference.contains(&secret))
                })
        };
        (arns.len(), arns.iter().filter(uses).cloned().collect::<BTreeSet<String>>())
    });
    fake.with_ecs(|ecs, _| ecs.refuse_calls_beyond_limits());
    let rotation = events::rotation_succeeded(&aws, &secret, now() - 10.minutes());
    let reads = (0..120).map(|number| {
        events::secret_read(&aws, "app", "dev/other", now() - 20.minutes() - (number / 3).seconds())
    });
    fake.record_events(&reads.chain([rotation]).collect::<Vec<_>>());
    fake.plan_lookups([None, Some("ThrottlingException")]);

    let file = leftover(&format!("services-{}.json", aws.account()));
    let mut services = doctor(&aws);
    services.args(["services", "--regions", "us-east-1", "--out"]).arg(&file);
    let fetched = output(services.env("AWS_ENDPOINT_URL_ECS", fake.endpoint()));
    assert_eq!(fetched.status.code(), Some(0), "{}", text(&fetched.stderr));
    assert!(fake.count_requests("ListServices") > 3, "a cluster is more than a page");
    let facts: Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("it was written")).expect("JSON");
    assert_eq!(facts["services"].as_array().map(Vec::len), Some(all));

    let mut pipe = Command::new("sh");
    pipe.args([
        "-c",
        r#""$DOCTOR" events --regions us-east-1 --since 1d | "$REPLAY" run --format json --facts "$FACTS" -"#,
    ]);
    let piped = doctor(&aws);
    pipe.envs(piped.get_envs().filter_map(|(name, value)| Some((name, value?))));
    pipe.env("DOCTOR", piped.get_program()).env("REPLAY", replay()).env("FACTS", &file);
    let told = output(pipe.env("AWS_ENDPOINT_URL_CLOUDTRAIL", fake.endpoint()));
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let told = text(&told.stdout);
    let lines: Vec<Value> = told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let rotation = lines.iter().find(|line| line["name"] == "RotationSucceeded").expect("it was decided");
    let steps = rotation["steps"].as_array().expect("it has steps");
    let named = |step: &Value| step["service"].as_str().map(str::to_owned);
    let decided: BTreeSet<String> = steps.iter().filter_map(named).collect();
    assert!(steps.iter().any(|step| step["do"] == "redeploy"), "{rotation}");
    assert!(
        consumers.len() > 10 && consumers.is_subset(&decided),
        "{consumers:?} of {decided:?}: {rotation}"
    );
    assert_eq!(lines.iter().filter(|line| line["name"] == "GetSecretValue").count(), 120, "{told}");
    fs::remove_file(&file).expect("the target directory can be written");
}

fn replay() -> PathBuf {
    paths::program("replay")
}

fn leftover(name: &str) -> PathBuf {
    paths::leftovers().join(name)
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}
