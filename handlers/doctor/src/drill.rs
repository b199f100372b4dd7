//! `doctor drill`: sends a marked event through the real path, until its page arrives in a queue of the drill's own.

use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use infra::json::read_text;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws_session::{AwsSession, CallAnswer as _, CallError};
use crate::clock::current_time;
use crate::progress::ProgressDisplay;

/// The source of the drill's event (`rules/failure/drill.json`).
const DRILL_SOURCE: &str = "secrets-responder.drill";
/// How many seconds a receive waits for a message (long polling).
const RECEIVE_WAIT_SECONDS: i32 = 10;

/// A point on the way of the event, and when it was passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DrillHop {
    /// The point, in words.
    pub(crate) what: &'static str,
    /// When the event passed it.
    pub(crate) at: Timestamp,
    /// How many milliseconds after the event was sent.
    pub(crate) after: i64,
}

/// The result of a drill. The names of the fields are the keys of the JSON output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct DrillResult {
    /// The drill's mark.
    pub(crate) id: String,
    /// The points that the event passed.
    pub(crate) hops: Vec<DrillHop>,
    /// Whether the page arrived.
    pub(crate) arrived: bool,
    /// The page's subject.
    pub(crate) subject: String,
    /// The resources of the drill that could not be removed.
    pub(crate) left: Vec<String>,
}

/// Why a drill cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrillError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The drill's queue has no ARN.
    #[error("sqs:GetQueueAttributes: no ARN")]
    NoQueueArn,
    /// `EventBridge` refused the event, with this code.
    #[error("events:PutEvents: {0}")]
    EventRefused(String),
}

/// Runs a drill. The queue and its subscription are removed again, whatever happens.
pub(crate) async fn run_drill(
    session: &AwsSession,
    prefix: &str,
    page_topic: &str,
    max_wait: Duration,
    progress: &ProgressDisplay,
) -> Result<DrillResult, DrillError> {
    let config = session.config_for(&session.home_region);
    let id = format!("drill-{}", current_time().millis());
    let name = format!("{prefix}-{id}");
    let sqs = aws_sdk_sqs::Client::new(&config);
    let created = sqs.create_queue().queue_name(&name).send().await;
    let created = created.for_call("sqs:CreateQueue")?;
    let mut drill = RunningDrill {
        sqs,
        sns: aws_sdk_sns::Client::new(&config),
        events: aws_sdk_eventbridge::Client::new(&config),
        topic_arn: session.home_arn("sns", page_topic),
        queue_url: created.queue_url().unwrap_or_default().to_owned(),
        subscription_arn: None,
        result: DrillResult { id, ..DrillResult::default() },
    };
    let outcome = drill.run(max_wait, progress).await;
    drill.remove_resources(&name).await;
    outcome.map(|()| drill.result)
}

/// A drill while it runs.
struct RunningDrill {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    events: aws_sdk_eventbridge::Client,
    topic_arn: String,
    queue_url: String,
    subscription_arn: Option<String>,
    result: DrillResult,
}

impl RunningDrill {
    async fn run(&mut self, max_wait: Duration, progress: &ProgressDisplay) -> Result<(), DrillError> {
        progress.show_message("subscribing to the page topic".to_owned());
        self.subscribe_queue().await?;
        let begun = Instant::now();
        let sent = current_time();
        self.send_event().await?;
        let accepted = current_time();
        let mut add_hop = |what: &'static str, at: Timestamp| {
            self.result.hops.push(DrillHop { what, at, after: at.millis() - sent.millis() });
        };
        add_hop("the event was sent", sent);
        add_hop("EventBridge accepted the event", accepted);
        progress.show_message("waiting for the page".to_owned());
        while begun.elapsed() < max_wait {
            let request = self.sqs.receive_message().queue_url(&self.queue_url);
            let answer = request.wait_time_seconds(RECEIVE_WAIT_SECONDS).send().await;
            let answer = answer.for_call("sqs:ReceiveMessage")?;
            for message in answer.messages() {
                let body = message.body().unwrap_or_default();
                let envelope: Value = serde_json::from_str(body).unwrap_or_default();
                // The page of another drill may come as well.
                if !read_text(&envelope["Message"]).contains(&self.result.id) {
                    continue;
                }
                let arrived = current_time();
                // The time of publishing is by the clock of SNS, which need not agree with ours.
                let published = read_text(&envelope["Timestamp"]).parse().unwrap_or(arrived);
                add_hop("the function published its page", published.max(accepted).min(arrived));
                add_hop("the page arrived", arrived);
                self.result.subject = Untrusted::new(read_text(&envelope["Subject"])).show(120);
                self.result.arrived = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lets the topic send to the queue, and subscribes the queue to drills only.
    async fn subscribe_queue(&mut self) -> Result<(), DrillError> {
        let request = self.sqs.get_queue_attributes().queue_url(&self.queue_url);
        let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        let answer = answer.for_call("sqs:GetQueueAttributes")?;
        let arn = answer.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::QueueArn));
        let arn = arn.ok_or(DrillError::NoQueueArn)?;
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": self.topic_arn}}}]});
        let request = self.sqs.set_queue_attributes().queue_url(&self.queue_url);
        let request = request.attributes(QueueAttributeName::Policy, policy.to_string());
        request.send().await.for_call("sqs:SetQueueAttributes")?;
        let request = self.sns.subscribe().topic_arn(&self.topic_arn).protocol("sqs").endpoint(arn);
        let request = request.attributes("FilterPolicy", json!({"rule": ["drill"]}).to_string());
        let answer = request.return_subscription_arn(true).send().await.for_call("sns:Subscribe")?;
        self.subscription_arn = Some(answer.subscription_arn().unwrap_or_default().to_owned());
        Ok(())
    }

    async fn send_event(&self) -> Result<(), DrillError> {
        let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source(DRILL_SOURCE)
            .detail_type("Drill")
            .detail(json!({"eventName": "Drill", "drill": self.result.id}).to_string())
            .build();
        let answer = self.events.put_events().entries(entry).send().await.for_call("events:PutEvents")?;
        for entry in answer.entries() {
            if let Some(code) = entry.error_code() {
                return Err(DrillError::EventRefused(Untrusted::new(code).show(60)));
            }
        }
        Ok(())
    }

    /// Removes the subscription and the queue; what cannot be removed is named in the result.
    async fn remove_resources(&mut self, queue_name: &str) {
        if let Some(subscription) = &self.subscription_arn {
            let answer = self.sns.unsubscribe().subscription_arn(subscription).send().await;
            if let Err(error) = answer.for_call("sns:Unsubscribe") {
                self.result.left.push(format!("the subscription {subscription} ({error})"));
            }
        }
        let answer = self.sqs.delete_queue().queue_url(&self.queue_url).send().await;
        if let Err(error) = answer.for_call("sqs:DeleteQueue") {
            self.result.left.push(format!("the queue {queue_name} ({error})"));
        }
    }
}
