//! The tour: shows the deployed responder at work on a changed secret, a failed rotation, a theft and a message that is no event.
//!
//! `tests/tour` builds the functions and runs the tour. Everything is on this machine: the emulated AWS, the deployed template, the real functions. The tour
//! plays the parts that only AWS has, and says so: CloudTrail's events, SQS's metrics, time.
//!
//! The output is the same on every machine, except for times and ids. The tour waits until the events of a scene are answered before it sends the next ones. It
//! sends no event whose page would depend on how SQS cuts its messages into batches. It shows the services in a fixed order.

#![expect(clippy::expect_used, reason = "a tour that cannot go on says why and ends")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, stdin};
use std::time::Instant;

use acceptance::aws::EmulatorClient;
use acceptance::{CallRecorder, Emulator, events, installation, now, wait_for_next_second, wait_until};
use serde_json::{Value, json};

const HELP: &str = "\
Show secrets-responder at work. This needs no AWS account, and nothing leaves this machine.

Usage: tests/tour [--stay]

The tour starts an emulated AWS and deploys infra/responder.yaml to it. It changes a secret, breaks a
rotation, steals twenty secrets and sends a message that is no event. It shows the deployments, pages
and alarms that follow.

Options:
      --stay  Keep the emulator running until Enter, and print how to use it
  -h, --help  Print help

Examples:
  tests/tour
  tests/tour --stay
";

/// The reads after a `ListSecrets` that page (`list-then-dump` in `rules/responses.json`).
const READS_THAT_PAGE: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stay = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--stay"] => true,
        ["-h" | "--help"] => return print!("{HELP}"),
        _ => {
            eprintln!("tests/tour: unknown option {}; see tests/tour --help", arguments.join(" "));
            std::process::exit(2);
        }
    };
    let tour = Tour::start();
    tour.show_a_changed_secret();
    tour.show_a_broken_rotation();
    tour.show_a_theft();
    tour.show_poison_and_an_alarm();
    tour.end(stay);
}

/// An account with a few services, and the responder in it.
struct Tour {
    emulator: Emulator,
    aws: EmulatorClient,
    /// Records what is published: the emulator delivers no e-mail.
    mail: CallRecorder,
    /// The pages that were published and not yet shown.
    pages: RefCell<Vec<PublishedPage>>,
    start: Instant,
}

/// A page as SNS gets it.
struct PublishedPage {
    subject: String,
    /// The text that an e-mail shows.
    email: String,
}

impl Tour {
    fn start() -> Self {
        let start = Instant::now();
        let emulator = Emulator::start();
        let aws = emulator.new_account();
        print_heading("An account, and the responder in it");
        println!("  An emulated AWS answers at {}, as account {}.", aws.endpoint(), aws.account());
        let mail = CallRecorder::start(&aws, "sns");
        installation::install(&aws, &[("AWS_ENDPOINT_URL_SNS", &mail.endpoint())]);
        installation::shorten_visibility(&aws);
        let tour = Self { emulator, aws, mail, pages: RefCell::default(), start };
        tour.print_time("CloudFormation made the stack secrets-responder of infra/responder.yaml: rules, queues, functions,");
        println!("          ledger, alarms and the page topic.");
        println!(
            "          To save time, SQS repeats a failed delivery after seconds, not after three minutes."
        );
        tour
    }

    /// From the bus through rule, queue and function to ECS.
    fn show_a_changed_secret(&self) {
        print_heading("A secret changes");
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
        wait_for_next_second();
        aws.put_secret_value(&database, "a new password");
        let changed = Instant::now();
        self.print_time("prod/shop/database has a new value. Running tasks still hold the old one.");
        for service in ["web", "worker"] {
            let deployment = wait_until(&format!("{service} is redeployed"), || {
                let after = aws.primary_deployments();
                new_deployment(&before, &after, service)
            });
            print_elapsed(changed, &format!("ECS: {service} has a new deployment, {deployment}"));
        }
        aws.wait_until_empty(&installation::handler_queue(aws, "rotation"));
        let after = aws.primary_deployments();
        assert_eq!(new_deployment(&before, &after, "mailer"), None, "nothing else is redeployed");
        println!("          mailer was not redeployed: it does not use the secret.");
    }

    /// From the queue on: `PutEvents` refuses the sources of AWS.
    fn show_a_broken_rotation(&self) {
        print_heading("A rotation breaks");
        let aws = &self.aws;
        let secret = aws.arn("secretsmanager", "secret:prod/shop/billing-AbCdEf");
        let failed = || events::rotation_failed(aws, &secret, now(), "setSecret");
        println!(
            "  The tour sends CloudTrail's event RotationFailed three times: one rotation, three attempts."
        );
        self.feed("failure", &[failed()]);
        self.show_page("prod/shop/billing", "the first attempt");
        self.feed("failure", &[failed(), failed()]);
        self.assert_no_page("failure", "prod/shop/billing");
        println!("\n          The other two attempts are the same incident: no second page.");
        println!("  Somebody repairs it: the next rotation succeeds.");
        // CloudTrail dates in whole seconds.
        wait_for_next_second();
        self.feed("rotation", &[events::rotation_succeeded(aws, &secret, now())]);
        self.show_subject("prod/shop/billing", "the incident is resolved under the same key");
        self.assert_no_page("rotation", "prod/shop/billing");
    }

    /// The first reads are those that page, whichever of them come in one batch; the others join the incident, which pages again at
    /// ten secrets and at twenty. Whether there is a page between depends on the batches.
    fn show_a_theft(&self) {
        print_heading("Twenty secrets are stolen");
        let start = now();
        let mut reads = Vec::new();
        for number in 0..20 {
            let secret =
                self.aws.arn("secretsmanager", &format!("secret:prod/team-{number}/database-AbCdEf"));
            reads.push(events::secret_read(&self.aws, "contractor", &secret, start));
        }
        println!(
            "  Somebody holds a contractor's access key, lists the secrets and reads twenty. CloudTrail reports"
        );
        println!("  each read twice, and in no order.");
        let mut listing = events::secret_read(&self.aws, "contractor", "", start);
        listing["detail"]["eventName"] = json!("ListSecrets");
        listing["detail"]["requestParameters"] = json!({"maxResults": 100});
        self.feed("access", &[listing]);
        self.assert_no_page("access", "contractor");
        let (first, others) = reads.split_at(READS_THAT_PAGE);
        self.feed("access", &reported_twice(first));
        self.show_page("contractor", "the fifth secret is enough");
        self.assert_no_page("access", "contractor");
        self.feed("access", &reported_twice(others));
        self.show_growth("contractor", "20 different secrets");
        self.assert_no_page("access", "contractor");
        println!(
            "          The reads of the fifteen other secrets join this incident: the page comes again as it grows."
        );
    }

    fn show_poison_and_an_alarm(&self) {
        print_heading("A message arrives that is no event");
        let aws = &self.aws;
        let queue = installation::handler_queue(aws, "failure");
        aws.set_visibility(&queue, 1);
        let sent = Instant::now();
        aws.send(&queue, &["{\"detail\": not JSON".to_owned()]);
        self.show_subject("could not be understood", "on-call is paged at once");
        let dead_letters = installation::dead_letter_queue(aws, "failure");
        wait_until("the message is quarantined", || (aws.depth(&dead_letters) == 1).then_some(()));
        print_elapsed(
            sent,
            "After ten receives, SQS moved the message to the dead-letter queue. No other message waited for it.",
        );
        self.assert_no_page("failure", "could not be understood");
        let metric = "ApproximateNumberOfMessagesVisible";
        installation::put_metric(aws, "AWS/SQS", metric, ("QueueName", "secrets-responder-failure-dlq"));
        println!("          The tour sends the metric of this queue, which the emulator lacks.");
        self.show_alarm(sent);
    }

    fn end(self, stay: bool) {
        print_heading("The end");
        for page in self.pages.take() {
            println!("  Also published: {}", page.subject);
        }
        println!(
            "  The tour took {:.0} s. The log of the functions is {}.",
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
            println!("    doctor check --regions {}", self.aws.region());
            println!("    doctor drill");
            println!(
                "\n  The check reports traces of the tour: the dead letter, the alarms, the short timeouts of the queues."
            );
            // Anything that is typed, or the end of the input.
            drop(stdin().lock().lines().next());
        }
    }

    /// Puts events into a handler's queue, as its rules do.
    fn feed(&self, handler: &str, events: &[Value]) {
        let queue = installation::handler_queue(&self.aws, handler);
        self.aws.send(&queue, &events.iter().map(Value::to_string).collect::<Vec<_>>());
    }

    /// Waits for a page about something, and shows the e-mail.
    fn show_page(&self, about: &str, why: &str) {
        let start = Instant::now();
        let page = wait_until(&format!("a page about {about}"), || self.take_page(about));
        print_elapsed(start, &format!("a page, as an e-mail shows it ({why}):\n"));
        println!("    | Subject: {}\n    |", page.subject);
        for line in page.email.lines() {
            println!("    | {line}");
        }
    }

    /// Waits for the page about something that tells the whole of it, and shows its subject and its conclusion.
    fn show_growth(&self, about: &str, whole: &str) {
        let start = Instant::now();
        let page = wait_until(&format!("a page with {whole}"), || {
            self.take_page(about).filter(|page| page.email.contains(whole))
        });
        let conclusion = page.email.lines().next().unwrap_or_default();
        print_elapsed(start, &format!("{}\n          {conclusion}", page.subject));
    }

    /// Waits for a page about something, and shows its subject.
    fn show_subject(&self, about: &str, why: &str) {
        let start = Instant::now();
        let page = wait_until(&format!("a page about {about}"), || self.take_page(about));
        print_elapsed(start, &format!("{} ({why})", page.subject));
    }

    /// Waits until a handler has answered everything, and sees that it did not page about something again.
    fn assert_no_page(&self, handler: &str, about: &str) {
        self.aws.wait_until_empty(&installation::handler_queue(&self.aws, handler));
        let page = self.take_page(about);
        assert!(
            page.is_none(),
            "a second page about {about}: {}",
            page.map_or_else(String::new, |page| page.subject)
        );
    }

    /// Takes the first page about something out of those that were published.
    fn take_page(&self, about: &str) -> Option<PublishedPage> {
        let mut pages = self.pages.borrow_mut();
        for call in self.mail.take_calls() {
            if call.operation == "Publish" {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let message = text(&call.request["Message"]);
                let forms: Value = serde_json::from_str(&message).expect("a form for each protocol");
                let email = text(&forms["email"]);
                pages.push(PublishedPage { subject: text(&call.request["Subject"]), email });
            }
        }
        let found =
            pages.iter().position(|page| page.subject.contains(about) || page.email.contains(about))?;
        Some(pages.remove(found))
    }

    /// Waits for the alarm of the dead letter, and shows the message that SNS gets.
    fn show_alarm(&self, since: Instant) {
        let inbox = installation::inbox(&self.aws);
        let alarm = wait_until("an alarm rings", || {
            for message in self.aws.drain(&inbox) {
                let envelope: Value = serde_json::from_str(&message.body).expect("SNS sends JSON");
                let text = envelope["Message"].as_str().unwrap_or_default();
                let alarm: Value = serde_json::from_str(text).unwrap_or_default();
                if alarm["AlarmName"] == "secrets-responder-failure-dlq" && alarm["NewStateValue"] == "ALARM"
                {
                    return Some(alarm);
                }
            }
            None
        });
        let name = alarm["AlarmName"].as_str().unwrap_or_default();
        let description = alarm["AlarmDescription"].as_str().unwrap_or_default();
        print_elapsed(
            since,
            &format!("CloudWatch: {name} is in ALARM, and notifies the page topic: {description}"),
        );
    }

    /// Prints a line with the time since the start.
    fn print_time(&self, line: &str) {
        println!("  {:>4.1} s  {line}", self.start.elapsed().as_secs_f64());
    }
}

/// Events as `CloudTrail` may report them: each twice, and the last one first.
fn reported_twice(reads: &[Value]) -> Vec<Value> {
    reads.iter().rev().chain(reads).cloned().collect()
}

/// The id of a service's PRIMARY deployment, if it is another one than before.
fn new_deployment(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    service: &str,
) -> Option<String> {
    let (arn, id) = after.iter().find(|(arn, _)| arn.ends_with(&format!("/{service}")))?;
    (before.get(arn) != Some(id)).then(|| id.clone())
}

/// Prints a line with the time since an event.
fn print_elapsed(since: Instant, line: &str) {
    println!("  +{:.1} s  {line}", since.elapsed().as_secs_f64());
}

fn print_heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.len()));
}
