//! The whole path of one test: table, topic, and per function a queue, a dead-letter queue, the function and its mapping.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::aws::{EmulatorClient, SqsMessage, SqsQueue};
use crate::{Emulator, FakeAws, FunctionProcess, paths, wait_until};

/// The ledger's table in every test bed.
pub const LEDGER_TABLE: &str = "ledger";

/// Seconds that the emulator gives an invocation, as the template does (`Timing`, `standard`).
const FUNCTION_TIMEOUT_SECONDS: u32 = 60;

/// An account of its own in an emulator.
#[derive(Debug)]
pub struct TestBed {
    /// Calls in this account.
    pub aws: EmulatorClient,
    emulator: Arc<Emulator>,
    topic: String,
    inbox: SqsQueue,
    functions: Mutex<Vec<DeployedFunction>>,
}

/// A deployed function and its queues.
#[derive(Clone, Debug)]
pub struct DeployedHandler {
    /// The queue that the rules feed.
    pub queue: SqsQueue,
    /// The queue of messages that failed too often.
    pub dead_letters: SqsQueue,
}

/// How a handler's queue treats messages that fail.
#[derive(Clone, Copy, Debug)]
pub struct RedeliveryPolicy {
    /// Seconds after which a message that was not answered is delivered again.
    pub visibility_seconds: u32,
    /// Deliveries after which a message is parked.
    pub max_receives: u32,
}

impl RedeliveryPolicy {
    /// For tests in which no message should fail. A slow machine lets a message be delivered again, because the invocation outlives the visibility timeout or
    /// because another one holds its claim; after twenty times there must be a fault.
    pub const TOLERANT: Self = Self { visibility_seconds: 5, max_receives: 20 };
    /// For tests that wait until poison is parked: twenty seconds.
    pub const PARKS_EARLY: Self = Self { visibility_seconds: 5, max_receives: 4 };
}

/// A page as the on-call receives it.
#[derive(Clone, Debug)]
pub struct ReceivedPage {
    /// The subject, which SNS's limits were checked for.
    pub subject: String,
    /// The message.
    pub message: String,
    /// The whole envelope.
    pub envelope: Value,
}

#[derive(Debug)]
struct DeployedFunction {
    name: String,
    mapping: String,
}

impl TestBed {
    /// A new account in the shared emulator, with a table and a topic that a queue is subscribed to.
    pub fn new() -> Self {
        Self::in_emulator(Emulator::shared())
    }

    /// A new account in this emulator, with a table and a topic that a queue is subscribed to.
    pub fn in_emulator(emulator: Arc<Emulator>) -> Self {
        let aws = emulator.new_account();
        aws.create_ledger(LEDGER_TABLE);
        let topic = aws.create_topic("pages");
        let inbox = aws.create_queue("inbox", &json!({}));
        aws.subscribe(&topic, &inbox);
        Self { aws, emulator, topic, inbox, functions: Mutex::default() }
    }

    /// The configuration of every function. With credentials, which the emulator replaces and [`FunctionProcess`] needs.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.aws.endpoint()),
            ("AWS_REGION", self.aws.region()),
            ("AWS_ACCESS_KEY_ID", self.aws.account()),
            ("AWS_SECRET_ACCESS_KEY", "unchecked"),
            ("LEDGER_TABLE", LEDGER_TABLE),
            ("PAGE_TOPIC_ARN", &self.topic),
            ("SETTLE_SECONDS", "0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Starts one of the product's functions with an ECS and a Secrets Manager that are the fake.
    pub fn start_with_fake(&self, function: &str, fake: &FakeAws) -> FunctionProcess {
        let mut environment = self.environment();
        for service in ["ECS", "SECRETS_MANAGER"] {
            environment.push((format!("AWS_ENDPOINT_URL_{service}"), fake.endpoint()));
        }
        FunctionProcess::start(&paths::function(function), &environment)
    }

    /// Deploys one of the product's functions: `rotation`, `access`, `failure` or `sweep`.
    pub fn deploy(&self, function: &str) -> DeployedHandler {
        self.deploy_binary(function, &paths::function(function), &[], RedeliveryPolicy::TOLERANT)
    }

    /// Deploys a function binary, with other values for some of its variables.
    pub fn deploy_binary(
        &self,
        function: &str,
        binary: &Path,
        variables: &[(&str, &str)],
        redelivery: RedeliveryPolicy,
    ) -> DeployedHandler {
        let mut environment = self.environment();
        environment.retain(|(name, _)| variables.iter().all(|(other, _)| name != other));
        environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let dead_letters = self.aws.create_queue(&format!("{function}-dead-letters"), &json!({}));
        let queue = self.aws.create_work_queue(
            &format!("{function}-queue"),
            redelivery.visibility_seconds,
            &dead_letters,
            redelivery.max_receives,
        );
        self.aws.create_function(function, binary, &environment, FUNCTION_TIMEOUT_SECONDS);
        let mapping = self.aws.create_mapping(&queue, function);
        let deployed = DeployedFunction { name: function.to_owned(), mapping };
        self.functions.lock().expect("no test panics while it deploys").push(deployed);
        DeployedHandler { queue, dead_letters }
    }

    /// Sends the native event of every changed secret to a handler's queue.
    pub fn route_label_updates(&self, handler: &DeployedHandler) {
        let pattern = json!({
            "source": ["aws.secretsmanager"],
            "detail-type": ["Secret Label Updated"],
            "detail": {"labelUpdated": ["AWSCURRENT"]},
        });
        self.aws.route("secret-label-updated", &pattern, &handler.queue.arn);
    }

    /// Puts events on a handler's queue, as a rule does.
    pub fn send(&self, handler: &DeployedHandler, events: &[Value]) {
        let bodies: Vec<String> = events.iter().map(Value::to_string).collect();
        self.aws.send(&handler.queue, &bodies);
    }

    /// Waits until a handler's queue is empty, that is, every message was answered or parked.
    pub fn wait_until_answered(&self, handler: &DeployedHandler) {
        self.aws.wait_until_empty(&handler.queue);
    }

    /// Takes the messages that were parked.
    pub fn take_parked(&self, handler: &DeployedHandler) -> Vec<SqsMessage> {
        self.aws.drain(&handler.dead_letters)
    }

    /// Takes the pages that have arrived.
    ///
    /// # Panics
    ///
    /// If a page's subject or message is one that SNS would refuse: the emulator does not.
    pub fn take_pages(&self) -> Vec<ReceivedPage> {
        self.aws.drain(&self.inbox).iter().map(ReceivedPage::parse).collect()
    }

    /// Waits until `count` pages have arrived, and returns them.
    ///
    /// # Panics
    ///
    /// If they do not arrive, or more do.
    pub fn wait_for_pages(&self, count: usize) -> Vec<ReceivedPage> {
        let mut pages = Vec::new();
        wait_until(&format!("{count} pages arrive"), || {
            pages.extend(self.take_pages());
            (pages.len() >= count).then_some(())
        });
        assert_eq!(pages.len(), count, "more pages than expected: {pages:#?}");
        pages
    }

    /// Waits until the services with these ARNs, and no other, have another deployment than `before` (from [`EmulatorClient::primary_deployments`]).
    ///
    /// # Panics
    ///
    /// If one of them is not redeployed, or another service is.
    pub fn wait_for_redeployments(&self, before: &BTreeMap<String, String>, services: &[&str]) {
        let mut expected: Vec<&str> = services.to_vec();
        expected.sort_unstable();
        wait_until(&format!("{expected:?} are redeployed"), || {
            let redeployed = self.redeployed(before);
            let stray = redeployed.iter().find(|service| !expected.contains(&service.as_str()));
            assert!(stray.is_none(), "{stray:?} was redeployed");
            (redeployed == expected).then_some(())
        });
    }

    /// The ARNs of the services that have another deployment than `before`, sorted.
    pub fn redeployed(&self, before: &BTreeMap<String, String>) -> Vec<String> {
        let mut redeployed = self.aws.primary_deployments();
        redeployed.retain(|service, id| before.get(service) != Some(id));
        redeployed.into_keys().collect()
    }
}

impl Default for TestBed {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestBed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "account {} of the emulator; the functions' output is in {}",
                self.aws.account(),
                self.emulator.log().display()
            );
            return;
        }
        for function in self.functions.get_mut().into_iter().flat_map(|functions| functions.drain(..)) {
            self.aws.delete_function(&function.name, &function.mapping);
        }
    }
}

impl ReceivedPage {
    /// The page in a message of SNS.
    ///
    /// # Panics
    ///
    /// If its subject or text is one that SNS would refuse: the emulator does not.
    pub fn parse(message: &SqsMessage) -> Self {
        let envelope: Value = serde_json::from_str(&message.body).expect("SNS sends JSON");
        let text = |field: &str| envelope[field].as_str().unwrap_or_default().to_owned();
        let page = Self { subject: text("Subject"), message: text("Message"), envelope };
        let subject = &page.subject;
        assert!(
            !subject.is_empty() && subject.len() < 100,
            "SNS refuses a subject of {} characters",
            subject.len()
        );
        assert!(subject.chars().all(|c| (' '..='~').contains(&c)), "not printable ASCII: {subject:?}");
        assert!(!page.message.is_empty(), "SNS refuses an empty message");
        page
    }

    /// A message attribute of the page, such as `rule`.
    pub fn attribute(&self, name: &str) -> &str {
        self.envelope["MessageAttributes"][name]["Value"].as_str().unwrap_or_default()
    }
}
