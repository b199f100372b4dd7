//! The tour: what the deployed responder does about a changed secret, a broken rotation, a theft and poison, as it happens.
//!
//! `tests/tour` builds the functions and runs it. Everything is on this machine: the emulated AWS, the template deployed into it, the real functions. What
//! only AWS has is played and said so: CloudTrail's events, SQS's metrics, time.

#![expect(clippy::expect_used, reason = "a tour that cannot go on says why and ends")]

use std::collections::BTreeMap;
use std::io::{BufRead, stdin};
use std::thread::sleep;
use std::time::{Duration, Instant};

use acceptance::aws::{Client, Queue};
use acceptance::{Emulator, Meter, deployed, events, now, wait_until};
use serde_json::{Value, json};

const HELP: &str = "\
Show what secrets-responder does, as it happens: no AWS account, nothing leaves this machine.

Usage: tests/tour [--stay]

Starts an emulated AWS, deploys infra/responder.yaml into it, changes a secret, breaks a rotation,
steals twenty secrets and sends what nobody can read; shows the deployments, pages and alarms that follow.

Options:
      --stay  Leave the emulator running until Enter, and say how to look at it
  -h, --help  Print this

Examples:
  tests/tour
  tests/tour --stay
";

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stay = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--stay"] => true,
        ["-h" | "--help"] => return print!("{HELP}"),
        _ => {
            eprintln!("tests/tour: no such option: {}; see tests/tour --help", arguments.join(" "));
            std::process::exit(2);
        }
    };
    let tour = Tour::start();
    tour.a_secret_changes();
    tour.a_rotation_breaks();
    tour.twenty_secrets_are_stolen();
    tour.poison_parks_and_an_alarm_rings();
    tour.end(stay);
}

/// An account with a few services, and the responder in it.
struct Tour {
    emulator: Emulator,
    aws: Client,
    /// What was published: the emulator delivers no e-mail.
    mail: Meter,
    /// Who is paged besides, and told of alarms.
    inbox: Queue,
    start: Instant,
}

impl Tour {
    fn start() -> Self {
        let start = Instant::now();
        let emulator = Emulator::start();
        let aws = emulator.account();
        heading("An account, and the responder in it");
        println!("  An emulated AWS answers at {}, as account {}.", aws.endpoint(), aws.account());
        let mail = Meter::start(&aws, "sns");
        deployed::deploy(&aws, &[("AWS_ENDPOINT_URL_SNS", &mail.endpoint())]);
        let inbox = deployed::inbox(&aws);
        for handler in ["rotation", "access", "failure"] {
            let queue = aws.create_queue(&format!("secrets-responder-{handler}"), &json!({}));
            let hurry = json!({"QueueUrl": queue.url, "Attributes": {"VisibilityTimeout": "1"}});
            aws.json("sqs", "AmazonSQS.SetQueueAttributes", &hurry);
        }
        let tour = Self { emulator, aws, mail, inbox, start };
        tour.say("CloudFormation made the stack secrets-responder of infra/responder.yaml: rules, queues, functions,");
        println!("          ledger, alarms and the topic of pages.");
        println!(
            "          SQS delivers again what failed after a second, not after three minutes: the tour is in a hurry."
        );
        tour
    }

    /// From the bus through rule, queue and function to ECS.
    fn a_secret_changes(&self) {
        heading("A secret changes");
        let aws = &self.aws;
        aws.create_cluster("shop");
        let [database, queue] = ["prod/shop/database", "prod/shop/queue"].map(|name| aws.create_secret(name));
        for (service, secret) in [("web", &database), ("worker", &database), ("mailer", &queue)] {
            let containers = json!([{"name": "app", "image": "app:1", "memory": 64,
                "secrets": [{"name": "PASSWORD", "valueFrom": format!("{secret}:password::")}]}]);
            let task = aws.register_task_definition(service, &containers);
            aws.create_service("shop", service, &task, &json!({}));
        }
        println!(
            "  Services web and worker get prod/shop/database when a task starts, mailer gets prod/shop/queue."
        );
        let before = aws.primary_deployments();
        // Deployments are dated in whole seconds: the change has to be in a later one.
        sleep(Duration::from_millis(1_100));
        aws.put_secret_value(&database, "a new password");
        let changed = Instant::now();
        self.say("prod/shop/database has a new value. Running tasks still hold the old one.");
        let mut seen = before.clone();
        wait_until("web and worker are redeployed", PATIENCE, || {
            for (service, deployment) in self.news(&mut seen) {
                println!(
                    "  +{:.1} s  ECS: {service} has a new deployment, {deployment}",
                    changed.elapsed().as_secs_f64()
                );
            }
            let new = |name: &str| seen.iter().any(|(arn, id)| arn.ends_with(name) && before[arn] != *id);
            (new("/web") && new("/worker")).then_some(())
        });
        self.emptied("rotation");
        assert!(self.news(&mut seen).is_empty(), "nothing else is redeployed");
        println!("          mailer was left alone.");
    }

    /// From the queue on: `PutEvents` refuses the sources of AWS.
    fn a_rotation_breaks(&self) {
        heading("A rotation breaks");
        let aws = &self.aws;
        let secret = aws.arn("secretsmanager", "secret:prod/shop/billing-AbCdEf");
        let failed = || events::rotation_failed(aws, &secret, now(), "setSecret");
        println!(
            "  The tour puts CloudTrail's RotationFailed, in its recorded shape, where the rule would: three tries."
        );
        self.feed("failure", &[failed(), failed(), failed()]);
        self.show_page("three tries are one page");
        println!("\n  Somebody repairs it: the next rotation succeeds.");
        // CloudTrail tells whole seconds.
        sleep(Duration::from_millis(1_100));
        self.feed("rotation", &[events::rotation_succeeded(aws, &secret, now())]);
        self.show_subject("the incident is closed under the same key");
    }

    fn twenty_secrets_are_stolen(&self) {
        heading("Twenty secrets are stolen");
        let start = now();
        let reads: Vec<Value> = (0..20)
            .map(|number| {
                let secret =
                    self.aws.arn("secretsmanager", &format!("secret:prod/team-{number}/database-AbCdEf"));
                events::secret_read(&self.aws, "contractor", &secret, start)
            })
            .collect();
        println!(
            "  Somebody holds a contractor's access key, lists the secrets and reads twenty. CloudTrail tells of"
        );
        println!("  each read twice, and in no order.");
        let mut listing = events::secret_read(&self.aws, "contractor", "", start);
        listing["detail"]["eventName"] = json!("ListSecrets");
        listing["detail"]["requestParameters"] = json!({"maxResults": 100});
        self.feed("access", &[listing]);
        self.emptied("access");
        let both: Vec<Value> = reads.iter().rev().chain(&reads).cloned().collect();
        self.feed("access", &both);
        self.show_page("all of them are one incident");
    }

    fn poison_parks_and_an_alarm_rings(&self) {
        heading("Something arrives that nobody can read");
        let aws = &self.aws;
        let queue = aws.create_queue("secrets-responder-failure", &json!({}));
        let sent = Instant::now();
        aws.send(&queue, &["{\"detail\": not JSON".to_owned()]);
        self.show_subject("a human is told at once");
        let parked = aws.create_queue("secrets-responder-failure-dlq", &json!({}));
        wait_until("the message is parked", 2 * PATIENCE, || (aws.depth(&parked) == 1).then_some(()));
        println!(
            "  +{:.1} s  SQS put it aside after ten tries (hurried by the tour): nothing is lost, and nothing waits for it.",
            sent.elapsed().as_secs_f64()
        );
        let metric = [
            ("Namespace", "AWS/SQS"),
            ("MetricData.member.1.MetricName", "ApproximateNumberOfMessagesVisible"),
            ("MetricData.member.1.Value", "1"),
            ("MetricData.member.1.Dimensions.member.1.Name", "QueueName"),
            ("MetricData.member.1.Dimensions.member.1.Value", "secrets-responder-failure-dlq"),
        ];
        aws.query("monitoring", "2010-08-01", "PutMetricData", &metric);
        println!("          The tour puts SQS's metric, as CloudWatch would have it.");
        self.show_alarm(sent);
    }

    fn end(self, stay: bool) {
        heading("That was it");
        println!(
            "  {:.0} s from nothing to here. The functions' lines are in {}.",
            self.start.elapsed().as_secs_f64(),
            self.emulator.log().display()
        );
        if stay {
            println!("\n  The account stays until Enter. In another terminal:\n");
            for (name, value) in [
                ("AWS_ENDPOINT_URL", self.aws.endpoint()),
                ("AWS_REGION", self.aws.region()),
                ("AWS_ACCESS_KEY_ID", self.aws.account()),
                ("AWS_SECRET_ACCESS_KEY", "unchecked"),
            ] {
                println!("    export {name}={value}");
            }
            println!("    cargo run -q -p responder-doctor -- check --regions {}", self.aws.region());
            println!("    cargo run -q -p responder-doctor -- drill");
            println!(
                "\n  The check names what the tour did: the parked message, the alarms, the queues in a hurry."
            );
            // Whatever is typed, or the end of the input.
            drop(stdin().lock().lines().next());
        }
    }

    /// Puts events into a handler's queue, as its rules do.
    fn feed(&self, handler: &str, events: &[Value]) {
        let queue = self.aws.create_queue(&format!("secrets-responder-{handler}"), &json!({}));
        self.aws.send(&queue, &events.iter().map(Value::to_string).collect::<Vec<_>>());
    }

    /// Waits until a handler has answered everything.
    fn emptied(&self, handler: &str) {
        let queue = self.aws.create_queue(&format!("secrets-responder-{handler}"), &json!({}));
        wait_until("everything is answered", PATIENCE, || (self.aws.depth(&queue) == 0).then_some(()));
    }

    /// The services that have another deployment than was seen, by name.
    fn news(&self, seen: &mut BTreeMap<String, String>) -> Vec<(String, String)> {
        let now = self.aws.primary_deployments();
        let news = now.iter().filter(|(service, id)| seen.get(*service) != Some(id));
        let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        let news = news.map(|(service, id)| (name(service), id.clone())).collect();
        *seen = now;
        news
    }

    /// Waits for one page, and shows the e-mail.
    fn show_page(&self, why: &str) {
        let (subject, body, seconds) = self.page();
        println!(
            "  +{seconds:.1} s  a page, as an e-mail shows it ({why}):\n\n    | Subject: {subject}\n    |"
        );
        for line in body.lines() {
            println!("    | {line}");
        }
    }

    /// Waits for one page, and shows its subject.
    fn show_subject(&self, why: &str) {
        let (subject, _, seconds) = self.page();
        println!("  +{seconds:.1} s  {subject} ({why})");
    }

    /// The subject and text of the next page, and how long it took; no other follows.
    fn page(&self) -> (String, String, f64) {
        let start = Instant::now();
        let pages = || self.mail.calls().into_iter().filter(|(operation, _)| operation == "Publish");
        let (_, page) = wait_until("a page arrives", PATIENCE, || pages().next());
        let seconds = start.elapsed().as_secs_f64();
        for handler in ["access", "rotation"] {
            self.emptied(handler);
        }
        sleep(Duration::from_secs(1));
        assert_eq!(pages().count(), 0, "a second page");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let forms: Value = serde_json::from_str(&text(&page["Message"])).expect("a form for each protocol");
        (text(&page["Subject"]), text(&forms["email"]), seconds)
    }

    /// Waits for the alarm of the parked message, and what SNS says of it.
    fn show_alarm(&self, since: Instant) {
        let alarm = wait_until("an alarm rings", PATIENCE, || {
            let messages = self.aws.drain(&self.inbox).into_iter();
            let mut alarms = messages.filter_map(|message| {
                let envelope: Value = serde_json::from_str(&message.body).ok()?;
                serde_json::from_str::<Value>(envelope["Message"].as_str()?).ok()
            });
            alarms.find(|alarm| {
                alarm["AlarmName"] == "secrets-responder-failure-dlq" && alarm["NewStateValue"] == "ALARM"
            })
        });
        println!(
            "  +{:.1} s  CloudWatch: {} is in ALARM, and the topic of pages tells it. {}",
            since.elapsed().as_secs_f64(),
            alarm["AlarmName"].as_str().unwrap_or_default(),
            alarm["AlarmDescription"].as_str().unwrap_or_default()
        );
    }

    fn say(&self, what: &str) {
        println!("  {:>4.1} s  {what}", self.start.elapsed().as_secs_f64());
    }
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.len()));
}
