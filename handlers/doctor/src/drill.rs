//! `doctor drill`: a marked event through the real path, until its page arrives in a queue of the drill's own.

use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName as Name;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::{Aws, why};
use crate::now;
use crate::progress::Progress;

/// The source of the drill's event (`rules/failure/drill.json`).
pub(crate) const SOURCE: &str = "secrets-responder.drill";
/// How long a receive waits (long polling).
const WAIT: i32 = 10;

/// A point on the way, and when it was passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Hop {
    /// What happened.
    pub(crate) what: &'static str,
    /// When.
    pub(crate) at: Timestamp,
    /// Milliseconds since the event was sent.
    pub(crate) after: i64,
}

/// What came of a drill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Drilled {
    /// The drill's mark.
    pub(crate) id: String,
    /// The hops that were seen.
    pub(crate) hops: Vec<Hop>,
    /// Whether the page arrived.
    pub(crate) arrived: bool,
    /// The page's subject.
    pub(crate) subject: String,
    /// What could not be tidied up.
    pub(crate) left: Vec<String>,
}

/// Runs a drill. The queue and its subscription are removed again, whatever happens.
pub(crate) async fn drill(
    aws: &Aws,
    prefix: &str,
    pages: &str,
    patience: Duration,
    progress: &Progress,
) -> Result<Drilled, String> {
    let config = aws.of(&aws.home);
    let bed = Bed {
        sqs: aws_sdk_sqs::Client::new(&config),
        sns: aws_sdk_sns::Client::new(&config),
        events: aws_sdk_eventbridge::Client::new(&config),
        topic: format!("arn:{}:sns:{}:{}:{}", aws.partition, aws.home, aws.account, pages),
    };
    let id = format!("drill-{}", now().millis());
    let mut drilled = Drilled { id: id.clone(), ..Drilled::default() };
    let name = format!("{prefix}-{id}");
    let created = bed.sqs.create_queue().queue_name(&name).send().await;
    let created = created.map_err(|error| why("sqs:CreateQueue", &error))?;
    let queue = created.queue_url().unwrap_or_default().to_owned();
    let mut subscription = None;
    let run = bed.run(&id, &queue, &mut subscription, patience, &mut drilled, progress).await;
    if let Some(subscription) = subscription
        && let Err(error) = bed.sns.unsubscribe().subscription_arn(&subscription).send().await
    {
        drilled.left.push(format!("the subscription {subscription} ({})", why("sns:Unsubscribe", &error)));
    }
    if let Err(error) = bed.sqs.delete_queue().queue_url(&queue).send().await {
        drilled.left.push(format!("the queue {name} ({})", why("sqs:DeleteQueue", &error)));
    }
    run.map(|()| drilled)
}

/// What a drill works with.
struct Bed {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    events: aws_sdk_eventbridge::Client,
    topic: String,
}

impl Bed {
    async fn run(
        &self,
        id: &str,
        queue: &str,
        subscription: &mut Option<String>,
        patience: Duration,
        drilled: &mut Drilled,
        progress: &Progress,
    ) -> Result<(), String> {
        progress.say("listening to the page topic".to_owned());
        *subscription = Some(self.listen(queue).await?);
        let begun = Instant::now();
        let sent = now();
        self.send(id).await?;
        let hop = |what, at: Timestamp| Hop { what, at, after: at.millis() - sent.millis() };
        drilled.hops.push(hop("the event is sent", sent));
        let taken = now();
        drilled.hops.push(hop("EventBridge has taken it", taken));
        progress.say("waiting for the page".to_owned());
        while begun.elapsed() < patience {
            let received = self.sqs.receive_message().queue_url(queue).wait_time_seconds(WAIT).send().await;
            let received = received.map_err(|error| why("sqs:ReceiveMessage", &error))?;
            for message in received.messages() {
                let envelope: Value =
                    serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
                let text = |name: &str| envelope.get(name).and_then(Value::as_str).unwrap_or_default();
                if !text("Message").contains(id) {
                    continue;
                }
                let arrived = now();
                // By the clock of SNS, which need not agree with ours.
                let published = text("Timestamp").parse().unwrap_or(arrived).max(taken).min(arrived);
                drilled.hops.push(hop("the function has published its page", published));
                drilled.hops.push(hop("the page has arrived", arrived));
                drilled.subject = Untrusted::new(text("Subject")).show(120);
                drilled.arrived = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lets the topic send to the queue, and subscribes it to drills only.
    async fn listen(&self, queue: &str) -> Result<String, String> {
        let arn =
            self.sqs.get_queue_attributes().queue_url(queue).attribute_names(Name::QueueArn).send().await;
        let arn = arn.map_err(|error| why("sqs:GetQueueAttributes", &error))?;
        let arn = arn.attributes().and_then(|attributes| attributes.get(&Name::QueueArn)).cloned();
        let arn = arn.ok_or("sqs:GetQueueAttributes: no ARN")?;
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}}}]});
        let set = self.sqs.set_queue_attributes().queue_url(queue);
        let set = set.attributes(Name::Policy, policy.to_string()).send().await;
        set.map_err(|error| why("sqs:SetQueueAttributes", &error))?;
        let subscribed = self.sns.subscribe().topic_arn(&self.topic).protocol("sqs").endpoint(&arn);
        let subscribed = subscribed
            .attributes("FilterPolicy", json!({"rule": ["drill"]}).to_string())
            .return_subscription_arn(true)
            .send()
            .await;
        let subscribed = subscribed.map_err(|error| why("sns:Subscribe", &error))?;
        Ok(subscribed.subscription_arn().unwrap_or_default().to_owned())
    }

    async fn send(&self, id: &str) -> Result<(), String> {
        let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source(SOURCE)
            .detail_type("Drill")
            .detail(json!({"eventName": "Drill", "drill": id}).to_string())
            .build();
        let put = self.events.put_events().entries(entry).send().await;
        let put = put.map_err(|error| why("events:PutEvents", &error))?;
        match put.entries().iter().find_map(|entry| entry.error_code()) {
            Some(code) => Err(format!("events:PutEvents: {}", Untrusted::new(code).show(60))),
            None => Ok(()),
        }
    }
}
