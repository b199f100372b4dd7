//! What SNS and Amazon Q Developer refuse or drop, by their documentation.
//!
//! The emulators take nearly everything: what they take proves nothing about a page.

use std::collections::BTreeMap;

use eventbridge_pattern::json::find_duplicate_key;
use responder_core::notify::Notification;
use serde_json::{Map, Value};

/// One call of `Publish`.
#[derive(Clone, Debug, Default)]
pub struct Publish {
    /// `Subject`.
    pub subject: Option<String>,
    /// `Message`.
    pub message: String,
    /// `MessageStructure`.
    pub structure: Option<&'static str>,
    /// `MessageAttributes`: type and value by name.
    pub attributes: BTreeMap<String, (String, String)>,
}

/// The largest message with its attributes, in bytes, unless the topic says otherwise (`MaximumMessageSize`).
const LARGEST: usize = 256 * 1024;

impl Publish {
    /// As the functions send a page.
    pub fn page(page: &Notification, key: &str) -> Self {
        let own = page.attributes.iter().map(|(name, value)| (*name, value.as_str())).chain([("key", key)]);
        let text = |(name, value): (&str, &str)| (name.to_owned(), ("String".to_owned(), value.to_owned()));
        Self {
            subject: Some(page.subject.clone()),
            message: page.message(),
            structure: Some("json"),
            attributes: own.map(text).collect(),
        }
    }

    /// As the functions send a notification for chats.
    pub fn chat(page: &Notification) -> Self {
        Self { message: page.chat.clone(), ..Self::default() }
    }

    /// What each protocol gets, or the first reason for which SNS would not take the call.
    ///
    /// # Errors
    ///
    /// The reason, in our own words (`API_Publish`; "Amazon SNS message attributes").
    pub fn accepted(&self) -> Result<BTreeMap<String, String>, String> {
        if let Some(subject) = &self.subject {
            subject_is_fine(subject)?;
        }
        if self.message.is_empty() {
            return Err("Message is empty".to_owned());
        }
        for (name, (kind, value)) in &self.attributes {
            attribute_is_fine(name, kind, value).map_err(|why| format!("attribute {name:?}: {why}"))?;
        }
        let attributes: usize =
            self.attributes.iter().map(|(name, (kind, value))| name.len() + kind.len() + value.len()).sum();
        let size = self.message.len() + attributes;
        if size > LARGEST {
            return Err(format!("message and attributes have {size} bytes"));
        }
        match self.structure {
            None => Ok(BTreeMap::from([("default".to_owned(), self.message.clone())])),
            Some("json") => by_protocol(&self.message),
            Some(other) => Err(format!("MessageStructure is {other:?}")),
        }
    }
}

/// Fewer than 100 characters, no line breaks or control characters, and, for old accounts, ASCII that begins with a letter, number or
/// punctuation mark.
fn subject_is_fine(subject: &str) -> Result<(), String> {
    let begins = subject.starts_with(|c: char| c.is_ascii_graphic());
    let fine =
        subject.chars().all(|c| (' '..='~').contains(&c)) && (1..100).contains(&subject.chars().count());
    if begins && fine { Ok(()) } else { Err(format!("Subject: {subject:?}")) }
}

/// Names of 1 to 256 letters, digits, `_`, `-` and `.`, no dot at an end or beside another, no `AWS.` or `Amazon.` before; values not empty.
fn attribute_is_fine(name: &str, kind: &str, value: &str) -> Result<(), String> {
    let alphabet = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if !alphabet || !(1..=256).contains(&name.len()) || dots || reserved {
        return Err("no name of an attribute".to_owned());
    }
    if !["String", "String.Array", "Number", "Binary"].contains(&kind) {
        return Err(format!("no type: {kind:?}"));
    }
    if value.is_empty() {
        return Err("empty".to_owned());
    }
    let wrong = |c: &char| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if value.chars().any(|c| wrong(&c)) { Err("characters that XML 1.0 has not".to_owned()) } else { Ok(()) }
}

/// The keys that a message of structure `json` may have; others are ignored.
const PROTOCOLS: [&str; 12] = [
    "default",
    "email",
    "email-json",
    "http",
    "https",
    "sqs",
    "lambda",
    "sms",
    "application",
    "firehose",
    "APNS",
    "GCM",
];

fn by_protocol(message: &str) -> Result<BTreeMap<String, String>, String> {
    if find_duplicate_key(message).is_some() {
        return Err("a key stands twice".to_owned());
    }
    let all: Map<String, Value> =
        serde_json::from_str(message).map_err(|error| format!("no JSON object: {error}"))?;
    // SNS ignores what is no string, and sends the default instead: here that is a mistake.
    let texts = all.into_iter().map(|(key, value)| match value {
        Value::String(text) if PROTOCOLS.contains(&key.as_str()) => Ok((key, text)),
        Value::String(_) => Err(format!("no protocol: {key:?}")),
        _ => Err(format!("not a string: {key:?}")),
    });
    let texts: BTreeMap<String, String> = texts.collect::<Result<_, _>>()?;
    if texts.contains_key("default") { Ok(texts) } else { Err("no default".to_owned()) }
}

/// Takes a message as Amazon Q Developer does, which drops what it does not know without a word.
///
/// # Errors
///
/// The reason for which it would not show the message ("Custom notifications", Amazon Q Developer in chat applications' guide).
pub fn shown_in_chats(message: &str) -> Result<Value, String> {
    if find_duplicate_key(message).is_some() {
        return Err("a key stands twice".to_owned());
    }
    let all: Value = serde_json::from_str(message).map_err(|error| format!("no JSON: {error}"))?;
    known(&all, "", &["version", "source", "id", "content", "metadata"])?;
    if all["version"] != "1.0" || all["source"] != "custom" {
        return Err("version or source".to_owned());
    }
    let content = &all["content"];
    known(content, "content.", &["textType", "title", "description", "nextSteps", "keywords"])?;
    if content["textType"] != "client-markdown" {
        return Err("textType".to_owned());
    }
    let is_text = |value: &Value, most: usize| {
        value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()))
    };
    let are_texts = |value: &Value, most: usize| {
        value.is_null()
            || value
                .as_array()
                .is_some_and(|all| !all.is_empty() && all.iter().all(|text| is_text(text, most)))
    };
    let metadata = &all["metadata"];
    let thread =
        ["threadId", "summary", "eventType", "relatedResources", "additionalContext", "enableCustomActions"];
    known(metadata, "metadata.", &thread)?;
    let checks = [
        ("title", is_text(&content["title"], 250)),
        ("description", is_text(&content["description"], 8_000)),
        ("nextSteps", are_texts(&content["nextSteps"], 350)),
        ("keywords", are_texts(&content["keywords"], 75)),
        ("threadId", is_text(&metadata["threadId"], 250)),
        ("summary", is_text(&metadata["summary"], 250)),
        ("eventType", is_text(&metadata["eventType"], 250)),
        ("enableCustomActions", metadata["enableCustomActions"].is_boolean()),
    ];
    match checks.into_iter().find(|(_, fine)| !fine) {
        Some((field, _)) => Err(format!("{field} is missing, empty or too long")),
        None => Ok(all),
    }
}

fn known(value: &Value, of: &str, keys: &[&str]) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Err(format!("{of} is no object")) };
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown: {of}{key}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(subject: &str, message: &str) -> Publish {
        let attribute = ("String".to_owned(), "high".to_owned());
        Publish {
            subject: Some(subject.to_owned()),
            message: message.to_owned(),
            structure: Some("json"),
            attributes: BTreeMap::from([("severity".to_owned(), attribute)]),
        }
    }

    const GOOD: &str = r#"{"default":"a","https":"b"}"#;

    #[test]
    fn what_sns_refuses_is_refused() {
        assert!(publish("s", GOOD).accepted().is_ok());
        for subject in ["", "a\nb", "\u{7f}", " a", "Zoë", &"x".repeat(100)] {
            assert!(publish(subject, GOOD).accepted().is_err(), "{subject:?}");
        }
        let big = format!(r#"{{"default":"{}"}}"#, "x".repeat(LARGEST));
        let wrong = [
            "",
            "text",
            "[]",
            r#"{"email":"a"}"#,
            r#"{"default":1}"#,
            r#"{"default":"a","https":{}}"#,
            r#"{"default":"a","default":"b"}"#,
            r#"{"default":"a","smtp":"b"}"#,
            &big,
        ];
        for message in wrong {
            assert!(publish("s", message).accepted().is_err(), "{message:.40}");
        }
    }

    #[test]
    fn attributes_have_names_types_and_values() {
        for (name, kind, value) in [
            ("", "String", "a"),
            ("a b", "String", "a"),
            (".a", "String", "a"),
            ("AWS.x", "String", "a"),
            ("a", "Text", "a"),
            ("a", "String", ""),
            ("a", "String", "\u{1}"),
        ] {
            let mut publish = publish("s", GOOD);
            publish.attributes.insert(name.to_owned(), (kind.to_owned(), value.to_owned()));
            assert!(publish.accepted().is_err(), "{name:?} {kind:?} {value:?}");
        }
    }

    #[test]
    fn what_chats_drop_is_dropped() {
        let good = serde_json::json!({
            "version": "1.0", "source": "custom",
            "content": { "textType": "client-markdown", "title": "t", "description": "d" },
            "metadata": { "threadId": "k", "summary": "s", "eventType": "e", "enableCustomActions": false },
        });
        assert!(shown_in_chats(&good.to_string()).is_ok());
        for (place, value) in [
            ("/version", serde_json::json!("1.1")),
            ("/content/title", serde_json::json!("t".repeat(251))),
            ("/content/description", serde_json::json!("")),
            ("/content", serde_json::json!({ "text": "t" })),
            ("/metadata/threadId", serde_json::json!(5)),
        ] {
            let mut wrong = good.clone();
            *wrong.pointer_mut(place).unwrap() = value;
            assert!(shown_in_chats(&wrong.to_string()).is_err(), "{place}");
        }
    }
}
