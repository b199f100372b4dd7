//! What Lambda hands over: a batch of messages from SQS, or one bare event.
//!
//! Payloads are taken as raw JSON: a typed payload that does not fit is logged by `lambda_runtime`, with its values.

use std::borrow::Cow;

use serde::Deserialize;

/// An invocation's payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload<'p> {
    /// Messages, each with an event as text.
    Batch(Vec<Message<'p>>),
    /// One event, as `aws lambda invoke` sends it.
    Event(&'p str),
}

/// A message of a queue.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Message<'p> {
    /// By which SQS is told that it was not handled.
    #[serde(borrow, rename = "messageId")]
    pub(crate) id: Cow<'p, str>,
    /// What EventBridge sent.
    #[serde(borrow, default)]
    pub(crate) body: Cow<'p, str>,
    /// `aws:sqs`.
    #[serde(borrow, default, rename = "eventSource")]
    source: Cow<'p, str>,
}

#[derive(Deserialize)]
struct Envelope<'p> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Message<'p>>,
}

/// Tells batches and events apart.
pub(crate) fn read(text: &str) -> Payload<'_> {
    let envelope: Option<Envelope<'_>> = serde_json::from_str(text).ok();
    let from_sqs =
        |envelope: &Envelope<'_>| envelope.records.first().is_none_or(|message| message.source == "aws:sqs");
    match envelope.filter(from_sqs) {
        Some(envelope) => Payload::Batch(envelope.records),
        None => Payload::Event(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_known_by_its_source() {
        let text = r#"{"Records":[{"messageId":"m1","body":"{\"a\":\"\\u00e9\"}","eventSource":"aws:sqs","attributes":{}}]}"#;
        let Payload::Batch(messages) = read(text) else { panic!("no batch") };
        assert_eq!((messages[0].id.as_ref(), messages[0].body.as_ref()), ("m1", r#"{"a":"\u00e9"}"#));
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
            assert_eq!(read(text), Payload::Event(text));
        }
    }
}
