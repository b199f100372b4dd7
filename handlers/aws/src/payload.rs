//! The payload of an invocation: a batch of messages from SQS, or one bare event.
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

/// Tells batches from bare events.
pub(crate) fn parse_payload(text: &str) -> InvocationPayload<'_> {
    let Ok(batch) = serde_json::from_str::<SqsEvent>(text) else { return InvocationPayload::Event(text) };
    match batch.records.first() {
        Some(message) if message.event_source.as_deref() != Some("aws:sqs") => InvocationPayload::Event(text),
        _ => InvocationPayload::Batch(batch.records),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_known_by_its_source() {
        let text = r#"{"Records":[{"messageId":"m1","body":"{\"a\":\"\\u00e9\"}","eventSource":"aws:sqs","attributes":{}}]}"#;
        let InvocationPayload::Batch(messages) = parse_payload(text) else { panic!("no batch") };
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
            assert_eq!(parse_payload(text), InvocationPayload::Event(text));
        }
    }
}
