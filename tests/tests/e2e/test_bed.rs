//! The test bed itself, without the product: if one of these fails, do not look for the fault in a function.

use std::path::Path;

use acceptance::{Emulator, FunctionProcess, InvocationOutcome, RedeliveryPolicy, TestBed, wait_until};
use serde_json::json;

fn canary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_canary"))
}

#[test]
fn a_message_reaches_the_function_and_poison_alone_is_parked() {
    let bed = TestBed::new();
    let handler = bed.deploy_binary("canary", canary(), &[], RedeliveryPolicy::PARKS_EARLY);
    let bodies: Vec<String> = (0..5).map(|i| format!("good {i}")).chain(["poison".to_owned()]).collect();
    bed.aws.send(&handler.queue, &bodies);
    bed.wait_until_answered(&handler);
    let parked = bed.take_parked(&handler);
    assert_eq!(parked.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["poison"]);
    let answer = bed.aws.invoke("canary", &json!({"a": 1})).expect("the function is invoked");
    assert_eq!(answer["payload"], json!({"a": 1}));
}

#[test]
fn a_new_secret_value_reaches_the_queue_as_an_event() {
    let bed = TestBed::new();
    let queue = bed.aws.create_queue("changes", &json!({}));
    bed.aws.route("changes", &json!({"source": ["aws.secretsmanager"]}), &queue.arn);
    let secret = bed.aws.create_secret("prod/app-db");
    let version = bed.aws.put_secret_value(&secret, "second");
    let message = wait_until("the event is in the queue", || bed.aws.drain(&queue).pop());
    let event: serde_json::Value = serde_json::from_str(&message.body).expect("an event is JSON");
    assert_eq!(event["detail-type"], "Secret Label Updated");
    assert_eq!(event["resources"], json!([secret]));
    assert_eq!(event["detail"]["versionId"], json!(version));
}

#[test]
fn the_runtime_server_tells_answers_errors_and_deaths_apart() {
    let environment = [("LEDGER_TABLE".to_owned(), "ledger".to_owned())];
    let mut function = FunctionProcess::start(canary(), &environment);
    let answer = function.invoke(br#"{"a":1}"#);
    let InvocationOutcome::Response(response) = answer.outcome else { panic!("not a response: {answer:?}") };
    assert_eq!(response["payload"], json!({"a": 1}));
    assert!(response["environment"].as_array().expect("a list").contains(&json!("LEDGER_TABLE")));
    assert_eq!(answer.lines, ["got 7 bytes"]);
    assert!(function.peak_memory() > 0);

    let answer = function.invoke(br#""error""#);
    assert_eq!(answer.outcome, InvocationOutcome::Error(json!({"errorMessage": "asked for"})));
    let answer = function.invoke(br#""die""#);
    assert_eq!((answer.outcome, answer.lines), (InvocationOutcome::Died, vec!["got 5 bytes".to_owned()]));
}

#[test]
fn an_answer_counts_when_the_process_ends_right_after_it() {
    let mut function = FunctionProcess::start(canary(), &[]);
    let answer = function.invoke(br#""answer and die""#);
    assert_eq!(answer.outcome, InvocationOutcome::Response(json!("the last words")));
}

#[test]
fn the_emulator_ends_with_its_functions() {
    let emulator = Emulator::start();
    let aws = emulator.new_account();
    aws.create_function("canary", canary(), &[], 10);
    aws.invoke("canary", &json!({})).expect("the function is invoked");
    assert_eq!(processes_of(emulator.endpoint()).len(), 1, "the function's process is found");
    let endpoint = emulator.endpoint().to_owned();
    drop(emulator);
    // A process that was killed is listed until the kernel has ended it.
    wait_until("the function's process has ended", || processes_of(&endpoint).is_empty().then_some(()));
}

/// The `bootstrap` processes of the emulator at this endpoint: their code's directory has its port in the name.
fn processes_of(endpoint: &str) -> Vec<String> {
    let port = endpoint.rsplit(':').next().unwrap_or_default();
    let directory = format!("ministack-provided-code-{port}/");
    let mut commands = Vec::new();
    for process in std::fs::read_dir("/proc").expect("this is Linux").flatten() {
        let command = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        if command.contains(&directory) {
            commands.push(command);
        }
    }
    commands
}
