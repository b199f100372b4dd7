//! The cost of a cold start of each function: size, times and peak memory of the binaries that are deployed, the median of 20 runs against the emulator.
//!
//! `tests/cold-start [FUNCTION=EVENT_FILE]...` builds and runs it: without a file, an event of the harness's own. Every run has an account of its
//! own with a service to redeploy, so that no run finds the work of an earlier one. `canary` is the floor: a function that does nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use acceptance::{FunctionProcess, InvocationOutcome, TestBed, events, now, paths, wait_for_next_second};
use serde_json::{Value, json};

/// Runs of which the median is printed.
const RUNS: usize = 20;

/// The cost of one run.
struct ColdStartCost {
    first_poll: Duration,
    first_answer: Duration,
    peak_kib: u64,
    answer: Result<(), String>,
}

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if let Some(wrong) = files.iter().find(|file| !file.contains('=')) {
        eprintln!("cold-start: `{wrong}` is not FUNCTION=EVENT_FILE");
        return ExitCode::from(2);
    }
    println!("expected: at most 15 ms in total and 12 MB; median of {RUNS} runs on this machine");
    println!(
        "{:<30} {:>9} {:>20} {:>28} {:>9} {:>9}",
        "function and event", "size", "exec -> first poll", "first poll -> first answer", "total", "memory"
    );
    for function in ["canary", "rotation", "access", "failure", "sweep"] {
        let file = files.iter().find_map(|file| file.strip_prefix(function)?.strip_prefix('='));
        // First the cost of the process, then what the calls to AWS add: the emulator takes about 3 ms for each.
        for kind in [MeasuredEvent::Ignored, MeasuredEvent::Own] {
            if function != "canary" || matches!(kind, MeasuredEvent::Ignored) {
                let label = format!("{function}, {}", kind.label(function));
                if let Err(reason) = measure(function, kind, file, &label) {
                    println!("{label:<30} {reason}");
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// The event that a run is measured with.
#[derive(Clone, Copy)]
enum MeasuredEvent {
    /// One that no rule matches: AWS is not called.
    Ignored,
    /// One that the function is there for.
    Own,
}

impl MeasuredEvent {
    fn label(self, function: &str) -> &'static str {
        match (self, function) {
            (Self::Ignored, "canary") => "does nothing",
            (Self::Ignored, _) => "no rule matches",
            (Self::Own, "rotation") => "redeploys a service",
            (Self::Own, "access") => "counts a read",
            (Self::Own, "sweep") => "looks after a secret",
            (Self::Own, _) => "pages",
        }
    }
}

fn measure(function: &str, kind: MeasuredEvent, file: Option<&str>, label: &str) -> Result<(), String> {
    let binary = find_binary(function)?;
    let size = std::fs::metadata(&binary).map_err(|error| error.to_string())?.len();
    let beds: Vec<(TestBed, String)> = (0..RUNS).map(|_| make_bed()).collect();
    // Deployments are dated in whole seconds; the event's change has to be in a later one.
    wait_for_next_second();
    let mut costs = Vec::new();
    for (bed, secret) in &beds {
        let event = match file {
            _ if matches!(kind, MeasuredEvent::Ignored) => ignored_event(bed, secret).to_string(),
            Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
            None => own_event(bed, secret, function).to_string(),
        };
        costs.push(run_once(&binary, bed, event)?);
    }
    let poll = median(&costs, |cost| cost.first_poll.as_secs_f64() * 1e3);
    let answer = median(&costs, |cost| cost.first_answer.as_secs_f64() * 1e3);
    let total = median(&costs, |cost| (cost.first_poll + cost.first_answer).as_secs_f64() * 1e3);
    let memory = median(&costs, |cost| kib_in_mb(cost.peak_kib));
    let size = kib_in_mb(size / 1024);
    println!("{label:<30} {size:>6.1} MB {poll:>17.1} ms {answer:>25.1} ms {total:>6.1} ms {memory:>6.1} MB");
    let failed: Vec<&String> = costs.iter().filter_map(|cost| cost.answer.as_ref().err()).collect();
    if let Some(first) = failed.first() {
        println!("{:<10} {} of {RUNS} runs failed, the first with {first}", "", failed.len());
    }
    Ok(())
}

fn find_binary(function: &str) -> Result<PathBuf, String> {
    let binary = if function == "canary" {
        std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("canary")
    } else {
        paths::functions().join(function)
    };
    if binary.exists() { Ok(binary) } else { Err(format!("not built: no {}", binary.display())) }
}

/// An account with a secret and a service that injects it.
fn make_bed() -> (TestBed, String) {
    let bed = TestBed::new();
    let secret = bed.aws.create_secret("prod/app-db");
    bed.aws.create_cluster("prod");
    let containers = json!([{"name": "app", "image": "app:1", "memory": 64, "secrets": [{"name": "P", "valueFrom": secret}]}]);
    let task = bed.aws.register_task_definition("web", &containers);
    bed.aws.create_service("prod", "web", &task, &json!({}));
    (bed, secret)
}

/// An event that the function is there for.
fn own_event(bed: &TestBed, secret: &str, function: &str) -> Value {
    match function {
        "access" => events::secret_read(&bed.aws, "alice", secret, now()),
        "failure" => events::rotation_failed(&bed.aws, secret, now(), "setSecret"),
        "sweep" => events::sweep_due(&bed.aws, now()),
        _ => events::rotation_succeeded(&bed.aws, secret, now()),
    }
}

/// An event of a call that no rule is about.
fn ignored_event(bed: &TestBed, secret: &str) -> Value {
    let mut event = events::secret_read(&bed.aws, "alice", secret, now());
    event["detail"]["eventName"] = json!("DescribeSecret");
    event
}

fn run_once(binary: &Path, bed: &TestBed, event: String) -> Result<ColdStartCost, String> {
    let payload = events::batch(&bed.aws.arn("sqs", "queue"), &[event]).to_string();
    let mut function = FunctionProcess::try_start(binary, &bed.environment())?;
    let answer = function.invoke(payload.as_bytes());
    let peak_kib = match answer.outcome {
        InvocationOutcome::Died => {
            return Err(format!("ended without an answer:\n{}", answer.lines.join("\n")));
        }
        _ => function.peak_memory(),
    };
    let empty = json!([]);
    let answered = match &answer.outcome {
        InvocationOutcome::Response(response)
            if response.get("batchItemFailures").unwrap_or(&empty) == &empty =>
        {
            Ok(())
        }
        other => Err(format!("{other:?}")),
    };
    Ok(ColdStartCost {
        first_poll: function.first_poll(),
        first_answer: answer.took,
        peak_kib,
        answer: answered,
    })
}

fn median(costs: &[ColdStartCost], of: impl Fn(&ColdStartCost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// In units of 10^6 bytes.
fn kib_in_mb(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) * 1024.0 / 1e6
}
