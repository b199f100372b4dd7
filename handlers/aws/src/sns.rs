//! SNS: sends a page, and its notification for the chats.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use responder_core::notify::Notification;
use responder_core::time::Timestamp;
use responder_engine::EngineError;

use crate::calls::call;
use crate::error::unbuilt;

/// `Publish`, with a message for each protocol.
pub(crate) async fn publish(
    client: &Client,
    topic: &str,
    page: &Notification,
    key: &str,
    until: Timestamp,
) -> Result<(), EngineError> {
    let sent = client.publish().topic_arn(topic).subject(&page.subject);
    let mut sent = sent.message_structure("json").message(page.message());
    let own = [("key", key)];
    for (name, value) in page.attributes.iter().map(|(name, value)| (*name, value.as_str())).chain(own) {
        sent = sent.message_attributes(name, attribute(value).map_err(unbuilt("sns", "Publish"))?);
    }
    call(until, "sns", "Publish", sent.send()).await.map(|_| ())
}

/// `Publish` of the notification alone: Amazon Q Developer drops what is anything else.
pub(crate) async fn chat(
    client: &Client,
    topic: &str,
    page: &Notification,
    until: Timestamp,
) -> Result<(), EngineError> {
    let sent = client.publish().topic_arn(topic).message(&page.chat);
    call(until, "sns", "Publish", sent.send()).await.map(|_| ())
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}
