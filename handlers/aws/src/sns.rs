//! SNS: sends a page.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{BuildError, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use responder_core::page::Page;

use crate::deadline::Deadline;
use crate::error::Error;

/// Publishes a page to the topic. The attributes are for subscription filters, `key` for those that deduplicate.
///
/// # Errors
/// When SNS did not say that it has the page.
pub(crate) async fn publish(
    client: &Client,
    deadline: Deadline,
    topic: &str,
    page: &Page,
    key: &str,
) -> Result<(), Error> {
    let mut call = client.publish().topic_arn(topic).subject(&page.subject).message(&page.body);
    let own = [("key", key)];
    for (name, value) in page.attributes.iter().map(|(name, value)| (*name, value.as_str())).chain(own) {
        call = call.message_attributes(name, attribute(value).map_err(unsent)?);
    }
    deadline.call("sns", "Publish", call.send()).await.map(|_| ())
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

fn unsent(error: BuildError) -> Error {
    let error: SdkError<PublishError> = SdkError::construction_failure(error);
    Error::Call { service: "sns", operation: "Publish", failure: crate::error::Failure::of(&error) }
}
