//! P7: whatever strings an attacker chooses, the page goes out, and nothing in it is more than text.
//!
//! `CASES=100000 cargo test --profile simulation -p simulation --test notifications hostile` takes as many inputs as are promised.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use responder_core::detail_kind::DetailKind;
use responder_core::detection::window_match::WindowMatch;
use responder_core::event::Event;
use responder_core::facts::Settings;
use responder_core::incident::{Incident, IncidentDetail};
use responder_core::notify::{Notification, render};
use responder_core::rules::{Response, RuleSet, builtin};
use responder_core::severity::Severity;
use responder_core::state::observation::Observation;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde_json::{Value, json};
use simulation::sns::{PublishRequest, parse_chat_message};

use crate::hostile_strings::{HOSTILE_MARK, HOSTILE_PIECES, LINE_BEGINNINGS};
use crate::links::has_only_our_links;
use crate::shell_words::{ShellWords, is_instance, split_command};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| builtin().unwrap());

/// A string that means harm, an odd one, or a huge one.
fn hostile_string() -> impl Strategy<Value = String> {
    let pieces = vec((proptest::sample::select(&HOSTILE_PIECES[..]), any::<bool>()), 1..8);
    prop_oneof![
        6 => pieces.prop_map(|pieces| join_pieces(&pieces)),
        2 => any::<String>(),
        1 => "[a-z/!-]{1,30}",
        1 => (proptest::sample::select(&HOSTILE_PIECES[..]), 1_000usize..1_500).prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

/// Pieces in a row, some of them with the mark.
fn join_pieces(pieces: &[(&str, bool)]) -> String {
    let mut text = String::new();
    for (piece, is_marked) in pieces {
        text.push_str(piece);
        if *is_marked {
            text.push_str(HOSTILE_MARK);
        }
    }
    text
}

/// An attacker's events, and what else is known.
#[derive(Debug)]
struct HostileInput {
    response: usize,
    names: Vec<String>,
    strings: Vec<String>,
    accounts: (String, String),
    details: Vec<String>,
    also: usize,
    resolved: bool,
}

fn hostile_input() -> impl Strategy<Value = HostileInput> {
    let ordinary = ("111122223333".to_owned(), "us-west-2".to_owned());
    let accounts = prop_oneof![3 => Just(ordinary), 1 => (hostile_string(), hostile_string())];
    // Now and then so much that not all finds room: letters of four bytes each.
    let long = hostile_string().prop_map(|harm| "\u{20000}".repeat(400) + &harm);
    let several = prop_oneof![9 => vec(hostile_string(), 0..3), 1 => vec(long, 30..60)];
    (
        any::<usize>(),
        vec(hostile_string(), 0..4),
        vec(hostile_string(), 8),
        accounts,
        several,
        0usize..3,
        any::<bool>(),
    )
        .prop_map(|(response, names, strings, accounts, details, also, resolved)| HostileInput {
            response,
            names,
            strings,
            accounts,
            details,
            also,
            resolved,
        })
}

impl HostileInput {
    fn response(&self) -> &'static Response {
        let all = RULES.responses.len();
        RULES.responses.values().nth(self.response % all).unwrap()
    }

    /// The event of one secret.
    fn event(&self, number: usize, name: &str) -> Option<Event> {
        let [user, session, key, address, agent, principal, message, id] = &self.strings[..] else {
            unreachable!()
        };
        let (account, region) = &self.accounts;
        let arn = match number % 3 {
            0 => format!("arn:aws:iam::111122223333:user/{user}"),
            1 => format!("arn:aws:sts::111122223333:assumed-role/{user}/{session}"),
            _ => principal.clone(),
        };
        let event = json!({
            "source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "id": id,
            "account": account, "region": region, "time": "2026-05-04T03:00:20Z",
            "detail": {
                "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "awsRegion": region,
                "eventTime": "2026-05-04T03:00:20Z", "eventType": "AwsApiCall", "recipientAccountId": account, "eventID": format!("{id}{number}"),
                "userIdentity": { "type": "x", "arn": arn, "accountId": account, "accessKeyId": key },
                "sourceIPAddress": address, "userAgent": agent, "errorMessage": message,
                "requestParameters": { "secretId": name },
            },
        });
        Event::parse(&event.to_string()).ok()
    }

    fn render(&self) -> (Incident, Notification) {
        let response = self.response();
        let mut observations: Vec<Observation> = Vec::new();
        for (number, name) in self.names.iter().enumerate() {
            if let Some(event) = self.event(number, name) {
                observations.push(Observation::from_event(&event));
            }
        }
        let resolved_at: Timestamp = "2026-05-04T04:00:00Z".parse().unwrap();
        let window_match = WindowMatch {
            observations: observations.iter().collect(),
            severity: Severity::High,
            resolved: self.resolved.then_some(resolved_at),
        };
        let key = "0123456789abcdef".to_owned();
        let mut incident = Incident::from_match(response, key, &window_match, self.incident_details());
        let [_, _, _, address, agent, ..] = &self.strings[..] else { unreachable!() };
        incident.services =
            vec![format!("arn:aws:ecs:us-west-2:111122223333:service/{agent}/{address}").into()];
        incident.also = vec!["bulk-read".to_owned(); self.also];
        incident.suppressed.extend([("service-call".to_owned(), 5)]);
        let runbooks = if self.resolved { "" } else { "https://runbooks.example/" };
        let settings = Settings { runbook_base_url: runbooks.to_owned(), ..Settings::default() };
        let page = render(&incident, response, &settings);
        (incident, page)
    }

    fn incident_details(&self) -> Vec<IncidentDetail> {
        let [_, session, key, address, agent, .., message, id] = &self.strings[..] else { unreachable!() };
        let function = format!("arn:aws:lambda:us-west-2:111122223333:function:{session}");
        let known = [
            (DetailKind::Event, "RotationFailed"),
            (DetailKind::SessionName, session),
            (DetailKind::AccessKeyId, key),
            (DetailKind::SourceAddress, address),
            (DetailKind::UserAgent, agent),
            (DetailKind::FailedStep, "setSecret"),
            (DetailKind::RotationFunction, &function),
            (DetailKind::Reason, message),
            (DetailKind::Deployment, id),
        ];
        let mut details = Vec::new();
        for (kind, value) in known {
            details.push(IncidentDetail { kind, value: Untrusted::new(value) });
        }
        for value in &self.details {
            details.push(IncidentDetail { kind: DetailKind::NotRedeployed, value: Untrusted::new(value) });
        }
        details
    }
}

fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| (' '..='~').contains(&c) || c.is_alphanumeric())
}

fn assert_body_is_text(incident: &Incident, page: &Notification) {
    assert!(page.body.len() <= 32 * 1024 && page.body.ends_with('\n'));
    assert!(!page.body.contains(['<', '>']) && has_only_our_links(&page.body), "{}", page.body);
    for line in page.body.lines() {
        if line.is_empty() {
            continue;
        }
        assert!(is_harmless(line), "{line:?}");
        let is_known = line.starts_with(&incident.title)
            || LINE_BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
        assert!(is_known, "{line:?}");
    }
}

/// The commands of a response's next steps, with their placeholders.
fn list_command_templates(response: &Response) -> Vec<&str> {
    let mut templates = Vec::new();
    for step in &response.next_steps {
        let begins = [": aws ", "? aws "].map(|begin| step.find(begin));
        let command = match begins.into_iter().flatten().min() {
            Some(colon) => &step[colon + 2..],
            None => step.as_str(),
        };
        if command.starts_with("aws ") {
            templates.push(command);
        }
    }
    templates
}

/// A command has the words of one next step, with a value in each place, and no others.
fn assert_commands_are_ours(response: &Response, page: &Notification) {
    let templates = list_command_templates(response);
    for line in page.body.lines() {
        let Some(command) = line.strip_prefix("   ") else { continue };
        if !command.starts_with("aws ") {
            continue;
        }
        let found = split_command(command).unwrap_or_else(|| panic!("quotes that do not end: {command}"));
        let mut special = None;
        for template in &templates {
            let words: ShellWords = split_command(template).unwrap();
            if is_instance(&found, &words) {
                special.get_or_insert(words.special);
            }
        }
        assert!(special.is_some(), "{command}\n{templates:#?}");
        assert_eq!(Some(found.special), special, "{command}");
    }
}

/// A subject begins with our status, and has our title or the rule. Beside them stands at most one short name, of letters, digits and
/// the punctuation of names: without a space, a bracket, a link, or anything that is no printable ASCII.
fn assert_subject_is_harmless(incident: &Incident, subject: &str) {
    let (status, rest) = subject.split_once("] ").unwrap();
    assert!(status.starts_with('[') && status[1..].bytes().all(|b| b.is_ascii_uppercase()), "{subject}");
    let words = if rest.contains(&incident.title) { &incident.title } else { &incident.rule };
    let (before, after) = rest.split_once(words.as_str()).unwrap();
    let name = before.strip_suffix(": ").unwrap_or(before);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-,~?:".contains(c);
    let is_count = name
        .split_once(' ')
        .is_some_and(|(number, noun)| number.parse::<usize>().is_ok() && noun == "secrets");
    assert!(
        name.len() <= 32 && (is_count || name.chars().all(is_plain)) && !name.contains("://"),
        "{subject}"
    );
    assert!(!after.contains(HOSTILE_MARK), "{subject}");
}

/// The rest of a text for chats, without code and addresses, is ours, and has no power.
fn assert_chat_is_marked(text: &str) {
    let spans: Vec<&str> = text.split('`').collect();
    assert_eq!(spans.len() % 2, 1, "a code span without end: {text}");
    let outside = spans.iter().step_by(2).copied().collect::<Vec<_>>().join("code");
    assert!(has_only_our_links(&outside), "{outside}");
    for word in outside.split_whitespace() {
        if word.starts_with("https://") {
            continue;
        }
        let has_power = word.contains(['<', '>', '&']) || word.contains("](") || word.starts_with('@');
        assert!(!has_power && !word.contains(HOSTILE_MARK), "{word:?} in {text}");
    }
    assert!(!text.contains(['<', '>']) && text.lines().all(is_harmless), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("CASES").map_or(300, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_hostile_string_is_text_and_stops_no_page(input in hostile_input()) {
        let (incident, page) = input.render();
        let publish = PublishRequest::for_page(&page, &incident.key);
        let protocols = publish.accept().unwrap();
        let all = ["default", "email", "http", "https", "lambda", "sms", "sqs"];
        prop_assert_eq!(protocols.keys().map(String::as_str).collect::<Vec<_>>(), all);
        prop_assert_eq!((&protocols["default"], &protocols["sms"]), (&page.body, &page.subject));
        for value in publish.attributes.values() {
            prop_assert!(is_harmless(&value.1) && !value.1.contains(HOSTILE_MARK));
        }
        assert_subject_is_harmless(&incident, &page.subject);

        assert_body_is_text(&incident, &page);
        assert_commands_are_ours(input.response(), &page);

        let alert: Value = serde_json::from_str(&page.alert).unwrap();
        prop_assert!(page.alert.len() <= 16 * 1024 && is_harmless(&page.alert) && !page.alert.contains(['<', '>']));
        prop_assert_eq!(&alert["dedup_key"], &json!(incident.key));
        prop_assert_eq!(&alert["event_action"], &json!(if input.resolved { "resolve" } else { "trigger" }));
        prop_assert_eq!(&alert["payload"]["severity"], "error");
        prop_assert!(alert["links"].as_array().is_none_or(|links| links.iter().all(|link| has_only_our_links(link["href"].as_str().unwrap()))));

        let chat = parse_chat_message(&page.chat).unwrap();
        assert_chat_is_marked(chat["content"]["description"].as_str().unwrap());
        for step in chat["content"]["nextSteps"].as_array().into_iter().flatten() {
            assert_chat_is_marked(step.as_str().unwrap());
        }
        let ours = [&chat["content"]["title"], &chat["content"]["keywords"], &chat["metadata"]];
        prop_assert!(ours.iter().all(|value| !value.to_string().contains(HOSTILE_MARK)));
        prop_assert_eq!(&chat["metadata"]["threadId"], &json!(incident.key));
    }
}
