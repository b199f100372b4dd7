//! The messages that SNS and Amazon Q Developer refuse or drop, by their documentation.
//!
//! The emulators accept nearly everything, so that a page which they take proves nothing.

use std::collections::BTreeMap;

use eventbridge_pattern::json::find_duplicate_key;
use responder_core::notify::Notification;
use serde_json::{Map, Value};

/// One call of `Publish`.
#[derive(Clone, Debug, Default)]
pub struct PublishRequest {
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
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

impl PublishRequest {
    /// The call by which the functions send a page.
    pub fn for_page(page: &Notification, key: &str) -> Self {
        let mut request = Self {
            subject: Some(page.subject.clone()),
            message: page.message(),
            structure: Some("json"),
            attributes: BTreeMap::new(),
        };
        request.add_text_attribute("key", key);
        for (name, value) in &page.attributes {
            request.add_text_attribute(name, value);
        }
        request
    }

    /// The call by which the functions send a notification to the chats.
    pub fn for_chat(page: &Notification) -> Self {
        Self { message: page.chat.clone(), ..Self::default() }
    }

    fn add_text_attribute(&mut self, name: &str, value: &str) {
        self.attributes.insert(name.to_owned(), ("String".to_owned(), value.to_owned()));
    }

    /// The texts that each protocol gets if SNS accepts the call.
    ///
    /// # Errors
    ///
    /// The first reason for which SNS would refuse the call, in our own words (`API_Publish`; "Amazon SNS message attributes").
    pub fn accept(&self) -> Result<BTreeMap<String, String>, String> {
        if let Some(subject) = &self.subject {
            check_subject(subject)?;
        }
        if self.message.is_empty() {
            return Err("Message is empty".to_owned());
        }
        let mut bytes = self.message.len();
        for (name, (kind, value)) in &self.attributes {
            if let Err(why) = check_attribute(name, kind, value) {
                return Err(format!("attribute {name:?}: {why}"));
            }
            bytes += name.len() + kind.len() + value.len();
        }
        if bytes > MAX_MESSAGE_BYTES {
            return Err(format!("message and attributes have {bytes} bytes"));
        }
        match self.structure {
            None => Ok(BTreeMap::from([("default".to_owned(), self.message.clone())])),
            Some("json") => split_by_protocol(&self.message),
            Some(other) => Err(format!("MessageStructure is {other:?}")),
        }
    }
}

/// A subject has fewer than 100 characters, no line breaks or control characters, and, for old accounts, is ASCII that begins with a
/// letter, number or punctuation mark.
fn check_subject(subject: &str) -> Result<(), String> {
    let begins_well = subject.starts_with(|c: char| c.is_ascii_graphic());
    let is_printable = subject.chars().all(|c| (' '..='~').contains(&c));
    let is_short = (1..100).contains(&subject.chars().count());
    if begins_well && is_printable && is_short { Ok(()) } else { Err(format!("Subject: {subject:?}")) }
}

/// A name has 1 to 256 letters, digits, `_`, `-` and `.`, no dot at an end or beside another, and does not begin with `AWS.` or
/// `Amazon.`; a value is not empty.
fn check_attribute(name: &str, kind: &str, value: &str) -> Result<(), String> {
    let is_in_alphabet = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let has_stray_dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let lower = name.to_ascii_lowercase();
    let is_reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if !is_in_alphabet || !(1..=256).contains(&name.len()) || has_stray_dots || is_reserved {
        return Err("not a name of an attribute".to_owned());
    }
    if !["String", "String.Array", "Number", "Binary"].contains(&kind) {
        return Err(format!("not a type: {kind:?}"));
    }
    if value.is_empty() {
        return Err("empty".to_owned());
    }
    if value.chars().all(is_xml_character) { Ok(()) } else { Err("characters that XML 1.0 lacks".to_owned()) }
}

/// Whether XML 1.0 has the character.
fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The keys that a message of structure `json` may have; SNS ignores others.
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

/// The text of each protocol in a message of structure `json`. SNS ignores a value that is not a string and sends the default
/// instead: a page with such a value is a mistake here.
fn split_by_protocol(message: &str) -> Result<BTreeMap<String, String>, String> {
    if find_duplicate_key(message).is_some() {
        return Err("a key stands twice".to_owned());
    }
    let all: Map<String, Value> = match serde_json::from_str(message) {
        Ok(all) => all,
        Err(error) => return Err(format!("not a JSON object: {error}")),
    };
    let mut texts = BTreeMap::new();
    for (key, value) in all {
        let Value::String(text) = value else { return Err(format!("not a string: {key:?}")) };
        if !PROTOCOLS.contains(&key.as_str()) {
            return Err(format!("not a protocol: {key:?}"));
        }
        texts.insert(key, text);
    }
    if texts.contains_key("default") { Ok(texts) } else { Err("no default".to_owned()) }
}

/// Reads a message as Amazon Q Developer does, which drops silently what it does not know.
///
/// # Errors
///
/// The reason for which the message would not be shown ("Custom notifications", Amazon Q Developer in chat applications' guide).
pub fn parse_chat_message(message: &str) -> Result<Value, String> {
    if find_duplicate_key(message).is_some() {
        return Err("a key stands twice".to_owned());
    }
    let all: Value = match serde_json::from_str(message) {
        Ok(all) => all,
        Err(error) => return Err(format!("not JSON: {error}")),
    };
    check_members(&all, "", &["version", "source", "id", "content", "metadata"])?;
    if all["version"] != "1.0" || all["source"] != "custom" {
        return Err("version or source".to_owned());
    }
    let content = &all["content"];
    check_members(content, "content.", &["textType", "title", "description", "nextSteps", "keywords"])?;
    if content["textType"] != "client-markdown" {
        return Err("textType".to_owned());
    }
    let metadata = &all["metadata"];
    let members =
        ["threadId", "summary", "eventType", "relatedResources", "additionalContext", "enableCustomActions"];
    check_members(metadata, "metadata.", &members)?;
    let checks = [
        ("title", is_text(&content["title"], 250)),
        ("description", is_text(&content["description"], 8_000)),
        ("nextSteps", is_text_list(&content["nextSteps"], 350)),
        ("keywords", is_text_list(&content["keywords"], 75)),
        ("threadId", is_text(&metadata["threadId"], 250)),
        ("summary", is_text(&metadata["summary"], 250)),
        ("eventType", is_text(&metadata["eventType"], 250)),
        ("enableCustomActions", metadata["enableCustomActions"].is_boolean()),
    ];
    for (field, is_well) in checks {
        if !is_well {
            return Err(format!("{field} is missing, empty or too long"));
        }
    }
    Ok(all)
}

/// Whether a value is a text of 1 to `most` characters.
fn is_text(value: &Value, most: usize) -> bool {
    let Value::String(text) = value else { return false };
    (1..=most).contains(&text.chars().count())
}

/// Whether a value is absent, or a list of such texts that is not empty.
fn is_text_list(value: &Value, most: usize) -> bool {
    match value {
        Value::Null => true,
        Value::Array(texts) => !texts.is_empty() && texts.iter().all(|text| is_text(text, most)),
        _ => false,
    }
}

fn check_members(value: &Value, path: &str, known: &[&str]) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Err(format!("{path} is not an object")) };
    for key in object.keys() {
        if !known.contains(&key.as_str()) {
            return Err(format!("unknown: {path}{key}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(subject: &str, message: &str) -> PublishRequest {
        let attribute = ("String".to_owned(), "high".to_owned());
        PublishRequest {
            subject: Some(subject.to_owned()),
            message: message.to_owned(),
            structure: Some("json"),
            attributes: BTreeMap::from([("severity".to_owned(), attribute)]),
        }
    }

    const GOOD: &str = r#"{"default":"a","https":"b"}"#;

    #[test]
    fn subjects_and_messages_that_sns_refuses_are_refused() {
        assert!(publish("s", GOOD).accept().is_ok());
        for subject in ["", "a\nb", "\u{7f}", " a", "Zoë", &"x".repeat(100)] {
            assert!(publish(subject, GOOD).accept().is_err(), "{subject:?}");
        }
        let big = format!(r#"{{"default":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES));
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
            assert!(publish("s", message).accept().is_err(), "{message:.40}");
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
            assert!(publish.accept().is_err(), "{name:?} {kind:?} {value:?}");
        }
    }

    #[test]
    fn messages_that_chats_drop_are_refused() {
        let good = serde_json::json!({
            "version": "1.0", "source": "custom",
            "content": { "textType": "client-markdown", "title": "t", "description": "d" },
            "metadata": { "threadId": "k", "summary": "s", "eventType": "e", "enableCustomActions": false },
        });
        assert!(parse_chat_message(&good.to_string()).is_ok());
        for (place, value) in [
            ("/version", serde_json::json!("1.1")),
            ("/content/title", serde_json::json!("t".repeat(251))),
            ("/content/description", serde_json::json!("")),
            ("/content", serde_json::json!({ "text": "t" })),
            ("/metadata/threadId", serde_json::json!(5)),
        ] {
            let mut wrong = good.clone();
            *wrong.pointer_mut(place).unwrap() = value;
            assert!(parse_chat_message(&wrong.to_string()).is_err(), "{place}");
        }
    }
}
