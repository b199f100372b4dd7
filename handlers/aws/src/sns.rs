//! SNS: sends a page, and its short form for the chats.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use responder_core::notify::Notification;
use responder_core::time::Timestamp;
use responder_engine::EngineError;

use crate::calls::make_call;
use crate::error::request_not_built;

/// `Publish`, with a message for each protocol. The incident's key is one more attribute, `key`.
pub(crate) async fn publish_page(
    client: &Client,
    topic: &str,
    page: &Notification,
    key: &str,
    until: Timestamp,
) -> Result<(), EngineError> {
    let mut request = client
        .publish()
        .topic_arn(topic)
        .subject(&page.subject)
        .message_structure("json")
        .message(page.message());
    for (name, value) in &page.attributes {
        request = request.message_attributes(*name, build_attribute(value)?);
    }
    request = request.message_attributes("key", build_attribute(key)?);
    make_call(until, "sns", "Publish", request.send()).await?;
    Ok(())
}

/// `Publish` of the short form alone: Amazon Q Developer drops any other message.
pub(crate) async fn publish_chat(
    client: &Client,
    topic: &str,
    page: &Notification,
    until: Timestamp,
) -> Result<(), EngineError> {
    let sent = client.publish().topic_arn(topic).message(&page.chat).send();
    make_call(until, "sns", "Publish", sent).await?;
    Ok(())
}

fn build_attribute(value: &str) -> Result<MessageAttributeValue, EngineError> {
    let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    attribute.map_err(|_| request_not_built("sns", "Publish"))
}
