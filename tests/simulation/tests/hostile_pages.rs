//! P7: whatever strings an attacker chooses, the page goes out, and nothing in it is more than text.
//!
//! `CASES=100000 cargo test --profile simulation -p simulation --test hostile_pages` takes as many inputs as are promised.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod words;

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
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
use simulation::sns::{Publish, shown_in_chats};
use words::{Split, split};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| builtin().unwrap());

/// Stands in most hostile strings: where it turns up, something from outside did.
const MARK: &str = "mArK3r";

/// What has power in one of the places that a page goes to.
const PIECES: [&str; 40] = [
    MARK,
    "<!channel>",
    "<@U024BE7LH>",
    "<script>alert(1)</script>",
    "[x](http://evil.example)",
    "http://evil.example/",
    "`",
    "```",
    "*b*",
    "_i_",
    "~s~",
    "@here",
    "&lt;!channel&gt;",
    "&",
    "'",
    "\"",
    "\\",
    "$(id)",
    "${IFS}",
    "`id`",
    ";id;",
    "|id",
    "&&id",
    ">x",
    "!!",
    "\n",
    "\r\n",
    "\u{1b}[31m",
    "\u{9b}31m",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{0}",
    "\u{2028}",
    "{secret}",
    "{link:key}",
    "Runbook: x",
    "-",
    "--endpoint-url=x",
    "file:///etc/passwd",
];

/// A string that means harm, an odd one, or a huge one.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = vec((proptest::sample::select(&PIECES[..]), any::<bool>()), 1..8).prop_map(|pieces| {
        let marked = pieces
            .iter()
            .map(|(piece, marked)| if *marked { format!("{piece}{MARK}") } else { (*piece).to_owned() });
        marked.collect::<String>()
    });
    prop_oneof![
        6 => pieces,
        2 => any::<String>(),
        1 => "[a-z/!-]{1,30}",
        1 => (proptest::sample::select(&PIECES[..]), 1_000usize..1_500).prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

/// An attacker's events, and what else is known.
#[derive(Debug)]
struct Input {
    response: usize,
    names: Vec<String>,
    strings: Vec<String>,
    accounts: (String, String),
    details: Vec<String>,
    also: usize,
    resolved: bool,
}

fn input() -> impl Strategy<Value = Input> {
    let ordinary = ("111122223333".to_owned(), "us-west-2".to_owned());
    let accounts = prop_oneof![3 => Just(ordinary), 1 => (hostile(), hostile())];
    // Now and then so much that not all finds room: letters of four bytes each.
    let long = hostile().prop_map(|harm| "\u{20000}".repeat(400) + &harm);
    let several = prop_oneof![9 => vec(hostile(), 0..3), 1 => vec(long, 30..60)];
    (any::<usize>(), vec(hostile(), 0..4), vec(hostile(), 8), accounts, several, 0usize..3, any::<bool>())
        .prop_map(|(response, names, strings, accounts, details, also, resolved)| Input {
            response,
            names,
            strings,
            accounts,
            details,
            also,
            resolved,
        })
}

impl Input {
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

    fn page(&self) -> (Incident, Notification) {
        let response = self.response();
        let events: Vec<Event> =
            self.names.iter().enumerate().filter_map(|(number, name)| self.event(number, name)).collect();
        let observations: Vec<Observation> =
            events.iter().map(|event| Observation::from_event(event)).collect();
        let at: Timestamp = "2026-05-04T04:00:00Z".parse().unwrap();
        let window_match = WindowMatch {
            observations: observations.iter().collect(),
            severity: Severity::High,
            resolved: self.resolved.then_some(at),
        };
        let [_, session, key, address, agent, .., message, id] = &self.strings[..] else { unreachable!() };
        let function = format!("arn:aws:lambda:us-west-2:111122223333:function:{session}");
        let known = [
            ("event", "RotationFailed"),
            ("session", session),
            ("access key id", key),
            ("source address", address),
            ("user agent", agent),
            ("failed step", "setSecret"),
            ("rotation function", &function),
            ("reason", message),
            ("version", id),
        ];
        let mut details: Vec<IncidentDetail> = known
            .into_iter()
            .map(|(label, value)| IncidentDetail { label, value: Untrusted::new(value) })
            .collect();
        details.extend(
            self.details
                .iter()
                .map(|value| IncidentDetail { label: "not redeployed", value: Untrusted::new(value) }),
        );
        let mut incident =
            Incident::from_match(response, "0123456789abcdef".to_owned(), &window_match, details);
        incident.services = vec![format!("arn:aws:ecs:us-west-2:111122223333:service/{agent}/{address}")];
        incident.also = vec!["bulk-read".to_owned(); self.also];
        incident.suppressed.extend([("service-call".to_owned(), 5)]);
        let runbooks = if self.resolved { "" } else { "https://runbooks.example/" };
        let settings = Settings { runbook_base_url: runbooks.to_owned(), ..Settings::default() };
        let page = render(&incident, response, &settings);
        (incident, page)
    }
}

/// With what a line of a body may begin.
const BEGINNINGS: [&str; 57] = [
    "Over since ",
    "It was: ",
    "Does AWSCURRENT still work: ",
    "The first step failed",
    "There is time",
    "With a single user",
    "Keep the version",
    "The new ",
    "What is missing",
    "AWSCURRENT was not moved",
    "Secrets Manager ",
    "Try AWSCURRENT",
    "Repair the function",
    "Severity: ",
    "Who: ",
    "Session: ",
    "Access key: ",
    "Through: ",
    "Address: ",
    "User agent: ",
    "Secret: ",
    "Event: ",
    "Events: ",
    "Failed step: ",
    "On: ",
    "Function: ",
    "Secrets: ",
    "Secrets:",
    "Where: ",
    "When: ",
    "Reason: ",
    "Version: ",
    "Not redeployed: ",
    "And: ",
    "What it means: ",
    "How sure: ",
    "Do this first:",
    "1. ",
    "2. ",
    "3. ",
    "   https://",
    "   aws ",
    "   and likewise ",
    "Runbook: ",
    "- ",
    "and ",
    "What it did (CloudTrail): ",
    "What the key did (CloudTrail): ",
    "Role: ",
    "Log of the rotation function: ",
    "Service: ",
    "Found as well by: ",
    "Not counted: ",
    "Incident: ",
    "Shortened: ",
    "Deployment: ",
    "Note: ",
];

fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| (' '..='~').contains(&c) || c.is_alphanumeric())
}

/// Every address is of the console or of the runbooks.
fn links_are_ours(text: &str) -> bool {
    const HOSTS: [&str; 4] = [
        "console.aws.amazon.com",
        "console.amazonaws.cn",
        "console.amazonaws-us-gov.com",
        "runbooks.example",
    ];
    let ours = |rest: &str| {
        let host = rest.split('/').next().unwrap_or_default();
        HOSTS.iter().any(|known| {
            host == *known || host.strip_suffix(known).is_some_and(|region| region.ends_with('.'))
        })
    };
    let mut parts = text.split("://");
    parts.next().is_some_and(|first| !text.contains("://") || first.ends_with("https")) && parts.all(ours)
}

fn body_is_text(incident: &Incident, page: &Notification) {
    assert!(page.body.len() <= 32 * 1024 && page.body.ends_with('\n'));
    assert!(!page.body.contains(['<', '>']) && links_are_ours(&page.body), "{}", page.body);
    for line in page.body.lines().filter(|line| !line.is_empty()) {
        assert!(is_harmless(line), "{line:?}");
        let ours = line.starts_with(&incident.title) || BEGINNINGS.iter().any(|ours| line.starts_with(ours));
        assert!(ours, "{line:?}");
    }
}

/// A command has the words of one line of advice, with a value in each place, and no others.
fn commands_are_ours(response: &Response, page: &Notification) {
    let templates: Vec<&str> = response
        .next_steps
        .iter()
        .filter_map(|line| {
            let command = [": aws ", "? aws "]
                .iter()
                .filter_map(|begin| line.find(begin))
                .min()
                .map_or(0, |colon| colon + 2);
            line.get(command..).filter(|command| command.starts_with("aws "))
        })
        .collect();
    for line in
        page.body.lines().filter_map(|line| line.strip_prefix("   ")).filter(|line| line.starts_with("aws "))
    {
        let found = split(line).unwrap_or_else(|| panic!("quotes that do not end: {line}"));
        let fits = |template: &&str| words::is_instance(&found, &split(template).unwrap());
        assert!(templates.iter().any(fits), "{line}\n{templates:#?}");
        let own = templates.iter().find(|template| fits(template)).unwrap();
        let Split { special, .. } = split(own).unwrap();
        assert_eq!(found.special, special, "{line}");
    }
}

/// What is left of a text for chats without code and addresses is ours, and has no power.
fn chat_is_marked(text: &str) {
    let spans: Vec<&str> = text.split('`').collect();
    assert_eq!(spans.len() % 2, 1, "a code span without end: {text}");
    let outside: String = spans.iter().step_by(2).copied().collect::<Vec<_>>().join("code");
    assert!(links_are_ours(&outside), "{outside}");
    let words = outside.split_whitespace().filter(|word| !word.starts_with("https://"));
    for word in words {
        assert!(
            !word.contains(MARK)
                && !word.contains(['<', '>', '&'])
                && !word.contains("](")
                && !word.starts_with('@'),
            "{word:?} in {text}"
        );
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
    fn a_hostile_string_is_text_and_stops_no_page(input in input()) {
        let (incident, page) = input.page();
        let publish = Publish::page(&page, &incident.key);
        let protocols = publish.accepted().unwrap();
        let all = ["default", "email", "http", "https", "lambda", "sms", "sqs"];
        prop_assert_eq!(protocols.keys().map(String::as_str).collect::<Vec<_>>(), all);
        prop_assert_eq!((&protocols["default"], &protocols["sms"]), (&page.body, &page.subject));
        for value in publish.attributes.values() {
            prop_assert!(is_harmless(&value.1) && !value.1.contains(MARK));
        }
        prop_assert!(!page.subject.contains(MARK) && page.subject.contains(&incident.title));

        body_is_text(&incident, &page);
        commands_are_ours(input.response(), &page);

        let alert: Value = serde_json::from_str(&page.alert).unwrap();
        prop_assert!(page.alert.len() <= 16 * 1024 && is_harmless(&page.alert) && !page.alert.contains(['<', '>']));
        prop_assert_eq!(&alert["dedup_key"], &json!(incident.key));
        prop_assert_eq!(&alert["event_action"], &json!(if input.resolved { "resolve" } else { "trigger" }));
        prop_assert_eq!(&alert["payload"]["severity"], "error");
        prop_assert!(alert["links"].as_array().is_none_or(|links| links.iter().all(|link| links_are_ours(link["href"].as_str().unwrap()))));

        let chat = shown_in_chats(&page.chat).unwrap();
        chat_is_marked(chat["content"]["description"].as_str().unwrap());
        for step in chat["content"]["nextSteps"].as_array().into_iter().flatten() {
            chat_is_marked(step.as_str().unwrap());
        }
        let ours = [&chat["content"]["title"], &chat["content"]["keywords"], &chat["metadata"]];
        prop_assert!(ours.iter().all(|value| !value.to_string().contains(MARK)));
        prop_assert_eq!(&chat["metadata"]["threadId"], &json!(incident.key));
    }
}
