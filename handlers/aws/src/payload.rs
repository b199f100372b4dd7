//! What Lambda hands over: a batch of messages from SQS, or one bare event.
//!
//! Payloads are taken as raw JSON: a typed payload that does not fit is logged by `lambda_runtime`, with its values.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};

/// An invocation's payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvocationPayload<'p> {
    /// Messages, each with an event as text.
    Batch(Vec<SqsMessage>),
    /// One event, as `aws lambda invoke` sends it.
    Event(&'p str),
}

/// Tells batches and events apart.
pub(crate) fn read(text: &str) -> InvocationPayload<'_> {
    let batch: Option<SqsEvent> = serde_json::from_str(text).ok();
    let from_sqs = |message: &SqsMessage| message.event_source.as_deref() == Some("aws:sqs");
    match batch.filter(|batch| batch.records.first().is_none_or(from_sqs)) {
        Some(batch) => InvocationPayload::Batch(batch.records),
        None => InvocationPayload::Event(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_known_by_its_source() {
        let text = r#"{"Records":[{"messageId":"m1","body":"{\"a\":\"\\u00e9\"}","eventSource":"aws:sqs","attributes":{}}]}"#;
        let InvocationPayload::Batch(messages) = read(text) else { panic!("no batch") };
        let message = (messages[0].message_id.as_deref(), messages[0].body.as_deref());
        assert_eq!(message, (Some("m1"), Some(r#"{"a":"\u00e9"}"#)));
    }

    #[test]
    fn everything_else_is_an_event() {
        for text in [
            r#"{"source":"aws.secretsmanager","detail":{}}"#,
            r#"{"Records":[{"eventSource":"aws:s3","messageId":"x"}]}"#,
            r#"{"Records":"none"}"#,
            "[]",
            "5",
        ] {
            assert_eq!(read(text), InvocationPayload::Event(text));
        }
    }
}
