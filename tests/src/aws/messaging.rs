//! Queues, topics, and the rules of the event bus.

use serde_json::{Value, json};

use super::EmulatorClient;
use crate::wait_until;

/// A queue of SQS.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    /// The address that calls of SQS take.
    pub url: String,
    /// The name that other services take.
    pub arn: String,
}

/// A received message.
#[derive(Clone, Debug)]
pub struct SqsMessage {
    /// The id that SQS gave it.
    pub id: String,
    /// The text that was sent.
    pub body: String,
    /// How often it was received, this time included.
    pub received: u64,
}

impl EmulatorClient {
    /// Creates a queue; `attributes` are strings by name, as SQS wants them.
    pub fn create_queue(&self, name: &str, attributes: &Value) -> SqsQueue {
        let answer = self.sqs("CreateQueue", &json!({"QueueName": name, "Attributes": attributes}));
        let url = answer["QueueUrl"].as_str().unwrap_or_else(|| panic!("no queue URL: {answer}"));
        SqsQueue { url: url.to_owned(), arn: self.arn("sqs", name) }
    }

    /// Creates a queue whose messages move to `dead_letters` after `receives` failures; a failed message is seen again after `visibility` seconds.
    pub fn create_work_queue(
        &self,
        name: &str,
        visibility: u32,
        dead_letters: &SqsQueue,
        receives: u32,
    ) -> SqsQueue {
        let redrive = json!({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives});
        self.create_queue(
            name,
            &json!({"VisibilityTimeout": visibility.to_string(), "RedrivePolicy": redrive.to_string()}),
        )
    }

    /// Sends messages, ten in a request. A mapping may get the ten in one batch or in several: no test may depend on that.
    pub fn send(&self, queue: &SqsQueue, bodies: &[String]) {
        for ten in bodies.chunks(10) {
            let mut entries = Vec::new();
            for (number, body) in ten.iter().enumerate() {
                entries.push(json!({"Id": number.to_string(), "MessageBody": body}));
            }
            let answer = self.sqs("SendMessageBatch", &json!({"QueueUrl": queue.url, "Entries": entries}));
            let failed = answer["Failed"].as_array().map_or(0, Vec::len);
            assert_eq!(failed, 0, "messages were refused: {answer}");
        }
    }

    /// Takes all messages that are visible now out of a queue.
    pub fn drain(&self, queue: &SqsQueue) -> Vec<SqsMessage> {
        let mut messages = Vec::new();
        loop {
            let request =
                json!({"QueueUrl": queue.url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]});
            let answer = self.sqs("ReceiveMessage", &request);
            let received = answer["Messages"].as_array().cloned().unwrap_or_default();
            if received.is_empty() {
                return messages;
            }
            for message in received {
                self.sqs(
                    "DeleteMessage",
                    &json!({"QueueUrl": queue.url, "ReceiptHandle": message["ReceiptHandle"]}),
                );
                let count = message["Attributes"]["ApproximateReceiveCount"].as_str();
                messages.push(SqsMessage {
                    id: message["MessageId"].as_str().unwrap_or_default().to_owned(),
                    body: message["Body"].as_str().unwrap_or_default().to_owned(),
                    received: count.and_then(|count| count.parse().ok()).unwrap_or(0),
                });
            }
        }
    }

    /// The messages that wait in a queue, are being worked on, or are delayed.
    pub fn depth(&self, queue: &SqsQueue) -> u64 {
        let answer =
            self.sqs("GetQueueAttributes", &json!({"QueueUrl": queue.url, "AttributeNames": ["All"]}));
        let mut depth = 0;
        for kind in ["", "NotVisible", "Delayed"] {
            let count = answer["Attributes"][format!("ApproximateNumberOfMessages{kind}")].as_str();
            depth += count.and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
        }
        depth
    }

    /// Waits until a queue is empty: every message was answered, or moved to the dead-letter queue.
    pub fn wait_until_empty(&self, queue: &SqsQueue) {
        wait_until(&format!("{} is empty", queue.arn), || (self.depth(queue) == 0).then_some(()));
    }

    /// Sets the seconds after which a message that was not answered is delivered again. It holds for what is delivered from now on.
    pub fn set_visibility(&self, queue: &SqsQueue, seconds: u32) {
        let attributes = json!({"VisibilityTimeout": seconds.to_string()});
        self.sqs("SetQueueAttributes", &json!({"QueueUrl": queue.url, "Attributes": attributes}));
    }

    /// Finds a queue by its name.
    pub fn find_queue(&self, name: &str) -> SqsQueue {
        let answer = self.sqs("GetQueueUrl", &json!({"QueueName": name}));
        let url = answer["QueueUrl"].as_str().unwrap_or_else(|| panic!("no queue URL: {answer}"));
        SqsQueue { url: url.to_owned(), arn: self.arn("sqs", name) }
    }

    /// Creates a topic; gives its ARN back.
    pub fn create_topic(&self, name: &str) -> String {
        self.sns("CreateTopic", &[("Name", name)]);
        self.arn("sns", name)
    }

    /// Subscribes a queue, which then gets SNS's envelope.
    pub fn subscribe(&self, topic: &str, queue: &SqsQueue) {
        self.sns("Subscribe", &[("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", &queue.arn)]);
    }

    /// Deletes a topic, to see what a function does that cannot page.
    pub fn delete_topic(&self, topic: &str) {
        self.sns("DeleteTopic", &[("TopicArn", topic)]);
    }

    /// Sends events that match `pattern` to a target.
    pub fn route(&self, rule: &str, pattern: &Value, target_arn: &str) {
        self.events("PutRule", &json!({"Name": rule, "EventPattern": pattern.to_string()}));
        let targets = json!([{"Id": "target", "Arn": target_arn}]);
        let answer = self.events("PutTargets", &json!({"Rule": rule, "Targets": targets}));
        assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    }

    /// Puts entries on the default bus; gives the answer back, for its `FailedEntryCount`.
    pub fn put_events(&self, entries: &Value) -> Value {
        self.events("PutEvents", &json!({"Entries": entries}))
    }

    fn sqs(&self, action: &str, body: &Value) -> Value {
        self.json("sqs", &format!("AmazonSQS.{action}"), body)
    }

    fn sns(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        self.query("sns", "2010-03-31", action, parameters)
    }

    fn events(&self, action: &str, body: &Value) -> Value {
        self.json("events", &format!("AWSEvents.{action}"), body)
    }
}
