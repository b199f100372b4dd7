//! The whole path of one test: table, topic, and per function a queue, a dead-letter queue, the function and its mapping.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::{Client, Message, Queue};
use crate::{Emulator, Fake, Function, paths, wait_until};

/// Seconds after which a failed message is tried again.
const VISIBILITY: u32 = 1;

/// Failures after which a message is parked. In production at least 5; fewer keep the tests short.
const RECEIVES: u32 = 3;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// An account of its own in the shared emulator.
#[derive(Debug)]
pub struct World {
    /// Calls in this account.
    pub aws: Client,
    emulator: &'static Emulator,
    topic: String,
    inbox: Queue,
    deployed: Mutex<Vec<Deployed>>,
}

/// A deployed function and its queues.
#[derive(Clone, Debug)]
pub struct Handler {
    /// What the rules feed.
    pub queue: Queue,
    /// Where its poison goes.
    pub dead_letters: Queue,
}

/// A page as the on-call receives it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The subject, which SNS's limits were checked for.
    pub subject: String,
    /// The message.
    pub message: String,
    /// The whole envelope.
    pub envelope: Value,
}

#[derive(Debug)]
struct Deployed {
    function: String,
    mapping: String,
}

/// The ledger's table in every world.
pub const TABLE: &str = "ledger";

impl World {
    /// A new account with a table and a topic that a queue is subscribed to.
    pub fn new() -> Self {
        let emulator = Emulator::shared();
        let aws = emulator.account();
        aws.create_ledger(TABLE);
        let topic = aws.create_topic("pages");
        let inbox = aws.create_queue("inbox", &json!({}));
        aws.subscribe(&topic, &inbox);
        Self { aws, emulator, topic, inbox, deployed: Mutex::default() }
    }

    /// What every function is configured with. With credentials, which the emulator replaces and [`crate::Function`] needs.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.aws.endpoint()),
            ("AWS_REGION", self.aws.region()),
            ("AWS_ACCESS_KEY_ID", self.aws.account()),
            ("AWS_SECRET_ACCESS_KEY", "unchecked"),
            ("LEDGER_TABLE", TABLE),
            ("PAGE_TOPIC_ARN", &self.topic),
            ("SETTLE_SECONDS", "0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Starts one of the product's functions with an ECS and a Secrets Manager that are the fake.
    pub fn start(&self, function: &str, fake: &Fake) -> Function {
        let mut environment = self.environment();
        for service in ["ECS", "SECRETS_MANAGER"] {
            environment.push((format!("AWS_ENDPOINT_URL_{service}"), fake.endpoint()));
        }
        Function::start(&paths::function(function), &environment)
    }

    /// Deploys one of the product's functions: `rotation`, `access`, `failure` or `sweep`.
    pub fn deploy(&self, function: &str) -> Handler {
        self.deploy_with(function, &paths::function(function), &[])
    }

    /// Deploys any function binary.
    pub fn deploy_binary(&self, function: &str, binary: &Path) -> Handler {
        self.deploy_with(function, binary, &[])
    }

    /// Deploys a function binary with other values for some of its variables.
    pub fn deploy_with(&self, function: &str, binary: &Path, variables: &[(&str, &str)]) -> Handler {
        let mut environment = self.environment();
        environment.retain(|(name, _)| variables.iter().all(|(other, _)| name != other));
        environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let dead_letters = self.aws.create_queue(&format!("{function}-dead-letters"), &json!({}));
        let queue =
            self.aws.create_work_queue(&format!("{function}-queue"), VISIBILITY, &dead_letters, RECEIVES);
        self.aws.create_function(function, binary, &environment, 10);
        let mapping = self.aws.map(&queue, function);
        let deployed = Deployed { function: function.to_owned(), mapping };
        self.deployed.lock().expect("no test panics while it deploys").push(deployed);
        Handler { queue, dead_letters }
    }

    /// Sends the native event of every changed secret to a handler's queue.
    pub fn route_label_updates(&self, handler: &Handler) {
        let pattern = json!({
            "source": ["aws.secretsmanager"],
            "detail-type": ["Secret Label Updated"],
            "detail": {"labelUpdated": ["AWSCURRENT"]},
        });
        self.aws.route("secret-label-updated", &pattern, &handler.queue.arn);
    }

    /// Puts events on a handler's queue, as a rule does.
    pub fn send(&self, handler: &Handler, events: &[Value]) {
        let bodies: Vec<String> = events.iter().map(Value::to_string).collect();
        self.aws.send(&handler.queue, &bodies);
    }

    /// Waits until a handler's queue is empty, that is, every message was answered or parked.
    pub fn settle(&self, handler: &Handler) {
        wait_until("the queue is empty", PATIENCE, || (self.aws.depth(&handler.queue) == 0).then_some(()));
    }

    /// Takes the messages that were parked.
    pub fn parked(&self, handler: &Handler) -> Vec<Message> {
        self.aws.drain(&handler.dead_letters)
    }

    /// Takes the pages that have arrived, asserting what SNS would refuse: the emulator does not.
    ///
    /// # Panics
    ///
    /// If a page's subject or message is one that SNS would refuse.
    pub fn pages(&self) -> Vec<Page> {
        self.aws.drain(&self.inbox).iter().map(Page::of).collect()
    }

    /// Waits until `count` pages have arrived, and gives them back.
    ///
    /// # Panics
    ///
    /// If that takes too long or more come.
    pub fn wait_for_pages(&self, count: usize) -> Vec<Page> {
        let mut pages = Vec::new();
        wait_until(&format!("{count} pages arrive"), PATIENCE, || {
            pages.extend(self.pages());
            (pages.len() >= count).then_some(())
        });
        assert_eq!(pages.len(), count, "more pages than expected: {pages:#?}");
        pages
    }

    /// Waits until the services with these ARNs, and no other, have another deployment than `before` (from [`Client::primary_deployments`]).
    ///
    /// # Panics
    ///
    /// If that takes too long or another service was redeployed.
    pub fn wait_for_redeployments(
        &self,
        before: &std::collections::BTreeMap<String, String>,
        services: &[&str],
    ) {
        let mut expected: Vec<&str> = services.to_vec();
        expected.sort_unstable();
        wait_until(&format!("{expected:?} are redeployed"), PATIENCE, || {
            let redeployed = self.redeployed(before);
            let stray = redeployed.iter().find(|service| !expected.contains(&service.as_str()));
            assert!(stray.is_none(), "{stray:?} was redeployed");
            (redeployed == expected).then_some(())
        });
    }

    /// The ARNs of the services that have another deployment than `before`, sorted.
    pub fn redeployed(&self, before: &std::collections::BTreeMap<String, String>) -> Vec<String> {
        let now = self.aws.primary_deployments();
        now.into_iter()
            .filter(|(service, id)| before.get(service) != Some(id))
            .map(|(service, _)| service)
            .collect()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "account {} of the emulator; the functions' output is in {}",
                self.aws.account(),
                self.emulator.log().display()
            );
            return;
        }
        for deployed in self.deployed.get_mut().into_iter().flat_map(|deployed| deployed.drain(..)) {
            self.aws.delete_function(&deployed.function, &deployed.mapping);
        }
    }
}

impl Page {
    /// The page in a message of SNS.
    ///
    /// # Panics
    ///
    /// If its subject or text is one that SNS would refuse: the emulator does not.
    pub fn of(message: &Message) -> Self {
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
}
